/** A mailbox as a tar that any mail server can read: Dovecot's compressed messages in it are made plain. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { Header, type HeaderData, Parser, Pax } from "tar";

/** How a compressed message begins (RFC 8878 section 3.1.1, RFC 1952 section 2.3.1): no header field does. */
const [zstd, gzip] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.from([0x1f, 0x8b])];

/** No message is larger; what grows beyond was made to. */
const largest = { maxOutputLength: 2 ** 30 };

const blockSize = 512;

export interface Taken {
  readonly messages: number;
  /** Of all of them, as they are read. */
  readonly bytes: number;
  /** Paths of messages that begin as if they were compressed, and are not: their bytes are as they were. */
  readonly broken: readonly string[];
}

/**
 * Writes a tar anew as it comes.
 * @param from the tar, without compression of its own
 * @param path of the file to write, which only its owner may read
 * @throws where it is no tar, or has no end: it was cut off, if only between two files
 */
export async function writePlainTar(from: Readable, path: string): Promise<Taken> {
  const file = openSync(path, "w", 0o600);
  let bytes = 0;
  const broken: string[] = [];
  /** Of each message, by its path: a copy in another folder is a link to it. */
  const sizes = new Map<string, number>();
  try {
    await new Promise<void>((resolve, reject) => {
      const parser = new Parser({ strict: true });
      let isWhole = false;
      parser.on("eof", () => {
        isWhole = true;
      });
      parser.on("entry", (entry) => {
        const chunks: Buffer[] = [];
        entry.on("data", (chunk: Buffer) => chunks.push(chunk));
        entry.on("end", () => {
          try {
            const isMessage = /\/(cur|new)\/[^/]+$/.test(entry.path);
            const packed = Buffer.concat(chunks);
            const plain = isMessage && entry.type === "File" ? plainOf(packed) : packed;
            if (plain === undefined) broken.push(entry.path);
            const content = plain ?? packed;
            const size =
              entry.type === "File"
                ? content.length
                : entry.type === "Link"
                  ? sizes.get(entry.linkpath ?? "")
                  : undefined;
            if (isMessage && size !== undefined) {
              sizes.set(entry.path, size);
              bytes += size;
            }
            for (const part of tarEntry(entry, content)) writeSync(file, part);
          } catch (error) {
            reject(error);
          }
        });
      });
      parser.on("end", () => (isWhole ? resolve() : reject(new Error("The tar ends in the middle."))));
      parser.on("error", reject);
      from.on("data", (chunk: Buffer) => parser.write(chunk));
      from.on("end", () => parser.end());
      from.on("error", reject);
    });
    // Two empty blocks are its end (tar(5)).
    writeSync(file, Buffer.alloc(2 * blockSize));
    return { messages: sizes.size, bytes, broken };
  } finally {
    closeSync(file);
  }
}

/** @returns undefined where it only looks compressed */
function plainOf(content: Buffer): Buffer | undefined {
  try {
    if (content.subarray(0, zstd.length).equals(zstd)) return zstdDecompressSync(content, largest);
    if (content.subarray(0, gzip.length).equals(gzip)) return gunzipSync(content, largest);
    return content;
  } catch {
    return undefined;
  }
}

/** One entry with another content; on another host its owner is who unpacks it. */
function tarEntry(entry: HeaderData, content: Buffer): readonly Buffer[] {
  const data: HeaderData = {
    ...(entry.path !== undefined && { path: entry.path }),
    ...(entry.type !== undefined && { type: entry.type }),
    ...(entry.linkpath !== undefined && { linkpath: entry.linkpath }),
    ...(entry.mtime !== undefined && { mtime: entry.mtime }),
    mode: entry.type === "Directory" ? 0o700 : 0o600,
    uid: 0,
    gid: 0,
    size: content.length,
  };
  const header = Buffer.alloc(blockSize);
  const isLong = new Header(data).encode(header);
  return [
    ...(isLong ? [new Pax(data).encode()] : []),
    header,
    content,
    Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize),
  ];
}
