/** OpenPGP public keys (RFC 9580) as far as a stack file needs them: that it is one, and whose it is. */

const advice = "write what `gpg --armor --export-options export-minimal --export ADDRESS` prints, after `|`";

/** Packet types (RFC 9580 section 5). */
const PUBLIC_KEY = 6;
const USER_ID = 13;
const secretPackets = [5, 7];

interface Packet {
  readonly type: number;
  readonly body: Buffer;
}

/** What is wrong with an armored public key, in words that do not repeat it. */
export function openpgpKeyMistake(armored: string): string | undefined {
  if (/-----BEGIN PGP PRIVATE KEY BLOCK-----/.test(armored))
    return `is a private key, which nobody else may ever have; ${advice}`;
  const packets = packetsOf(armored);
  if (packets?.[0]?.type !== PUBLIC_KEY) return `is no OpenPGP public key; ${advice}`;
  if (packets.some(({ type }) => secretPackets.includes(type)))
    return `has a private key in it, which nobody else may ever have; ${advice}`;
  if (packets.filter(({ type }) => type === PUBLIC_KEY).length > 1)
    return "holds several keys; write one for each address";
  return undefined;
}

/** Mail addresses in the key's user ids, lower case: a program takes a key for no other address. */
export function openpgpAddresses(armored: string): readonly string[] {
  return (packetsOf(armored) ?? [])
    .filter(({ type }) => type === USER_ID)
    .map(({ body }) => {
      const text = body.toString("utf8");
      return (/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).trim().toLowerCase();
    });
}

/** The binary form of an armored key, RFC 9580 section 6.2; undefined where it is none. */
export function openpgpBinary(armored: string): Buffer | undefined {
  const [, block = ""] =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\s*\n(?:\w[\w-]*: .*\n)*\s*([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/.exec(
      armored.replaceAll("\r\n", "\n"),
    ) ?? [];
  const base64 = block.replace(/^=[A-Za-z0-9+/]{4}\s*$/m, "").replace(/\s/g, "");
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, "base64") : undefined;
}

/** The packets of an armored key; undefined where they do not add up to its end. */
function packetsOf(armored: string): readonly Packet[] | undefined {
  // The armor's checksum is not needed: the packets would not add up.
  const bytes = openpgpBinary(armored);
  if (bytes === undefined) return undefined;
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = headerAt(bytes, at);
    if (header === undefined || header.end > bytes.length) return undefined;
    packets.push({ type: header.type, body: bytes.subarray(header.start, header.end) });
    at = header.end;
  }
  return packets;
}

/** RFC 9580 section 4.2, both forms; keys have no packets of partial or unknown length. */
function headerAt(bytes: Buffer, at: number) {
  const tag = bytes[at] ?? 0;
  if ((tag & 0x80) === 0) return undefined;
  const uint = (offset: number, size: number) =>
    offset + size <= bytes.length ? bytes.readUIntBE(offset, size) : Number.POSITIVE_INFINITY;
  const of = (type: number, start: number, length: number) => ({ type, start, end: start + length });
  if ((tag & 0x40) === 0) {
    const size = [1, 2, 4][tag & 3];
    return size === undefined ? undefined : of((tag >> 2) & 15, at + 1 + size, uint(at + 1, size));
  }
  const first = bytes[at + 1] ?? 255;
  if (first < 192) return of(tag & 63, at + 2, first);
  if (first < 224) return of(tag & 63, at + 3, ((first - 192) << 8) + uint(at + 2, 1) + 192);
  return first === 255 ? of(tag & 63, at + 6, uint(at + 2, 4)) : undefined;
}
