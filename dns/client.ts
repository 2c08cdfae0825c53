import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import {
  type Answer,
  AUTHENTIC_DATA,
  CHECKING_DISABLED,
  type DecodedPacket,
  DNSSEC_OK,
  decode,
  encode,
  RECURSION_DESIRED,
  type RecordType,
  streamDecode,
  streamEncode,
} from "dns-packet";
import { turns } from "./turns.ts";

/** What a server said to one question. */
export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`… */
  readonly rcode: string;
  /** AA: it speaks for the zone itself. */
  readonly authoritative: boolean;
  /** AD: it validated the signatures from the root down (RFC 4035 section 3.2.3). */
  readonly authentic: boolean;
  /** Records of the asked type and name; CNAMEs on the way are left out. */
  readonly answers: readonly Answer[];
  /** NS records of a referral: where a server that is not responsible itself sends on to. */
  readonly referral: readonly Answer[];
  /** Addresses of such nameservers, that come along (glue). */
  readonly glue: readonly Answer[];
  /** Whether signatures (RRSIG) came with the answers. */
  readonly signed: boolean;
}

export interface AskOptions {
  /** RD. @default true */
  readonly recursion?: boolean;
  /** CD: what the resolver found is wanted also where its signatures are broken. @default false */
  readonly checkingDisabled?: boolean;
  /** DO: signatures are wanted, too. @default false */
  readonly signatures?: boolean;
  /** Milliseconds for one try; there are two by UDP, and one by TCP where the answer is cut off. @default 2000 */
  readonly timeout?: number;
}

/** Questions at once: each has a socket of its own, and servers slow down whoever asks very much. */
const inTurn = turns(64);

/** Size that passes everywhere without fragments (DNS flag day 2020). */
const udpSize = 1232;

/**
 * Asks one server one question over the wire.
 * @param server `address` or `address:port`, IPv6 with a port in brackets
 * @throws when it does not answer
 */
export async function ask(
  server: string,
  name: string,
  type: RecordType,
  options: AskOptions = {},
): Promise<DnsAnswer> {
  return await inTurn(() => askNow(server, name, type, options));
}

async function askNow(
  server: string,
  name: string,
  type: RecordType,
  options: AskOptions,
): Promise<DnsAnswer> {
  const { address, port } = splitServer(server);
  const timeout = options.timeout ?? 2000;
  const question = {
    type: "query" as const,
    id: randomInt(0x10000),
    // AD in a question asks for AD in the answer (RFC 6840 section 5.7).
    flags:
      (options.recursion === false ? 0 : RECURSION_DESIRED) |
      (options.checkingDisabled ? CHECKING_DISABLED : 0) |
      AUTHENTIC_DATA,
    questions: [{ type, name }],
    additionals: [
      {
        type: "OPT" as const,
        name: ".",
        udpPayloadSize: udpSize,
        flags: options.signatures === true ? DNSSEC_OK : 0,
        options: [],
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: options.signatures === true,
      },
    ],
  };
  const label = `${server} was asked for ${type} ${name}`;
  let reply: DecodedPacket;
  try {
    reply = await byUdp(address, port, encode(question), question.id, timeout).catch(() =>
      byUdp(address, port, encode(question), question.id, timeout),
    );
    if (reply.flag_tc) {
      reply = await byTcp(address, port, streamEncode(question), timeout);
    }
  } catch (error) {
    throw new Error(`${label}: ${(error as Error).message}`);
  }
  return {
    rcode: (reply as { rcode?: string }).rcode ?? "NOERROR",
    authoritative: reply.flag_aa,
    authentic: reply.flag_ad,
    answers: (reply.answers ?? []).filter((answer) => answer.type === type),
    referral: (reply.authorities ?? []).filter((answer) => answer.type === "NS"),
    glue: (reply.additionals ?? []).filter(({ type }) => type === "A" || type === "AAAA"),
    signed: (reply.answers ?? []).some((answer) => answer.type === "RRSIG"),
  };
}

function byUdp(
  address: string,
  port: number,
  packet: Buffer,
  id: number,
  timeout: number,
): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
    const timer = setTimeout(() => finish(() => reject(new Error("no answer"))), timeout);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("message", (bytes) => {
      // Anybody may answer with anything.
      let reply: DecodedPacket;
      try {
        reply = decode(bytes);
      } catch {
        finish(() => reject(new Error("an answer that is no DNS message")));
        return;
      }
      if (reply.id === id && reply.type === "response") {
        finish(() => resolve(reply));
      }
    });
    // Connected, so that only this server's packets come in and a closed port is an error at once.
    socket.connect(port, address, () => socket.send(packet));
  });
}

function byTcp(address: string, port: number, packet: Buffer, timeout: number): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const parts: Buffer[] = [];
    // In all: a server that sends a byte now and then holds nobody.
    const timer = setTimeout(() => socket.destroy(new Error("no answer by TCP")), timeout);
    socket.on("close", () => clearTimeout(timer));
    socket.on("error", reject);
    socket.on("connect", () => socket.write(packet));
    socket.on("data", (part) => {
      parts.push(part);
      const bytes = Buffer.concat(parts);
      if (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        socket.destroy();
        try {
          resolve(streamDecode(bytes) as DecodedPacket);
        } catch {
          reject(new Error("an answer by TCP that is no DNS message"));
        }
      }
    });
    socket.on("end", () => reject(new Error("the answer by TCP ends early")));
  });
}

/** A name's TXT records, as a resolver knows them. @throws where it does not answer, or says that something is wrong */
export function textsAt(resolver: string): (name: string) => Promise<readonly string[]> {
  return async (name) => {
    const { rcode, answers } = await ask(resolver, name, "TXT");
    if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") throw new Error(`TXT ${name} is answered ${rcode}`);
    return valuesOf(answers);
  };
}

/** Values of records as text: `192.0.2.1`, `10 mail.example.org`, `0 1 993 mail.example.org`, `3 1 1 5A…`, TXT strings joined; names without their last dot. */
export function valuesOf(answers: readonly Answer[]): string[] {
  return answers.map(recordValue).toSorted();
}

function recordValue(answer: Answer): string {
  switch (answer.type) {
    case "MX":
      return `${answer.data.preference ?? 0} ${hostOf(answer.data.exchange)}`;
    case "SRV": {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return `${priority} ${weight} ${port} ${hostOf(target)}`;
    }
    case "TXT":
      return [answer.data].flat().map(String).join("");
    case "NS":
    case "PTR":
    case "CNAME":
      return answer.data.replace(/\.$/, "");
    case "CAA":
      return `${answer.data.flags ?? 0} ${answer.data.tag} "${answer.data.value}"`;
    case "TLSA": {
      const { usage, selector, matchingType, certificate } = answer.data;
      return `${usage} ${selector} ${matchingType} ${certificate.toString("hex").toUpperCase()}`;
    }
    case "SOA":
      return String(answer.data.serial);
    case "DS": {
      const { keyTag, algorithm, digestType, digest } = answer.data;
      return `${keyTag} ${algorithm} ${digestType} ${digest.toString("hex").toUpperCase()}`;
    }
    case "A":
    case "AAAA":
      return answer.data;
    default:
      return JSON.stringify((answer as { data?: unknown }).data);
  }
}

/** Without its last dot; a lone one says that there is no host (RFC 7505, RFC 2782). */
function hostOf(name: string): string {
  return name === "." ? name : name.replace(/\.$/, "");
}

/** One question to one server, as `ask` does it. @throws when it does not answer */
export type Asking = (server: string, name: string, type: RecordType) => Promise<Pick<DnsAnswer, "answers">>;

/** Addresses of the servers that are responsible for a zone, found by asking a resolver. @throws when there are none */
export async function authoritiesOf(zone: string, resolver: string, asking: Asking = ask): Promise<string[]> {
  const names = valuesOf((await asking(resolver, zone, "NS")).answers);
  const addresses = await Promise.all(
    names.map(async (name) => {
      const v4 = valuesOf((await asking(resolver, name, "A")).answers);
      return v4.length > 0 ? v4 : valuesOf((await asking(resolver, name, "AAAA")).answers);
    }),
  );
  const found = [...new Set(addresses.flat())];
  if (found.length === 0) {
    throw new Error(`${resolver} knows no nameserver of ${zone}`);
  }
  return found;
}

/** `4.3.2.1.in-addr.arpa` and the like for IPv6 (RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  if (isIP(address) === 4) {
    return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  }
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = 8 - groups(head).length - groups(tail).length;
  const whole = [
    ...groups(head),
    ...Array<string>(address.includes("::") ? missing : 0).fill("0"),
    ...groups(tail),
  ];
  const nibbles = whole.map((group) => group.padStart(4, "0")).join("");
  return `${[...nibbles].reverse().join(".")}.ip6.arpa`;
}

/** A server's name or address and its port in one text, as `ask` takes it. */
export function serverText({ server, port }: { readonly server: string; readonly port: number }): string {
  return `${isIP(server) === 6 ? `[${server}]` : server}:${port}`;
}

function splitServer(server: string): { address: string; port: number } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(server);
  if (bracketed?.[1] !== undefined) {
    return { address: bracketed[1], port: Number(bracketed[2] ?? 53) };
  }
  if (isIP(server) === 6) {
    return { address: server, port: 53 };
  }
  const [address = "", port = "53"] = server.split(":");
  return { address, port: Number(port) };
}
