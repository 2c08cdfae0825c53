/** Small parts of sentences. Names stand between backticks, in every form that a preview is told in. */

/** A name as it stands: a mail address that is no link, a word that calls nobody. */
export function name(text: string): string {
  return `\`${text.replaceAll("`", "'").replaceAll(/\s+/g, " ")}\``;
}

/** `a`, `b` and `c`; of many, the first ones and how many more. */
export function names(all: readonly string[], most = 8): string {
  if (all.length > most) return `${all.slice(0, most).map(name).join(", ")} and ${all.length - most} more`;
  return and(all.map(name));
}

export function and(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** As the beginning of a sentence. */
export function capital(text: string): string {
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}`;
}

/** `1 line`, `3 lines`. */
export function count(number: number, thing: string): string {
  if (number === 1) return `1 ${thing}`;
  return `${number} ${/(x|s)$/.test(thing) ? `${thing}es` : thing.replace(/(?<=[^aeiou])y$/, "ie").concat("s")}`;
}

/** `the mailbox x`, or `3 mailboxes`. */
export function theOrCount(all: readonly string[], thing: string): string {
  const [first] = all;
  return all.length === 1 && first !== undefined ? `the ${thing} ${name(first)}` : count(all.length, thing);
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
