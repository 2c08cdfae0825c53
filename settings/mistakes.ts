/** Keys from the top of the `mailhost:` namespace down to a value; `aws:region` is the one of another namespace. */
export type Path = readonly (string | number)[];

export interface Mistake {
  readonly path: Path;
  /** "what is wrong; what to write instead". Never shows a value that may be secret. */
  readonly message: string;
  /** `mailboxes.yaml, line 12`: where it stands, if that is not the stack file itself. */
  readonly place?: string;
}

/** A stack file that cannot be used. The message has one line for each mistake in it. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    const lines = mistakes.map((mistake) => `  ${mistakeText(mistake)}`);
    const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
    super(`The stack file has ${count} in it. Nothing was touched.\n${lines.join("\n")}`);
    this.mistakes = mistakes;
  }
}

/** In one line: where it is, what is wrong, and what to write instead. */
export function mistakeText({ message, ...where }: Mistake): string {
  return `${whereText(where)}: ${message}`;
}

/** Where a mistake is, in words. */
export function whereText({ path, place }: Omit<Mistake, "message">): string {
  return place === undefined ? pathText(path) : `${pathText(path)} (${place})`;
}

/** The path as a reader of the stack file looks for it: `mailhost:domains.example.org.aliases.info[1]`. */
export function pathText(path: Path): string {
  const [first, ...rest] = path.map((key) => (typeof key === "number" ? `[${key}]` : keyText(key)));
  const top = path[0] === "aws:region" ? path[0] : `mailhost:${first ?? ""}`;
  return [top, ...rest.map((key) => (key.startsWith("[") ? key : `.${key}`))].join("");
}

/** A key as it stands in messages. Where a hash was written as a key, it is not shown. */
export function keyText(key: string): string {
  if (/[$]|^\{/.test(key)) return "(not shown)";
  return /^[^\s"\p{C}[\]:]+$/u.test(key) ? key : JSON.stringify(key);
}

/** The candidate that a misspelt word most likely meant, if there is one. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  return [...candidates]
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter((measured) => measured.distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** How many letters to put in, take out, change or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const change = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, change, swap));
    }
  }
  return at(a.length, b.length);
}
