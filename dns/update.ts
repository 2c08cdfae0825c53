/** Dynamic updates (RFC 2136), signed with a key that server and client share (TSIG, RFC 8945). */
import { createHmac, randomInt, timingSafeEqual } from "node:crypto";
import { connect } from "node:net";
import { type Answer, encode, type RecordType } from "dns-packet";

/** A key that a nameserver knows, too. */
export interface TsigKey {
  /** As the server calls it. */
  readonly name: string;
  readonly algorithm: "hmac-sha256" | "hmac-sha384" | "hmac-sha512";
  /** Base64. */
  readonly secret: string;
}

export interface Update {
  /** Name or address. */
  readonly server: string;
  readonly port: number;
  readonly zone: string;
  readonly key: TsigKey;
  /** Sets that have to be exactly so, or nothing is done. */
  readonly expected: readonly ExpectedSet[];
  readonly remove: readonly Answer[];
  /** With their times to live. */
  readonly add: readonly Answer[];
}

export interface ExpectedSet {
  readonly name: string;
  readonly type: RecordType;
  /** Every record of it; none: there is no such set; `any`: there is one, whatever it says. */
  readonly records: readonly Answer[] | "any";
}

/** Class and header values of RFC 1035, RFC 2136 and RFC 8945. */
const [IN, NONE, ANY] = [1, 254, 255];
const UPDATE = 5 << 11;
const TSIG = 250;
/** Seconds by which two clocks may differ (RFC 8945 section 10). */
const fudge = 300;
/** Milliseconds for an answer. */
const patience = 10_000;

const rcodes: readonly string[] = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
  "NOTAUTH",
  "NOTZONE",
];
const tsigErrors: Readonly<Record<number, string>> = {
  16: "BADSIG: the secret is another",
  17: "BADKEY: it does not know the key, or not with this algorithm",
  18: "BADTIME: its clock and this machine's differ by more than five minutes",
};

/**
 * Changes a zone in one step, or not at all.
 *
 * @returns false where a set is not as expected any more; then nothing was changed
 * @throws where the server refuses, does not answer, or somebody else does
 */
export async function update(wanted: Update): Promise<boolean> {
  const { server, port, zone, key } = wanted;
  const label = `${server}${port === 53 ? "" : `:${port}`} was asked to change ${zone}`;
  const question = message(wanted);
  const { bytes, mac } = signed(question, key);
  const answer = await byTcp(server, port, bytes).catch((error: Error) => {
    throw new Error(`${label}: ${error.message}`);
  });
  const { rcode, error } = verified(answer, key, question.readUInt16BE(0), mac, label);
  if (error !== 0)
    throw new Error(`${label} with the key ${key.name}: ${tsigErrors[error] ?? `TSIG error ${error}`}`);
  const said = rcodes[rcode] ?? `code ${rcode}`;
  if (said === "YXRRSET" || said === "NXRRSET") return false;
  if (said !== "NOERROR") throw new Error(`${label} with the key ${key.name}, and answers ${said}`);
  return true;
}

/** RFC 2136 section 2. */
function message({ zone, expected, remove, add }: Update): Buffer {
  const prerequisites = expected.flatMap(({ name, type, records }) => {
    if (records === "any") return [emptySet(name, type, ANY)];
    return records.length === 0 ? [emptySet(name, type, NONE)] : records.map((each) => record(each, IN, 0));
  });
  const changes = [
    ...remove.map((each) => record(each, NONE, 0)),
    ...add.map((each) => record(each, IN, each.type === "OPT" ? 0 : (each.ttl ?? 0))),
  ];
  const header = Buffer.alloc(12);
  const counts = [randomInt(0x10000), UPDATE, 1, prerequisites.length, changes.length, 0];
  for (const [index, count] of counts.entries()) header.writeUInt16BE(count, index * 2);
  return Buffer.concat([header, question(zone, "SOA"), ...prerequisites, ...changes]);
}

/** Name, type and class IN. */
function question(name: string, type: RecordType): Buffer {
  return encode({ type: "query", questions: [{ name, type }] }).subarray(12);
}

function record(answer: Answer, recordClass: number, ttl: number): Buffer {
  const bytes = encode({ type: "query", answers: [answer] }).subarray(12);
  const at = endOfName(bytes, 0);
  bytes.writeUInt16BE(recordClass, at + 2);
  bytes.writeUInt32BE(ttl, at + 4);
  return bytes;
}

/** Stands for a whole set in a prerequisite. */
function emptySet(name: string, type: RecordType, recordClass: number): Buffer {
  const bytes = question(name, type);
  bytes.writeUInt16BE(recordClass, bytes.length - 2);
  return Buffer.concat([bytes, Buffer.alloc(6)]);
}

function wireName(name: string): Buffer {
  return question(name.toLowerCase(), "A").subarray(0, -4);
}

