/** What changes between two texts, as `diff -u` shows it. */
import { secretKeys } from "../settings/plainSecrets.ts";

/** Unchanged lines around a change. */
const context = 3;

interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Lines with ` `, `-` or `+` before them, `…` where some are left out; nothing where nothing changes. Secrets are not shown. */
export function diffLines(before: string, after: string): string[] {
  const lines = compared(before.split("\n"), after.split("\n"));
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(({ mark }) => mark !== " "),
  );
  return lines.flatMap(({ mark, text }, index) => {
    if (isNear[index]) return [`${mark} ${hidden(text)}`.trimEnd()];
    return isNear[index - 1] && lines.some((_, later) => later > index && isNear[later]) ? ["…"] : [];
  });
}

/** A line of a stack file without what may be a secret in it. */
function hidden(line: string): string {
  const key = new RegExp(
    `\\b(${secretKeys.join("|")}):\\s+(?![{\\s#]|\\$\\{)(?:'[^']*'|"[^"]*"|[^\\s,}]+)`,
    "g",
  );
  return line.replace(key, "$1: (not shown)");
}

function compared(before: readonly string[], after: readonly string[]): Line[] {
  const differs = (index: number) => before[index] !== after[index] || index >= before.length;
  const least = Math.min(before.length, after.length);
  let start = 0;
  while (start < least && !differs(start)) start += 1;
  let end = 0;
  while (end < least - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const kept = (lines: readonly string[]) => lines.map((text): Line => ({ mark: " ", text }));
  return [
    ...kept(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...kept(before.slice(before.length - end)),
  ];
}

/** By the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): Line[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = lengths[i];
    if (row === undefined) continue;
    for (let j = after.length - 1; j >= 0; j -= 1)
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ mark: " ", text: old });
      [i, j] = [i + 1, j + 1];
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: "-", text: old });
      i += 1;
    } else {
      lines.push({ mark: "+", text: fresh ?? "" });
      j += 1;
    }
  }
  return lines;
}
