/** Longest character-string of a TXT record, in bytes (RFC 1035 section 3.3). */
const LONGEST = 255;

/**
 * A TXT value as zone-file text: character-strings of at most 255 bytes in quotes, `"…" "…"`, with quotes,
 * backslashes and everything outside printable ASCII escaped (RFC 1035 section 5.1).
 */
export function quoteTxt(value: string): string {
  const bytes = Buffer.from(value, "utf8");
  const strings: string[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += LONGEST) {
    strings.push(`"${Array.from(bytes.subarray(start, start + LONGEST), escaped).join("")}"`);
  }
  return strings.join(" ");
}

function escaped(byte: number): string {
  if (byte < 0x20 || byte > 0x7e) return `\\${String(byte).padStart(3, "0")}`;
  const character = String.fromCharCode(byte);
  return character === '"' || character === "\\" ? `\\${character}` : character;
}

/** The value of such a text again: {@link quoteTxt} backwards. One without quotes is its own value. */
export function unquoteTxt(text: string): string {
  if (!text.startsWith('"')) return text;
  const strings = Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, string = ""]) => string);
  const bytes = strings
    .join("")
    .replaceAll(/\\(\d{3})|\\(.)/g, (_, code?: string, plain = "") =>
      code === undefined ? plain : String.fromCharCode(Number(code)),
    );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
