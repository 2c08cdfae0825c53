/** The host's journal, as far as it tells what becomes of mail. */
import { shellWord } from "../../plan/shell.ts";
import { shown } from "../../preview/hide.ts";

/** One line of the log. */
export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What the program calls itself: `postfix/smtpd`, `dovecot`, `rspamd`. */
  readonly program: string;
  /** In one line, and without what a terminal would obey: much of it is strangers' text. */
  readonly text: string;
}

/** Who may say it: journald notes unit and user by itself. Mail is deleted from a login, by a program that becomes Postfix's (postsuper(1)). */
const sources = [
  "_SYSTEMD_UNIT=postfix.service",
  "_SYSTEMD_UNIT=dovecot.service",
  "_SYSTEMD_UNIT=rspamd.service",
  "+",
  "SYSLOG_IDENTIFIER=postfix/postsuper",
  '_UID="$(id -u postfix)"',
];

/** Lines of which something is read: those of a message, by its queue id or none; of a delivery; of a verdict. */
const telling = "^[0-9A-Za-z]{6,20}: |^NOQUEUE: |^lmtp\\(|rspamd_task_write_log: ";

export interface JournalOptions {
  /** As journalctl(1) takes it: `2 hours ago`, `yesterday`, `2026-11-22 14:00`. */
  readonly since: string;
  /** Goes on with what comes. */
  readonly follow?: boolean;
}

/** What prints these lines on the host, one JSON object a line (systemd.journal-fields(7)). */
export function journalCommand({ since, follow = false }: JournalOptions): string {
  return [
    "journalctl -q --all -o json --output-fields=MESSAGE,SYSLOG_IDENTIFIER",
    `-g ${shellWord(telling)} --since ${shellWord(since)}`,
    ...(follow ? ["-f --no-tail"] : []),
    ...sources,
  ].join(" ");
}

/** The same of those that hold one of these words, letter by letter; empty where there is none. */
export function journalSearch(options: JournalOptions, words: readonly string[]): string {
  // A word as JSON has it.
  const patterns = words.map((word) => `-e ${shellWord(JSON.stringify(word).slice(1, -1))}`);
  return `${journalCommand(options)} | grep -aF ${patterns.join(" ")} || [ $? -eq 1 ]`;
}

/** @param line of `journalctl -o json`. @returns undefined where it is none, or was cut off */
export function readEntry(line: string): Entry | undefined {
  if (!line.startsWith("{")) return undefined;
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(line) as typeof fields;
  } catch {
    return undefined;
  }
  const { MESSAGE: message, SYSLOG_IDENTIFIER: program, __REALTIME_TIMESTAMP: at } = fields;
  // What is no clean text comes as numbers, byte by byte.
  const text = Array.isArray(message) ? Buffer.from(message as number[]).toString("utf8") : message;
  if (typeof text !== "string" || typeof program !== "string") return undefined;
  return { at: Number(at) / 1000, program, text: shown(text).replaceAll(/\s/g, " ") };
}
