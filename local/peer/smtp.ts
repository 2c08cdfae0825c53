import type { Resolver } from "node:dns/promises";
import { simpleParser } from "mailparser";
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerSession,
} from "smtp-server";
import { judge } from "../../check/judge.ts";
import { reverseName } from "../../dns/client.ts";
import type { Identity } from "./identity.ts";
import { type Manners, type Occasion, Refusal } from "./manner.ts";
import { bareMessageId, type MessageStore } from "./store.ts";

type Callback = (error?: Error | null, text?: string) => void;

/** The receiving half: takes mail for every user of its domain, judges and keeps it. */
export function smtpServer(
  identity: Identity,
  resolver: Resolver,
  store: MessageStore,
  manners: Manners,
): SMTPServer {
  const server = new SMTPServer({
    name: identity.hostname,
    banner: "the other side",
    key: identity.tls.key,
    cert: identity.tls.cert,
    minVersion: "TLSv1.2",
    size: 50 * 1024 * 1024,
    disabledCommands: ["AUTH"],
    // The PTR is asked of the world's own resolver below; node's reverse lookup reads /etc/hosts first.
    disableReverseLookup: true,
    socketTimeout: 120_000,
    closeTimeout: 500,
    onConnect: (session, done: Callback) => meet("connect", session, [], done),
    onMailFrom: (_address, session, done: Callback) => meet("mail", session, [], done),
    onRcptTo(recipient, session, done: Callback) {
      const [, domain = ""] = recipient.address.toLowerCase().split(/@(?=[^@]*$)/);
      // Of its own domain, and of what is below it.
      if (!`.${domain}`.endsWith(`.${identity.domain}`)) {
        done(new Refusal(554, `5.7.1 ${identity.hostname} takes mail for ${identity.domain} only`));
        return;
      }
      meet("rcpt", session, [recipient.address], done);
    },
    onData(stream, session, done: Callback) {
      receive(stream, session).then(
        (id) => done(null, `2.0.0 Taken as ${id}`),
        (error: Error) => finish(error, session, done),
      );
    },
  });

  function meet(at: Occasion["at"], session: SMTPServerSession, to: readonly string[], done: Callback) {
    const occasion = { at, client: session.remoteAddress, from: sender(session), to };
    manners.meet(occasion).then(
      (way) => (way === "drop" ? drop(session) : done()),
      (error: Error) => finish(error, session, done),
    );
  }

  function finish(error: Error, session: SMTPServerSession, done: Callback) {
    if (error === cut) {
      drop(session);
    } else if (error instanceof Refusal) {
      done(error);
    } else {
      console.error(`A message from ${session.remoteAddress} could not be judged: ${error.stack}`);
      done(new Refusal(451, `4.3.0 ${error.message}`));
    }
  }

  function drop(session: SMTPServerSession) {
    for (const connection of server.connections) {
      if (connection.session.id === session.id) {
        connection._socket.destroy();
      }
    }
  }

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of stream) {
      parts.push(part as Buffer);
    }
    if (stream.sizeExceeded) {
      throw new Refusal(552, "5.3.4 Too large");
    }
    const raw = Buffer.concat(parts);
    const to = session.envelope.rcptTo.map((recipient: SMTPServerAddress) => recipient.address);
    const from = sender(session);
    const client = session.remoteAddress;
    if ((await manners.meet({ at: "data", client, from, to })) === "drop") {
      throw cut;
    }
    const helo = session.hostNameAppearsAs;
    const [verdict, mail, ptr] = await Promise.all([
      judge(raw, { address: client, helo, sender: from }, identity.hostname, resolver),
      simpleParser(raw),
      resolver.resolvePtr(reverseName(client)).catch(() => []),
    ]);
    const cipher = session.tlsOptions;
    const kept = store.add(raw, {
      client: { address: client, ptr, helo },
      ...(cipher ? { tls: { version: cipher.version, cipher: cipher.standardName } } : {}),
      envelope: { from, to },
      messageId: bareMessageId(mail.messageId ?? ""),
      from: mail.from?.text ?? "",
      subject: mail.subject ?? "",
      text: mail.text ?? "",
      size: raw.length,
      verdict,
    });
    return kept.id;
  }

  server.on("error", (error) => console.error(`smtp: ${error.message}`));
  return server;
}

/** Says that the connection has to be cut without an answer. */
const cut = new Error("cut");

function sender(session: SMTPServerSession): string {
  return session.envelope.mailFrom ? session.envelope.mailFrom.address : "";
}
