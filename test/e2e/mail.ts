/** Mail as people send and read it, against the host of the shared local cloud. */

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { connectImap } from "../../check/imap.ts";
import { type OtherSide, otherSideAt, type ReceivedMessage } from "../../check/otherside.ts";
import { ask, authoritiesOf, reverseName, valuesOf } from "../../dns/client.ts";
import { askAnew, cloudInfo, publish, stackOutput } from "./mailhost.ts";

/** One look at the stack: addresses and passwords as they are now. */
export interface MailHost {
  readonly hostname: string;
  readonly publicIp: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly roots: readonly string[];
}

export async function mailHost(): Promise<MailHost> {
  const outputs = await stackOutput();
  return { ...(outputs as unknown as Omit<MailHost, "roots">), roots: [cloudInfo().issuerCa] };
}

export interface Letter {
  /** Envelope sender. */
  readonly from: string;
  /** Whose password. @default from */
  readonly login?: string;
  readonly to: string | readonly string[];
  readonly subject?: string;
  readonly text?: string;
  /** Header From, where it is not the envelope's. */
  readonly headerFrom?: string;
  readonly port?: 465 | 587;
  /** A whole message, header and body, instead of one made of the fields above. */
  readonly raw?: string;
}

/** A subject that no other message has. */
export function unique(what: string): string {
  return `${what} ${process.pid}-${Date.now()}`;
}

/** Submits with the sender's login. @returns Message-ID with brackets, and the server's word. @throws its refusal */
export async function submit(
  host: MailHost,
  letter: Letter,
): Promise<{ messageId: string; response: string }> {
  const port = letter.port ?? 465;
  const login = letter.login ?? letter.from;
  const transport = createTransport({
    host: host.publicIp,
    port,
    secure: port === 465,
    requireTLS: true,
    name: "client.invalid",
    auth: { user: login, pass: host.credentials[login] ?? "" },
    tls: { servername: host.hostname, ca: [...host.roots] },
  });
  try {
    const sent = await transport.sendMail({
      envelope: { from: letter.from, to: [letter.to].flat() as string[] },
      from: letter.headerFrom ?? letter.from,
      to: [letter.to].flat() as string[],
      subject: letter.subject ?? "A letter",
      text: letter.text ?? "Words.\n",
      ...(letter.raw !== undefined && { raw: letter.raw }),
    });
    return { messageId: sent.messageId, response: sent.response };
  } finally {
    transport.close();
  }
}

export function imap(
  host: MailHost,
  address: string,
  password = host.credentials[address] ?? "",
): Promise<ImapFlow> {
  return connectImap(
    { address: host.publicIp, port: 993, name: host.hostname, roots: host.roots },
    { address, password },
  );
}

/** How many messages of this subject lie in a folder; waits until there are `expected`. */
export async function count(
  host: MailHost,
  address: string,
  subject: string,
  options: {
    readonly folder?: string;
    readonly expected?: number;
    readonly seconds?: number;
    /** @default the stack's */
    readonly password?: string;
  } = {},
): Promise<number> {
  const { folder = "INBOX", expected = 1, seconds = 30 } = options;
  const client = await imap(host, address, options.password);
  try {
    await client.mailboxOpen(folder);
    const end = Date.now() + seconds * 1000;
    for (;;) {
      await client.noop();
      const found = (await client.search({ subject }, { uid: true })) || [];
      if (found.length >= expected || Date.now() > end) return found.length;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await client.logout();
  }
}

/** What the world finds as a domain's mail servers, by its nameservers' own word: `10 mail.example.org`. */
export async function mxOf(domain: string): Promise<readonly string[]> {
  const { resolver } = cloudInfo();
  const [authority = ""] = await authoritiesOf(domain, resolver);
  return valuesOf((await ask(authority, domain, "MX", { recursion: false })).answers);
}

/** A message as it lies in Inbox or Junk of a mailbox. @throws where it has not come in 20 seconds */
export async function received(host: MailHost, address: string, subject: string): Promise<string> {
  const client = await imap(host, address);
  try {
    for (const end = Date.now() + 20_000; Date.now() < end; ) {
      for (const folder of ["INBOX", "Junk"]) {
        await client.mailboxOpen(folder);
        const [uid] = (await client.search({ subject }, { uid: true })) || [];
        const found = uid && (await client.fetchOne(String(uid), { source: true }, { uid: true }));
        if (found) return (found.source ?? "").toString();
      }
    }
    throw new Error(`${subject} did not come`);
  } finally {
    await client.logout();
  }
}

export function otherSide(): Promise<OtherSide> {
  return otherSideAt(cloudInfo().peer.api);
}

/** A message as it came to the other side, to the letter. */
export async function asItCame({ id }: Pick<ReceivedMessage, "id">): Promise<string> {
  const asked = get({ socketPath: cloudInfo().peer.api, path: `/messages/${id}/raw` });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return await text(answer);
}

/** Puts the other side's address on a list in the DNS, or takes it off, without an answer; the host asks again. */
export async function listed(zone: string, ...answers: readonly string[]): Promise<void> {
  const reversed = reverseName(cloudInfo().peer.address).replace(/\.in-addr\.arpa$/, "");
  await publish(`${reversed}.${zone}`, ...answers);
  await askAnew(zone.slice(zone.indexOf(".") + 1));
}
