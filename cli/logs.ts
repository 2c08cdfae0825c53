/** `mailhost logs`: what becomes of mail, one line a message. */
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import { addressParts, emailAddress } from "../settings/names.ts";
import type { Settings } from "../settings/types.ts";
import type { SshConnection } from "../ssh/client.ts";
import { exitCodes, Failure } from "./failure.ts";
import { type Entry, journalCommand, readEntry } from "./messages/journal.ts";
import { type Message, Messages, mailboxOf } from "./messages/messages.ts";
import { messageLine } from "./messages/words.ts";
import { placeOf, type StackOption, withExamples, withJson, withStack } from "./options.ts";
import { cannotSay, onHost } from "./session.ts";
import { type Place, settingsAt } from "./stackFile/change.ts";

interface LogsOptions extends StackOption {
  readonly follow: boolean;
  readonly mailbox?: string;
  readonly since: string;
  readonly json: boolean;
}

/** So many milliseconds after its last line a message is told: its daemons do not speak all at once. */
const quiet = 1000;

export function addLogsCommand(program: Command, paths: () => CloudPaths): void {
  withExamples(
    withJson(withStack(program.command("logs")))
      .description("what became of mail: one line a message, from SMTP to the mailbox")
      .option("-f, --follow", "stays, and tells what comes; Ctrl-C ends it", false)
      .option("--mailbox <address>", "only what is from or for this address")
      .option("--since <time>", "from then on, as journalctl(1) takes it", "1 hour ago"),
    "mailhost logs -f",
    "mailhost logs --mailbox ann@example.org --since yesterday",
  ).action(exits(async (options: LogsOptions) => logs(placeOf(paths, options.stack), options)));
}

async function logs(place: Place, options: LogsOptions): Promise<number> {
  const { since, mailbox, json } = options;
  const unknown = mailbox === undefined ? undefined : strangerWords(await settingsAt(place), mailbox);
  const isWanted = (message: Message) =>
    isMail(message) && (mailbox === undefined || concerns(message, mailbox));
  return await onHost(place, async (session) => {
    if (options.follow) {
      if (unknown !== undefined) console.error(unknown);
      return await followed(session, options, isWanted);
    }
    const messages = new Messages();
    await entries(session, journalCommand({ since }), (entry) => messages.take(entry));
    const found = messages.all().filter(isWanted);
    if (found.length === 0 && unknown !== undefined) console.error(unknown);
    if (json) say(JSON.stringify(found, undefined, 2));
    else if (found.length === 0) say(`No mail${mailbox ? ` from or for ${mailbox}` : ""} since: ${since}`);
    else for (const message of found) say(messageLine(message));
    return 0;
  });
}

/**
 * What is to be said of an address that the stack does not have, though mail from or for it may be in the log: it can be
 * somebody else's, one that was refused, or of a mailbox that is removed.
 * @returns undefined where the stack has it, or its domain is not the stack's
 * @throws Failure where it is no address
 */
export function strangerWords({ domains }: Settings, address: string): string | undefined {
  const known = domains
    .flatMap(({ mailboxes, aliases }) => [...mailboxes, ...aliases])
    .map((one) => one.address);
  const there = `There are: ${known.join(", ") || "none"}.`;
  const whole = emailAddress(address);
  if (whole === undefined) {
    const meant = known.filter((one) => addressParts(one).local === address.toLowerCase());
    throw new Failure(
      meant.length === 0
        ? `${address} is no address, and no mailbox has this name. ${there}`
        : `${address} is no whole address. Write: --mailbox ${meant.join(" or --mailbox ")}`,
      exitCodes.usage,
    );
  }
  const wanted = mailboxOf(whole);
  const domain = domains.find(({ name }) => name === addressParts(wanted).domain);
  if (domain === undefined || domain.catchAll !== undefined) return undefined;
  return known.some((one) => mailboxOf(one) === wanted)
    ? undefined
    : `No mailbox and no alias of the stack has the address ${address}. ${there}`;
}

/** Tells each message when it has come to rest, until somebody ends it. @returns exit code 1: the host did */
async function followed(
  session: SshConnection,
  { since, json }: LogsOptions,
  isWanted: (message: Message) => boolean,
): Promise<number> {
  const messages = new Messages();
  const news = new Map<string | symbol, { readonly message: Message; readonly at: number }>();
  const tell = (before: number) => {
    for (const [name, { message: first, at }] of news) {
      if (at > before) continue;
      news.delete(name);
      // Dovecot may have spoken after Postfix.
      const message = messages.latest(first);
      if (isWanted(message)) say(json ? JSON.stringify(message) : messageLine(message));
      if (message.isOver) messages.forget(message);
    }
  };
  const timer = setInterval(() => tell(Date.now() - quiet), quiet / 4);
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(0));
  });
  const ended = entries(session, journalCommand({ since, follow: true }), (entry) => {
    const message = messages.take(entry);
    if (message !== undefined) news.set(message.queueIds[0] ?? Symbol(), { message, at: Date.now() });
  });
  // What is cut off by Ctrl-C is no failure.
  const code = await Promise.race([interrupted, ended.then(() => 1)]);
  clearInterval(timer);
  tell(Number.POSITIVE_INFINITY);
  if (code !== 0) console.error("The host has closed the connection.");
  else ended.catch(() => undefined);
  session.abandon();
  return code;
}

/** Hands over what the host's journal says, line by line. @throws Failure where it says nothing, with its reason */
export async function entries(
  session: SshConnection,
  command: string,
  take: (entry: Entry) => void,
): Promise<void> {
  const lines = new PassThrough();
  const read = (async () => {
    for await (const line of createInterface(lines)) {
      const entry = readEntry(line);
      if (entry !== undefined) take(entry);
    }
  })();
  const [{ code, stderr }] = await Promise.all([session.pour(command, lines, { root: true }), read]);
  if (/Failed to parse timestamp/.test(stderr)) {
    throw new Failure(
      "--since is no time. Write one as journalctl(1) takes it: '2 hours ago', yesterday, '2026-11-22 14:00'.",
    );
  }
  // journalctl ends with 1 where nothing matches.
  if (code > 1 || (code === 1 && stderr.trim() !== "")) throw cannotSay(code, stderr);
}

/** Whether it came to more than a beginning: who looks whether the host would take mail goes away before there is any. */
export function isMail({ isOver, from, deliveries, refusals }: Message): boolean {
  return !isOver || from !== undefined || deliveries.length + refusals.length > 0;
}

/** Whether a message is from or for somebody: by the address, that of an alias that led there, or the login. */
function concerns({ from, login, deliveries, refusals }: Message, address: string): boolean {
  const named = [
    from,
    login,
    ...deliveries.flatMap(({ to, asked }) => [to, asked]),
    ...refusals.map(({ to }) => to),
  ];
  const wanted = mailboxOf(address);
  return named.some((one) => one !== undefined && mailboxOf(one) === wanted);
}
