/** What changes between two texts, as `diff -u` shows it. */
import { type Document, isAlias, isMap, isScalar, type Node, parseDocument, visit } from "yaml";
import { secretKeys } from "../settings/plainSecrets.ts";

/** Unchanged lines around a change. */
const context = 3;

interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
  /** What is shown of it. */
  readonly shown: string;
}

/** A line, and what is shown of it. */
type Source = Omit<Line, "mark">;

/** Lines with ` `, `-` or `+` before them, `…` where some are left out; nothing where nothing changes. Secrets are not shown. */
export function diffLines(before: string, after: string): string[] {
  const lines = compared(sourceLines(before), sourceLines(after));
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(({ mark }) => mark !== " "),
  );
  return lines.flatMap(({ mark, shown }, index) => {
    if (isNear[index]) return [`${mark} ${shown}`.trimEnd()];
    return isNear[index - 1] && lines.some((_, later) => later > index && isNear[later]) ? ["…"] : [];
  });
}

const notShown = "(not shown)";

/** The lines of a stack file, and what they are without what may be a secret in them. */
function sourceLines(text: string): Source[] {
  const secrets = secretRanges(parseDocument(text, { uniqueKeys: false }));
  let start = 0;
  return text.split("\n").map((line) => {
    const from = start;
    start += line.length + 1;
    const shown = secrets.reduceRight((rest, [first, end]) => {
      const [left, right] = [Math.max(first - from, line.search(/\S|$/)), Math.min(end - from, line.length)];
      return right > left ? rest.slice(0, left) + notShown + rest.slice(right) : rest;
    }, line);
    return { text: line, shown: withoutRemarked(shown) };
  });
}

/** Where the values of the secret keys are, in whatever form they are written, from the first to the last. */
function secretRanges(document: Document): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  const add = (value: unknown) => {
    const node = isAlias(value) ? value.resolve(document) : (value as Node | null);
    const isHarmless = isMap(node) || (isScalar(node) && /^(\$\{[^}]*\})?$/.test(String(node.value ?? "")));
    if (node?.range && !isHarmless) ranges.push([node.range[0], node.range[1]]);
  };
  visit(document, {
    Pair: (_, { key, value }) => {
      if (isScalar(key) && secretKeys.includes(String(key.value))) add(value);
    },
  });
  return ranges.toSorted(([one], [other]) => one - other);
}

/** Without a secret that is in a comment, such as an older one. */
function withoutRemarked(line: string): string {
  const key = new RegExp(
    `(#.*\\b(?:${secretKeys.join("|")})["']?:\\s+)(?!\\$\\{|\\{|\\()(?:'[^']*'|"[^"]*"|[^\\s,}]+)`,
  );
  return line.replace(key, `$1${notShown}`);
}

function compared(before: readonly Source[], after: readonly Source[]): Line[] {
  const differs = (index: number) => before[index]?.text !== after[index]?.text || index >= before.length;
  const least = Math.min(before.length, after.length);
  let start = 0;
  while (start < least && !differs(start)) start += 1;
  let end = 0;
  while (end < least - start && before.at(-1 - end)?.text === after.at(-1 - end)?.text) end += 1;
  return [
    ...before.slice(0, start).map((old, index) => kept(old, after[index])),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map((old, index) => kept(old, after[after.length - end + index])),
  ];
}

/** Where a line around it has changed, the same line may be a secret on one side alone. */
function kept(old: Source, fresh: Source = old): Line {
  return { mark: " ", ...(fresh.shown === fresh.text ? old : fresh) };
}

/** By the longest common subsequence. */
function middle(before: readonly Source[], after: readonly Source[]): Line[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = lengths[i];
    if (row === undefined) continue;
    for (let j = after.length - 1; j >= 0; j -= 1)
      row[j] =
        before[i]?.text === after[j]?.text ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old.text === fresh?.text) {
      lines.push(kept(old, fresh));
      [i, j] = [i + 1, j + 1];
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: "-", ...old });
      i += 1;
    } else if (fresh !== undefined) {
      lines.push({ mark: "+", ...fresh });
      j += 1;
    }
  }
  return lines;
}
