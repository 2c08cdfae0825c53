/** The text as one word of a POSIX shell, whatever is in it (sh(1), "Single Quotes"). */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