/** The message with its signature, a last record (RFC 8945 section 4.2), and the signature's bytes. */
function signed(bytes: Buffer, key: TsigKey): { readonly bytes: Buffer; readonly mac: Buffer } {
  const time = Math.floor(Date.now() / 1000);
  const mac = macOf(key, [bytes, variables(key, clock(time), 0, Buffer.of())]);
  const data = Buffer.concat([
    wireName(key.algorithm),
    clock(time),
    numbers(mac.length),
    mac,
    bytes.subarray(0, 2),
    numbers(0, 0),
  ]);
  const counted = Buffer.from(bytes);
  counted.writeUInt16BE(1, 10);
  const head = Buffer.concat([wireName(key.name), numbers(TSIG, ANY, 0, 0, data.length)]);
  return { bytes: Buffer.concat([counted, head, data]), mac };
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(algorithm.replace("hmac-", ""), Buffer.from(secret, "base64"));
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** What is signed beside the message (RFC 8945 section 4.3.3). */
function variables({ name, algorithm }: TsigKey, signedAt: Buffer, error: number, other: Buffer): Buffer {
  return Buffer.concat([
    wireName(name),
    numbers(ANY, 0, 0),
    wireName(algorithm),
    signedAt,
    numbers(error, other.length),
    other,
  ]);
}

/** Time in 48 bits, and how far it may be off. */
function clock(time: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(time, 0, 6);
  bytes.writeUInt16BE(fudge, 6);
  return bytes;
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

/**
 * What the server has answered, when it was the server: the signature covers the question's own (RFC 8945 section 5.3).
 * @throws where it was not
 */
function verified(
  bytes: Buffer,
  key: TsigKey,
  id: number,
  mac: Buffer,
  label: string,
): { readonly rcode: number; readonly error: number } {
  const stranger = new Error(`${label}, and what answers does not sign with the key ${key.name}`);
  try {
    const rcode = bytes.readUInt16BE(2) & 15;
    const at = lastRecord(bytes);
    if (bytes.readUInt16BE(0) !== id) throw stranger;
    // A server that does not know the zone, or no such thing as an update, may say so before it looks at the key.
    if (at === undefined) {
      if (rcode === 0) throw stranger;
      return { rcode, error: 0 };
    }
    const fixed = endOfName(bytes, at);
    const data = endOfName(bytes, fixed + 10);
    const macLength = bytes.readUInt16BE(data + 8);
    const rest = data + 10 + macLength;
    const error = bytes.readUInt16BE(rest + 2);
    // There is none where it does not know the key, or has found another signature than ours.
    if (macLength === 0) {
      if (error === 0) throw stranger;
      return { rcode, error };
    }
    const unsigned = Buffer.from(bytes.subarray(0, at));
    unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
    bytes.copy(unsigned, 0, rest, rest + 2);
    const expected = macOf(key, [
      numbers(mac.length),
      mac,
      unsigned,
      variables(key, bytes.subarray(data, data + 8), error, bytes.subarray(rest + 6)),
    ]);
    if (expected.length !== macLength || !timingSafeEqual(expected, bytes.subarray(data + 10, rest)))
      throw stranger;
    return { rcode, error };
  } catch (error) {
    throw error instanceof RangeError ? stranger : error;
  }
}

/** Where the last record of a message begins, when it is a signature. */
function lastRecord(bytes: Buffer): number | undefined {
  let at = 12;
  for (let left = bytes.readUInt16BE(4); left > 0; left--) at = endOfName(bytes, at) + 4;
  const records = [6, 8, 10].reduce((sum, count) => sum + bytes.readUInt16BE(count), 0);
  let start: number | undefined;
  for (let left = records; left > 0; left--) {
    start = at;
    const fixed = endOfName(bytes, at);
    at = fixed + 10 + bytes.readUInt16BE(fixed + 8);
  }
  return start !== undefined && bytes.readUInt16BE(endOfName(bytes, start)) === TSIG ? start : undefined;
}

/** After a name, whole or led on to another place (RFC 1035 section 4.1.4). @throws RangeError where the message ends in it */
function endOfName(bytes: Buffer, start: number): number {
  for (let at = start; ; ) {
    const length = bytes.readUInt8(at);
    if (length >= 0xc0) return at + 2;
    at += length + 1;
    if (length === 0) return at;
  }
}

function byTcp(host: string, port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const parts: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(new Error("no answer by TCP")), patience);
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(new Error("the answer by TCP ends early"));
    });
    socket.on("connect", () => socket.write(Buffer.concat([numbers(bytes.length), bytes])));
    socket.on("data", (part) => {
      parts.push(part);
      const all = Buffer.concat(parts);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      resolve(all.subarray(2, 2 + all.readUInt16BE(0)));
      socket.destroy();
    });
  });
}

/** A record of a value as `valuesOf` (client.ts) writes it. */
export function recordOf(name: string, type: string, ttl: number, value: string): Answer {
  const words = value.split(" ");
  const [first = "", second = "", third = "", fourth = ""] = words;
  switch (type) {
    case "A":
    case "AAAA":
      return { name, type, ttl, data: value };
    case "MX":
      return { name, type, ttl, data: { preference: Number(first), exchange: second } };
    case "SRV":
      return {
        name,
        type,
        ttl,
        data: { priority: Number(first), weight: Number(second), port: Number(third), target: fourth },
      };
    case "TLSA":
      return {
        name,
        type,
        ttl,
        data: {
          usage: Number(first),
          selector: Number(second),
          matchingType: Number(third),
          certificate: Buffer.from(fourth, "hex"),
        },
      };
    case "CAA":
      return {
        name,
        type,
        ttl,
        data: {
          flags: Number(first),
          tag: second as "issue",
          value: words.slice(2).join(" ").replace(/^"|"$/g, ""),
        },
      };
    case "TXT": {
      const bytes = Buffer.from(value, "utf8");
      const count = Math.max(1, Math.ceil(bytes.length / 255));
      const data = Array.from({ length: count }, (_, index) =>
        bytes.subarray(index * 255, (index + 1) * 255),
      );
      return { name, type, ttl, data };
    }
    default:
      throw new Error(`${type} records are not known here`);
  }
}
