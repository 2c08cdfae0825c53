import { text } from "node:stream/consumers";
import { rootCertificates } from "node:tls";
import type { Command } from "commander";
import type { FetchMessageObject, ImapFlow, MailboxObject } from "imapflow";
import { type ParsedMail, simpleParser } from "mailparser";
import { createTransport } from "nodemailer";
import { type Credentials, connectImap } from "../check/imap.ts";
import type { OtherSide, ReceivedMessage, Verdict } from "../check/otherside.ts";
import { wholeNumber } from "./terminal.ts";

/** What trying a mailbox from the command line takes. */
export interface MailContext {
  /** The stack's outputs. @throws when the stack is not up */
  stack(): Promise<MailStack>;
  /** The stack's mailboxes that mail for an address ends up in. */
  receivers(address: string): Promise<readonly string[]>;
  /** PEM of roots beside the public ones. */
  trustedCas(): Promise<readonly string[]>;
  /** The other side of the internet. @throws when it is not there */
  otherSide(): Promise<OtherSide>;
}

export interface MailStack {
  readonly hostname: string;
  readonly publicIp: string;
  /** Passwords by mailbox address. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** Adds `send`, `read`, `receive` and `peer` to the command `mail`. */
export function addMailCommands(program: Command, context: MailContext): void {
  program
    .command("send")
    .description("send a message from a mailbox of the stack, as a mail program would")
    .requiredOption("--to <address...>", "anybody, for instance somebody at the other side")
    .option("--from <address>", "a mailbox of the stack (default: its first), or an alias of one")
    .option("--subject <text>", "subject", "Hello")
    .option("--text <text>", "the message; - for standard input", "Hello from the mail host.")
    .action(async (options: SendOptions) => console.log(await send(context, options)));

  program
    .command("read")
    .description("show what is in a mailbox of the stack: a list, and the newest message")
    .argument("[address]", "a mailbox of the stack (default: its first)")
    .option("--folder <name>", "IMAP folder", "INBOX")
    .option("--count <number>", "how many of the newest", wholeNumber(1000), 10)
    .option("--json", "everything as JSON", false)
    .option("--follow", "go on, and show each message as it comes", false)
    .action(async (address: string | undefined, options: ReadOptions) => {
      await read(context, address, options, (text) => console.log(text));
    });

  program
    .command("receive")
    .description("let the other side of the internet send a message to a mailbox of the stack")
    .requiredOption("--to <address>", "a mailbox or alias of the stack")
    .option("--from <address>", "an address of the other side")
    .option("--subject <text>", "subject", "Hello")
    .option("--text <text>", "the message", "Hello from the other side of the internet.")
    .action(async (options: ReceiveOptions) => console.log(await receive(context, options)));

  program
    .command("peer")
    .description("show what the other side of the internet got, and what it thinks of it")
    .option("--to <address>", "only for this recipient")
    .option("--json", "everything as JSON", false)
    .action(async (options: PeerOptions) => console.log(await peer(context, options)));
}

interface SendOptions {
  /** @default the stack's first mailbox */
  readonly from?: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** The message, or `-` for standard input. */
  readonly text: string;
}

/** @returns what the server said. @throws what it refused */
export async function send(context: MailContext, options: SendOptions): Promise<string> {
  const stack = await context.stack();
  const from = options.from ?? Object.keys(stack.credentials)[0] ?? "";
  const login = await senderOf(context, stack, from);
  const transport = createTransport({
    host: stack.publicIp,
    port: 465,
    secure: true,
    auth: { user: login.address, pass: login.password },
    tls: {
      servername: stack.hostname,
      ca: [...rootCertificates, ...(await context.trustedCas())],
    },
  });
  try {
    const body = options.text === "-" ? await text(process.stdin) : options.text;
    const { to, subject } = options;
    const sent = await transport.sendMail({ from, to: [...to], subject, text: body });
    const where = await Promise.all(to.map((address) => whereToSee(context, address)));
    return [sent.response, `Message-ID: ${sent.messageId}`, ...new Set(where.flat())].join("\n");
  } catch (error) {
    const { message, responseCode } = error as Error & { responseCode?: number };
    if (responseCode === undefined) throw error;
    throw new Error([message, ...(await noSuchPlace(context, options.to))].join("\n"));
  } finally {
    transport.close();
  }
}

/** What to write instead of addresses that the local cloud's small internet does not have. */
export async function noSuchPlace(context: MailContext, to: readonly string[]): Promise<string[]> {
  const where = await Promise.all(to.map((address) => whereToSee(context, address)));
  if (where.every((places) => places.length > 0)) return [];
  const { domain } = await context.otherSide();
  return [
    `There is no such place in the local cloud: write to somebody@${domain}, or to a mailbox of the host's.`,
  ];
}

/** Where a message can be looked at: in our own mailboxes, or at the other side. */
async function whereToSee(context: MailContext, address: string): Promise<string[]> {
  const mailboxes = await context.receivers(address);
  if (mailboxes.length > 0) return readCommands(mailboxes);
  const { domain } = await context.otherSide();
  return address.toLowerCase().endsWith(`@${domain}`)
    ? [`See what the other side thinks of it: npm run mail -- peer --to ${address}`]
    : [];
}

function readCommands(mailboxes: readonly string[]): string[] {
  return mailboxes.map((mailbox) => `Read it: npm run mail -- read ${mailbox}`);
}

interface ReadOptions {
  readonly folder: string;
  readonly count: number;
  readonly json: boolean;
  readonly follow: boolean;
}

/** Prints the list and the newest message; with `follow` it goes on until the process is ended. */
export async function read(
  context: MailContext,
  mailbox: string | undefined,
  options: ReadOptions,
  print: (text: string) => void,
): Promise<void> {
  const stack = await context.stack();
  const login = await loginOf(context, stack, mailbox);
  const client = await connectImap(
    {
      address: stack.publicIp,
      port: 993,
      name: stack.hostname,
      roots: [...rootCertificates, ...(await context.trustedCas())],
    },
    login,
  );
  try {
    const folder = await openFolder(client, login.address, options.folder);
    const first = Math.max(1, folder.exists - options.count + 1);
    const messages = folder.exists === 0 ? [] : await parsed(client, `${first}:*`);
    if (options.json) {
      print(JSON.stringify(messages.map(summary), undefined, 2));
    } else {
      print(
        `${options.folder} of ${login.address}: ${folder.exists === 1 ? "1 message" : `${folder.exists} messages`}`,
      );
      for (const { mail } of messages) {
        print(`  ${plain(line(mail))}`);
      }
      const newest = messages.at(-1);
      if (newest !== undefined) {
        print(`\n${whole(newest.mail)}`);
      }
    }
    if (options.follow) {
      await follow(client, folder.uidNext, options.json, print);
    }
  } finally {
    await client.logout().catch(() => client.close());
  }
}

/** @throws naming the folders that are there */
async function openFolder(client: ImapFlow, address: string, name: string): Promise<MailboxObject> {
  try {
    return await client.mailboxOpen(name, { readOnly: true });
  } catch (error) {
    const folders = (await client.list()).map(({ path }) => path);
    if (folders.includes(name)) throw error;
    throw new Error(`${address} has no folder ${name}. There are: ${folders.join(", ")}.`);
  }
}

/** Shows what comes, from this UID on, until the connection ends. */
async function follow(
  client: ImapFlow,
  uidNext: number,
  json: boolean,
  print: (text: string) => void,
): Promise<void> {
  let next = uidNext;
  for (;;) {
    // A range that ends in * always holds the last message, also one that was shown (RFC 3501 section 9).
    const fresh = (await parsed(client, `${next}:*`, true)).filter(({ uid }) => uid >= next);
    for (const message of fresh) {
      print(json ? JSON.stringify(summary(message)) : `\n${whole(message.mail)}`);
      next = message.uid + 1;
    }
    const came = new Promise((resolve) => client.once("exists", resolve));
    const ended = new Promise<never>((_resolve, reject) =>
      client.once("close", () => reject(new Error("The mail host closed the connection."))),
    );
    void client.idle();
    await Promise.race([came, ended]);
  }
}

interface Message {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly mail: ParsedMail;
}

async function parsed(client: ImapFlow, range: string, uid = false): Promise<Message[]> {
  const fetched = await client.fetchAll(range, { uid: true, flags: true, source: true }, { uid });
  return await Promise.all(
    fetched.map(async (message: FetchMessageObject) => ({
      uid: message.uid,
      flags: [...(message.flags ?? [])],
      mail: await simpleParser(message.source ?? Buffer.alloc(0)),
    })),
  );
}

function summary({ uid, flags, mail }: Message) {
  const results = [mail.headers.get("authentication-results") ?? []].flat().map(String);
  return {
    uid,
    flags,
    date: mail.date?.toISOString(),
    from: mail.from?.text ?? "",
    to: [mail.to ?? []].flat().map(({ text }) => text),
    subject: mail.subject ?? "",
    messageId: mail.messageId ?? "",
    authenticationResults: results,
    text: mail.text ?? "",
  };
}

function line(mail: ParsedMail): string {
  const date = mail.date?.toISOString().slice(0, 16).replace("T", " ") ?? "no date";
  return `${date}  ${mail.from?.text ?? "nobody"}  ${mail.subject ?? ""}`;
}

function whole(mail: ParsedMail): string {
  const head = [
    ["From", mail.from?.text ?? ""],
    [
      "To",
      [mail.to ?? []]
        .flat()
        .map(({ text }) => text)
        .join(", "),
    ],
    ["Date", mail.date?.toISOString() ?? ""],
    ["Subject", mail.subject ?? ""],
  ];
  return plain(`${head.map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${mail.text ?? ""}`);
}

/** Without the characters by which a stranger's text could steer a terminal. */
function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "�");
}

