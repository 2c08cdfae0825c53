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

/** The text of a TXT record, of zone-file text or as some providers have it: without quotes. */
export function plainTxt(written: string): string {
  if (!written.startsWith('"')) return written;
  const strings = [...written.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inner = ""]) => inner);
  const bytes = Buffer.from(strings.join(""), "utf8")
    .toString("latin1")
    .replace(/\\(\d{3}|.)/g, (_, escaped: string) =>
      escaped.length === 3 ? String.fromCharCode(Number(escaped)) : escaped,
    );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function escaped(byte: number): string {
  if (byte < 0x20 || byte > 0x7e) return `\\${String(byte).padStart(3, "0")}`;
  const character = String.fromCharCode(byte);
  return character === '"' || character === "\\" ? `\\${character}` : character;
}
