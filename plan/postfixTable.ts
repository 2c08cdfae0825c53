/**
 * The text of a Postfix table for postmap(1): a comment, then a line for each key with its values. Not in columns: a
 * longer key would change every line, and hide in a preview the one that says where mail goes now.
 *
 * @param entries Keys and values without white space.
 */
export function postfixTable(
  comment: string,
  entries: readonly (readonly [key: string, values: readonly string[]])[],
): string {
  const lines = entries.map(([key, values]) => `${key} ${values.join(", ")}`);
  return [`# ${comment}`, ...lines, ""].join("\n");
}
