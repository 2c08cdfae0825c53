import { text } from "node:stream/consumers";
import { ImapFlow } from "imapflow";
import { simpleParser } from "mailparser";
import { createTransport } from "nodemailer";
import { needCloud } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { Stack, type StackOutputs } from "../stack.ts";
import { say } from "../terminal.ts";
import type { CloudInfo } from "../types.ts";

export interface SendArgs {
  /** @default the stack's first mailbox */
  readonly from?: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** @default standard input, unless that is a terminal */
  readonly text?: string;
}

/** Sends as a mail program does: port 465, with the mailbox's password. */
export async function sendMail(paths: CloudPaths, args: SendArgs): Promise<void> {
  const { info, outputs } = await surroundings(paths);
  const { address, password } = login(outputs, args.from);
  const transport = createTransport({
    host: outputs.publicIp,
    port: 465,
    secure: true,
    auth: { user: address, pass: password },
    tls: { servername: outputs.hostname, ca: info.issuerCa },
  });
  try {
    const body =
      args.text ?? (process.stdin.isTTY ? "Hello from the local cloud.\n" : await text(process.stdin));
    const sent = await transport.sendMail({
      from: address,
      to: [...args.to],
      subject: args.subject,
      text: body,
    });
    say(`${sent.response} ${sent.messageId}`);
  } finally {
    transport.close();
  }
}

export interface ReadArgs {
  /** @default the stack's first mailbox */
  readonly address?: string;
  readonly folder: string;
  /** The newest so many. */
  readonly count: number;
  readonly json: boolean;
}

/** Shows the newest messages of a mailbox, over IMAPS; they stay unread. */
export async function readMail(paths: CloudPaths, args: ReadArgs): Promise<void> {
  const { info, outputs } = await surroundings(paths);
  const { address, password } = login(outputs, args.address);
  const client = new ImapFlow({
    host: outputs.publicIp,
    port: 993,
    secure: true,
    servername: outputs.hostname,
    tls: { ca: info.issuerCa },
    auth: { user: address, pass: password },
    logger: false,
  });
  await client.connect();
  try {
    const mailbox = await client.mailboxOpen(args.folder, { readOnly: true });
    const first = Math.max(1, mailbox.exists - args.count + 1);
    const messages = [];
    if (mailbox.exists > 0) {
      for await (const message of client.fetch(`${first}:*`, { source: true })) {
        const mail = await simpleParser(message.source ?? Buffer.alloc(0));
        messages.push({
          date: mail.date?.toISOString() ?? "",
          from: mail.from?.text ?? "",
          to: [mail.to ?? []]
            .flat()
            .map((each) => each.text)
            .join(", "),
          subject: mail.subject ?? "",
          messageId: mail.messageId ?? "",
          text: mail.text ?? "",
        });
      }
    }
    if (args.json) say(JSON.stringify(messages, undefined, 2));
    else if (messages.length === 0) say(`${address}: nothing in ${args.folder}.`);
    else {
      for (const { date, from, subject, text: body } of messages)
        say(`${date}  ${from}  ${subject}\n${indented(body)}`);
    }
  } finally {
    await client.logout();
  }
}

async function surroundings(paths: CloudPaths): Promise<{ info: CloudInfo; outputs: StackOutputs }> {
  const info = await needCloud(paths);
  const stack = await Stack.open(paths, info, say);
  return { info, outputs: await stack.outputs() };
}

function login(outputs: StackOutputs, wanted: string | undefined): { address: string; password: string } {
  const known = Object.keys(outputs.credentials);
  const address = wanted ?? known[0];
  const password = address === undefined ? undefined : outputs.credentials[address];
  if (address === undefined || password === undefined) {
    throw new Error(
      `No password is known for ${wanted ?? "any mailbox"}. There are: ${known.join(", ") || "none"}.`,
    );
  }
  return { address, password };
}

function indented(body: string): string {
  return body
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}\n`)
    .join("");
}
