import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { RecordType } from "dns-packet";
import {
  type Answer,
  AUTHENTIC_DATA,
  decode,
  encode,
  type Packet,
  RECURSION_DESIRED,
  streamDecode,
  streamEncode,
} from "dns-packet";

export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`… */
  readonly rcode: string;
  /** The resolver validated it (RFC 4035 section 3.2.3). */
  readonly authenticated: boolean;
  readonly authoritative: boolean;
  /** RDATA of the asked type in zone-file form, aliases followed. */
  readonly rdata: readonly string[];
}

/** Asks one server one question over the wire. @throws after 5 s without an answer */
export async function ask(server: string, name: string, type: string): Promise<DnsAnswer> {
  const question: Packet = {
    type: "query",
    id: Math.floor(Math.random() * 65_536),
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name, type: type as RecordType }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  };
  let packet = await askUdp(server, question);
  if (packet.flag_tc) packet = await askTcp(server, question);
  return {
    rcode: (packet as { rcode?: string }).rcode ?? "NOERROR",
    authenticated: packet.flag_ad,
    authoritative: packet.flag_aa,
    rdata: (packet.answers ?? []).filter((answer) => answer.type === type).map(rdataText),
  };
}

function askUdp(server: string, question: Packet): Promise<ReturnType<typeof decode>> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const bytes = encode(question);
    const send = () => socket.send(bytes, 53, server);
    // A lost packet is sent again, as every resolver does.
    const again = setInterval(send, 1000);
    const patience = setTimeout(
      () => end(() => reject(new Error(`${server} does not answer DNS questions.`))),
      5000,
    );
    const end = (done: () => void) => {
      clearInterval(again);
      clearTimeout(patience);
      socket.close();
      done();
    };
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("message", (message) => {
      const packet = decode(message);
      if (packet.id === question.id) end(() => resolve(packet));
    });
    send();
  });
}

function askTcp(server: string, question: Packet): Promise<ReturnType<typeof decode>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server, port: 53, timeout: 5000 });
    let received = Buffer.alloc(0);
    socket.on("connect", () => socket.write(streamEncode(question)));
    socket.on("timeout", () => socket.destroy(new Error(`${server} does not answer DNS questions.`)));
    socket.on("error", reject);
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      if (received.length < 2 || received.length < received.readUInt16BE(0) + 2) return;
      resolve(streamDecode(received) as ReturnType<typeof decode>);
      socket.end();
    });
  });
}

function rdataText(answer: Answer): string {
  switch (answer.type) {
    case "A":
    case "AAAA":
      return answer.data;
    case "NS":
    case "CNAME":
    case "PTR":
      return `${answer.data}.`;
    case "MX":
      return `${answer.data.preference ?? 0} ${answer.data.exchange}.`;
    case "TXT":
      return [answer.data]
        .flat()
        .map((part) => `"${part.toString().replaceAll(/["\\]/g, "\\$&")}"`)
        .join(" ");
    case "DS":
      return `${answer.data.keyTag} ${answer.data.algorithm} ${answer.data.digestType} ${answer.data.digest.toString("hex")}`;
    case "TLSA":
      return `${answer.data.usage} ${answer.data.selector} ${answer.data.matchingType} ${answer.data.certificate.toString("hex")}`;
    default:
      return JSON.stringify("data" in answer ? answer.data : answer);
  }
}