interface ReceiveOptions {
  readonly to: string;
  readonly from?: string;
  readonly subject: string;
  readonly text: string;
}

/** @returns what our host said to the other side. @throws when it did not take the message */
export async function receive(context: MailContext, options: ReceiveOptions): Promise<string> {
  const otherSide = await context.otherSide();
  const from = options.from ?? `someone@${otherSide.domain}`;
  const { to, subject, text } = options;
  const outcome = await otherSide.send({ from, to, subject, text: `${text}\n` });
  const said = `${from} sent to ${to} by ${outcome.server || "no server"}: ${outcome.response}`;
  if (!outcome.accepted) {
    throw new Error(said);
  }
  return [said, ...readCommands(await context.receivers(to))].join("\n");
}

interface PeerOptions {
  readonly to?: string;
  readonly json: boolean;
}

export async function peer(context: MailContext, options: PeerOptions): Promise<string> {
  const otherSide = await context.otherSide();
  const messages = await otherSide.messages(options.to === undefined ? {} : { to: options.to });
  if (options.json) {
    return JSON.stringify(messages, undefined, 2);
  }
  return messages.length === 0
    ? `Nothing has come to ${otherSide.domain} yet.`
    : messages.map(got).join("\n\n");
}

function got(message: ReceivedMessage): string {
  const { client, tls, envelope } = message;
  return plain(
    [
      `${message.at.slice(0, 19).replace("T", " ")}  ${envelope.from || "<>"} to ${envelope.to.join(", ")}: ${message.subject}`,
      `  from ${client.helo} [${client.address}], PTR ${client.ptr.join(", ") || "none"}, ${tls ? `${tls.version} ${tls.cipher}` : "unencrypted"}`,
      `  ${verdictLine(message.verdict)}`,
    ].join("\n"),
  );
}

