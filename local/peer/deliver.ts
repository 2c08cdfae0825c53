import { randomUUID } from "node:crypto";
import type { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import MailComposer from "nodemailer/lib/mail-composer";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { SendOrder, SendOutcome } from "../../check/otherside.ts";
import type { Identity } from "./identity.ts";
import { bareMessageId } from "./store.ts";

/** Builds the message, signs it, finds the MX, and speaks to it from the other side's own address. */
export async function deliver(
  order: SendOrder,
  identity: Identity,
  resolver: Resolver,
): Promise<SendOutcome> {
  const { raw, messageId } = await compose(order, identity);
  const wire = order.sign === false ? raw : await signed(raw, identity);
  return { ...(await passOn(wire, order, identity, resolver)), messageId };
}

/** Brings a message, as it is, to the MX of its recipient. */
export async function passOn(
  message: Buffer,
  order: SendOrder,
  identity: Identity,
  resolver: Resolver,
): Promise<Omit<SendOutcome, "messageId">> {
  const transcript: string[] = [];
  let last = `no mail server found for ${order.to}`;
  for (const server of await servers(order, resolver)) {
    const outcome = await speak(server, order, identity, message, transcript);
    if ("code" in outcome) {
      return { ...outcome, transcript };
    }
    last = outcome.trouble;
  }
  return { accepted: false, code: 0, response: last, server: "", transcript };
}

interface Server {
  readonly name: string;
  readonly address: string;
}

/** RFC 5321 section 5.1: MX by preference, else the domain's own address; a null MX (RFC 7505) is nobody. */
async function servers(order: SendOrder, resolver: Resolver): Promise<Server[]> {
  if (order.host !== undefined && isIP(order.host) !== 0) {
    return [{ name: order.host, address: order.host }];
  }
  const domain = order.host ?? order.to.slice(order.to.lastIndexOf("@") + 1);
  const exchanges = order.host === undefined ? await resolver.resolveMx(domain).catch(noRecord) : [];
  const names =
    exchanges.length === 0
      ? [domain]
      : exchanges
          .toSorted((one, other) => one.priority - other.priority)
          .map((mx) => mx.exchange)
          .filter((name) => name !== "");
  const found: Server[] = [];
  for (const name of names) {
    for (const address of await resolver.resolve4(name).catch(noRecord)) {
      found.push({ name, address });
    }
  }
  return found;
}

function noRecord(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENODATA" || error.code === "ENOTFOUND") {
    return [];
  }
  throw error;
}

type Spoken = Omit<SendOutcome, "messageId" | "transcript"> | { readonly trouble: string };

async function speak(
  server: Server,
  order: SendOrder,
  identity: Identity,
  message: Buffer,
  transcript: string[],
): Promise<Spoken> {
  const tls = order.tls ?? "opportunistic";
  const connection = new SMTPConnection({
    host: server.address,
    port: order.port ?? 25,
    name: order.helo ?? identity.hostname,
    ...(isIP(identity.address) === 4 ? { localAddress: identity.address } : {}),
    ignoreTLS: tls === "none",
    requireTLS: tls === "require",
    opportunisticTLS: tls === "opportunistic",
    // Between mail servers a certificate binds nobody without DANE or MTA-STS (RFC 7672 section 1.3).
    tls: { rejectUnauthorized: false, servername: isIP(server.name) === 0 ? server.name : "" },
    connectionTimeout: (order.timeout ?? 60) * 1000,
    greetingTimeout: (order.timeout ?? 60) * 1000,
    socketTimeout: (order.timeout ?? 60) * 1000,
    allowInternalNetworkInterfaces: true,
    transactionLog: true,
    logger: wireLog(transcript),
  });
  const label = `${server.name} [${server.address}]`;
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once("error", reject);
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    connection.close();
    const refused = error as SmtpTrouble;
    // A server that speaks (a 5xx greeting, say) has answered; one that is silent leaves the next one to try.
    return refused.responseCode === undefined
      ? { trouble: `${label}: ${refused.message}` }
      : { accepted: false, code: refused.responseCode, response: spokenBy(refused), server: label };
  }
  const socket = connection._socket;
  const encryption =
    socket instanceof TLSSocket
      ? { tls: { version: socket.getProtocol() ?? "", cipher: socket.getCipher().standardName } }
      : {};
  try {
    const sender = order.envelopeFrom ?? order.from;
    const answer = await new Promise<string>((resolve, reject) => {
      connection.once("error", reject);
      connection.send({ from: sender === "" ? false : sender, to: [order.to] }, message, (error, info) =>
        error ? reject(error) : resolve(info.response),
      );
    });
    return {
      accepted: true,
      code: Number(answer.slice(0, 3)),
      response: answer,
      server: label,
      ...encryption,
    };
  } catch (error) {
    const refused = error as SmtpTrouble;
    return {
      accepted: false,
      code: refused.responseCode ?? 0,
      response: spokenBy(refused),
      server: label,
      ...encryption,
    };
  } finally {
    connection.quit();
  }
}

interface SmtpTrouble extends Error {
  readonly responseCode?: number;
  readonly response?: string;
}

function spokenBy(error: SmtpTrouble): string {
  return error.response ?? error.message;
}

/** nodemailer's logger, of which only the lines on the wire are kept. */
function wireLog(transcript: string[]) {
  const note = (entry: unknown, text?: unknown, ...rest: unknown[]) => {
    const about = (entry as { tnx?: string }).tnx;
    if (about === "client" || about === "server") {
      const line = rest.length > 0 ? String(rest[0]) : String(text);
      transcript.push(`${about === "client" ? "C" : "S"}: ${line.trimEnd()}`);
    }
  };
  return { level() {}, trace: note, debug: note, info: note, warn: note, error: note, fatal: note };
}

async function compose(order: SendOrder, identity: Identity): Promise<{ raw: Buffer; messageId: string }> {
  if (order.raw !== undefined) {
    const raw = Buffer.from(order.raw.replace(/\r?\n/g, "\r\n"));
    const header = /^message-id:\s*(\S+)/im.exec(order.raw.split(/\r?\n\r?\n/, 1)[0] ?? "");
    return { raw, messageId: bareMessageId(header?.[1] ?? "") };
  }
  const messageId = `${randomUUID()}@${identity.hostname}`;
  const raw = await new MailComposer({
    from: order.from,
    to: order.to,
    subject: order.subject ?? "Hello",
    text: order.text ?? "Hello from the other side of the internet.\n",
    messageId: `<${messageId}>`,
  })
    .compile()
    .build();
  return { raw, messageId };
}

/** Both of the other side's signatures in front. */
async function signed(raw: Buffer, identity: Identity): Promise<Buffer> {
  const result = await dkimSign(raw, {
    signingDomain: identity.domain,
    selector: identity.dkim[0]?.selector ?? "",
    privateKey: "",
    signatureData: identity.dkim.map(({ selector, privateKey }) => ({
      signingDomain: identity.domain,
      selector,
      privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    })),
  });
  const failed = result.errors?.[0];
  if (failed !== undefined) {
    throw new Error(`The other side could not sign: ${JSON.stringify(failed)}`);
  }
  return Buffer.concat([Buffer.from(result.signatures), raw]);
}
