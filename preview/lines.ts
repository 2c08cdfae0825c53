import { diff } from "node:util";

/** A line of a difference: gone, new, or there to show the place. */
export interface Line {
  readonly sign: "-" | "+" | " ";
  readonly text: string;
}

/** More lines than this on one side are told as gone and come: to find the fewest takes time and memory with their square. */
const MOST_LINES = 3000;

const signs = { "-1": "+", "0": " ", "1": "-" } as const;

/** Every line of two texts, as gone, new or kept. A text that is empty has no line. */
export function allLines(before: string, after: string): readonly Line[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (
    end < Math.min(old.length, now.length) - start &&
    old[old.length - 1 - end] === now[now.length - 1 - end]
  )
    end++;
  const kept = (text: string): Line => ({ sign: " ", text });
  return [
    ...old.slice(0, start).map(kept),
    ...middle(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...old.slice(old.length - end).map(kept),
  ];
}

function middle(old: readonly string[], now: readonly string[]): readonly Line[] {
  if (old.length > MOST_LINES || now.length > MOST_LINES || old.length === 0 || now.length === 0) {
    return [
      ...old.map((text): Line => ({ sign: "-", text })),
      ...now.map((text): Line => ({ sign: "+", text })),
    ];
  }
  return diff(old, now).map(([sign, text]) => ({ sign: signs[String(sign) as keyof typeof signs], text }));
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** The lines that differ, each with what stands around it; `…` where some are left out. */
export function differences(before: string, after: string, around = 2): readonly Line[] {
  const lines = allLines(before, after);
  const near = new Set(
    lines.flatMap(({ sign }, index) =>
      sign === " " ? [] : Array.from({ length: 2 * around + 1 }, (_, step) => index - around + step),
    ),
  );
  return lines.flatMap((line, index) => {
    if (near.has(index)) return [line];
    return near.has(index - 1) && lines.slice(index).some(({ sign }) => sign !== " ")
      ? [{ sign: " ", text: "…" } as const]
      : [];
  });
}

/** How many lines are gone and new. */
export function counted(lines: readonly Line[]): { readonly gone: number; readonly come: number } {
  const count = (wanted: Line["sign"]) => lines.filter(({ sign }) => sign === wanted).length;
  return { gone: count("-"), come: count("+") };
}