function verdictLine({ spf, dkim, dmarc, arc }: Verdict): string {
  const signatures = dkim.map(
    ({ selector, algorithm, result }) => `DKIM ${[selector, algorithm].filter(Boolean).join(" ")} ${result}`,
  );
  return [`SPF ${spf.result}`, ...signatures, `DMARC ${dmarc.result}`, `ARC ${arc.result}`].join(", ");
}

/** Where a mailbox's password is, of which the stack has the hash alone, or which its user has changed. */
const ownPassword = () => process.env.MAILHOST_PASSWORD;

/** The mailbox itself, or one that gets the alias's mail: it may send as that (plan/users.ts). */
async function senderOf(context: MailContext, stack: MailStack, from: string): Promise<Credentials> {
  const isKnown = (address: string) => stack.credentials[address] !== undefined;
  const receivers = isKnown(from) || !from.includes("@") ? [] : await context.receivers(from);
  const meant = receivers.find((address) => isKnown(address) === (ownPassword() === undefined));
  return await loginOf(context, stack, meant ?? receivers[0] ?? from);
}

/** A mailbox and its password. @param wanted by default the stack's first */
async function loginOf(
  context: MailContext,
  stack: MailStack,
  wanted: string | undefined,
): Promise<Credentials> {
  // Those of devices are `<address>/<device>`.
  const known = Object.keys(stack.credentials).filter((name) => !name.includes("/"));
  const address = wanted ?? known[0] ?? "";
  const isKnown = known.includes(address);
  const receivers = isKnown || !address.includes("@") ? [] : await context.receivers(address);
  const password = ownPassword() ?? stack.credentials[address];
  if (password !== undefined && (isKnown || receivers.includes(address))) return { address, password };
  throw new Error(whyNoLogin(address, receivers, known));
}

function whyNoLogin(address: string, receivers: readonly string[], known: readonly string[]): string {
  const list = known.join(", ");
  if (address === "")
    return "Each mailbox's password is known to its owner alone: say which mailbox, by its address.";
  if (receivers.includes(address))
    return `The password of ${address} is known to its owner alone. Who knows it runs this first, and then the same again: read -rs MAILHOST_PASSWORD && export MAILHOST_PASSWORD`;
  if (receivers.length > 0)
    return `${address} is no mailbox: its mail goes to ${receivers.join(" and ")}. Write one of these.`;
  const alike = known.filter((one) => one.startsWith(`${address.toLowerCase()}@`));
  if (alike.length > 0) return `${address} is no whole address: write ${alike.join(" or ")}.`;
  return `There is no mailbox ${address} here.${list === "" ? "" : ` The stack has passwords of: ${list}.`}`;
}
