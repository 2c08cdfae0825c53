import { type CheckResult, groups } from "./types.ts";

/** The result as people read it: groups of lines, each with a mark and, where wrong, a word and a remedy. */
export function report(results: readonly CheckResult[], colours: boolean): string {
  const paint = (code: number, text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const lines = groups.flatMap((group) => {
    const own = results.filter((result) => result.group === group);
    return own.length === 0
      ? []
      : [paint(1, group), ...own.flatMap((result) => resultLines(result, paint)), ""];
  });
  const wrong = results.filter(({ right }) => !right).length;
  return [...lines, `${results.length - wrong} right, ${wrong} wrong`].join("\n");
}

function resultLines(result: CheckResult, paint: (code: number, text: string) => string): string[] {
  return result.right
    ? [`  ${paint(32, "✓")} ${result.text}`]
    : [
        `  ${paint(31, "✗ WRONG:")} ${result.text}`,
        ...(result.remedy === undefined ? [] : [`      → ${result.remedy}`]),
      ];
}
