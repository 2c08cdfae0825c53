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
}

/**
 * Writes a tar anew as it comes.
 * @param from the tar, without compression of its own
 * @param path of the file to write, which only its owner may read
 * @throws where it is no tar, or ends in the middle
 */
export async function writePlainTar(from: Readable, path: string): Promise<Taken> {
  const file = openSync(path, "w", 0o600);
  let [messages, bytes] = [0, 0];
  try {
    await new Promise<void>((resolve, reject) => {
      const parser = new Parser({ strict: true });
      parser.on("entry", (entry) => {
        const chunks: Buffer[] = [];
        entry.on("data", (chunk: Buffer) => chunks.push(chunk));
        entry.on("end", () => {
          try {
            const isMessage = entry.type === "File" && /\/(cur|new)\/[^/]+$/.test(entry.path);
            const content = isMessage ? plain(Buffer.concat(chunks)) : Buffer.concat(chunks);
            if (isMessage) {
              messages += 1;
              bytes += content.length;
            }
            for (const part of tarEntry(entry, content)) writeSync(file, part);
          } catch (error) {
            reject(error);
          }
        });
      });
      parser.on("end", resolve);
      parser.on("error", reject);
      from.on("data", (chunk: Buffer) => parser.write(chunk));
      from.on("end", () => parser.end());
      from.on("error", reject);
    });
    // Two empty blocks are its end (tar(5)).
    writeSync(file, Buffer.alloc(2 * blockSize));
    return { messages, bytes };
  } finally {
    closeSync(file);
  }
}

function plain(content: Buffer): Buffer {
  if (content.subarray(0, zstd.length).equals(zstd)) return zstdDecompressSync(content, largest);
  if (content.subarray(0, gzip.length).equals(gzip)) return gunzipSync(content, largest);
  return content;
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
