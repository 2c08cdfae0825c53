import { randomUUID } from "node:crypto";
import type { HostUnderCheck, Login } from "./host.ts";
import type { SmtpDialogue } from "./smtp.ts";

export interface TestMessage {
  /** Without brackets. */
  readonly messageId: string;
  readonly raw: string;
}

/** Messages that an item has on their way at once: with more the host has work for longer than one may take to come. */
export const messagesAtOnce = 5;

/** Where the host may have put a message. */
export const folders = ["INBOX", "Junk"] as const;

/** A small message that says what it is, for the case that it is left lying about. */
export function testMessage(
  from: string,
  to: string,
  text = "It is removed again by the check.\n",
): TestMessage {
  const messageId = `${randomUUID()}@${from.slice(from.indexOf("@") + 1)}`;
  const header = [
    `From: <${from}>`,
    `To: <${to}>`,
    "Subject: A test message of the mail host's check",
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${messageId}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=us-ascii",
  ];
  return { messageId, raw: `${header.join("\n")}\n\n${text}` };
}

/** Sends as a mail program does, with the mailbox's password. @throws what the server refused, in words */
export async function submit(host: HostUnderCheck, login: Login, to: string, raw: string): Promise<void> {
  const { at, reply } = await loggedIn(host, login, (smtp) => smtp.deliver(login.address, to, raw));
  if (at !== "message" || reply.code !== 250) {
    throw new Error(`a message from ${login.address} to ${to} was refused at ${at}: "${reply.text}"`);
  }
}

/** Brings a message to port 25 as other servers do, with the empty sender of a bounce. @returns where it ended, and how */
export async function bringToPort25(
  host: HostUnderCheck,
  to: string,
  raw: string,
): ReturnType<SmtpDialogue["deliver"]> {
  const smtp = await host.smtp("smtp");
  try {
    await smtp.ehlo();
    return await smtp.deliver("", to, raw);
  } finally {
    await smtp.quit();
  }
}

/** A conversation past the login: on port 465, or where many have logged in already on 587. @throws when the login is refused, in words */
export async function loggedIn<T>(
  host: HostUnderCheck,
  login: Login,
  work: (smtp: SmtpDialogue) => Promise<T>,
): Promise<T> {
  const port = await host.loginTurn();
  const smtp = await host.smtp(port);
  try {
    await smtp.ehlo();
    if (port === "submission") {
      await smtp.startTls();
      await smtp.ehlo();
    }
    const welcome = await smtp.login(login.address, login.password);
    if (welcome.code !== 235) {
      throw new Error(`${login.address} cannot log in to send: "${welcome.text}"`);
    }
    return await work(smtp);
  } finally {
    await smtp.quit();
  }
}

/** The first mailbox of each domain whose password is known. */
export function oneLoginForEachDomain(host: HostUnderCheck): readonly Login[] {
  return [...Map.groupBy(host.logins, ({ domain }) => domain).values()].flatMap((logins) =>
    logins.slice(0, 1),
  );
}

/** Domains of which no mailbox can be opened: all came with a hash of their own, or are suspended. */
export function domainsWithoutLogin(host: HostUnderCheck): readonly string[] {
  const known = new Set(host.logins.map(({ domain }) => domain));
  return host.domains.map(({ name }) => name).filter((name) => !known.has(name));
}

/** Takes away a test message that should not have come in; that it cannot is no news beside that it came. */
export async function removeFromMailbox(
  host: HostUnderCheck,
  login: Login,
  messageId: string,
): Promise<void> {
  try {
    const mailbox = await host.mailbox(login);
    try {
      await mailbox.waitFor(messageId, folders, 5);
      await mailbox.remove(messageId, folders);
    } finally {
      await mailbox.close();
    }
  } catch {
    // The mailbox does not open: `logins` says so.
  }
}
