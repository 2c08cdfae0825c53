import { type CheckResult, groups } from "./types.ts";

/** The result as people read it: groups of lines, each with a mark and, where wrong, a word and a remedy. */
export function report(results: readonly CheckResult[], colours: boolean): string {
  const lines = groups.flatMap((group) => {
    const own = results.filter((result) => result.group === group && result.cause === undefined);
    return own.length === 0
      ? []
      : [
          paint(1, group, colours),
          ...own.flatMap((result) => resultLines(result, consequences(result, results), colours)),
          "",
        ];
  });
  const wrong = results.filter(({ right }) => !right).length;
  const left = results.filter(({ leftOut }) => leftOut).length;
  const folded = results.filter(({ cause }) => cause !== undefined).length;
  const note = folded === 0 ? "" : `, ${folded} of them in consequence`;
  const unseen = left === 0 ? "" : `, ${left} not looked at`;
  return [...lines, `${results.length - wrong - left} right, ${wrong} wrong${note}${unseen}`].join("\n");
}

/** What a wrong line brings with it, in a line instead of a page. */
function consequences({ right, about }: CheckResult, results: readonly CheckResult[]): string[] {
  const following = results.filter(({ cause }) => !right && cause === about);
  if (following.length === 0) return [];
  const where = [...new Set(following.map(({ group }) => group))].join(", ");
  const lines = following.length === 1 ? "1 other line follows" : `${following.length} other lines follow`;
  return [`${lines} from this (${where}). Mend it, then check again.`];
}

/** One line of the result, below it what to do and what else follows from it. */
export function resultLines(result: CheckResult, following: readonly string[], colours: boolean): string[] {
  if (result.leftOut) return [`  ${paint(33, "–", colours)} not looked at: ${result.text}`];
  return result.right
    ? [`  ${paint(32, "✓", colours)} ${result.text}`]
    : [
        `  ${paint(31, "✗ WRONG:", colours)} ${result.text}`,
        ...(result.remedy === undefined ? [] : [`      → ${result.remedy}`]),
        ...following.map((line) => `      ${line}`),
      ];
}

function paint(code: number, text: string, colours: boolean): string {
  return colours ? `\x1b[${code}m${text}\x1b[0m` : text;
}
