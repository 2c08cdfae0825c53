/**
 * The text of a Postfix table for postmap(1): a comment, then a line for each key with its values.
 *
 * @param entries Keys and values without white space.
 */
export function postfixTable(
  comment: string,
  entries: readonly (readonly [key: string, values: readonly string[]])[],
): string {
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  const lines = entries.map(([key, values]) => `${key.padEnd(width)} ${values.join(", ")}`);
  return [`# ${comment}`, ...lines, ""].join("\n");
}
