/** `mailhost leave`: takes out all that a new host wants to have, and says what remains to be done. It takes nothing away. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import type { CloudPaths } from "../../local/paths.ts";
import type { StackOutputs } from "../../local/stack.ts";
import { exits, say } from "../../local/terminal.ts";
import { shellWord } from "../../plan/shell.ts";
import { zoneFile } from "../../plan/zoneFile.ts";
import { shown } from "../../preview/hide.ts";
import type { Settings } from "../../settings/types.ts";
import type { SshConnection } from "../../ssh/client.ts";
import { Failure } from "../failure.ts";
import { sizeText } from "../messages/words.ts";
import { calledFrom, placeOf, type StackOption, withExamples, withJson, withStack } from "../options.ts";
import { outputsOfHost } from "../outputs.ts";
import { answered, cannotSay, onHost } from "../session.ts";
import { settingsAt } from "../stackFile/change.ts";
import { type Taken, writePlainTar } from "./mailTar.ts";
import { leaveSteps } from "./steps.ts";

interface LeaveOptions extends StackOption {
  readonly to: string;
  readonly mail: boolean;
  readonly json: boolean;
}

interface Exported extends Taken {
  /** `ann@example.org`; of one that the stack has no more, too. */
  readonly mailbox: string;
  readonly file: string;
}

/** What Dovecot makes again: indexes, and what it searches in (files/etc/dovecot). People name their Sieve scripts as they like. */
const made = ["dovecot.index*", "dovecot.list.index*", "fts-flatcurve", "maildirsize", ".dovecot.svbin"];

/** Mail that is moved while it is read is read again, so often. */
const tries = 3;

export function addLeaveCommand(program: Command, paths: () => CloudPaths): void {
  withExamples(
    withJson(withStack(program.command("leave")))
      .description(
        "takes out all that a new host wants to have, and says how this one is taken down; takes nothing away itself",
      )
      .requiredOption("--to <folder>", "a new folder for it")
      .option("--no-mail", "all but the mail"),
    "mailhost leave --to ~/mail-of-example.org",
  ).action(
    exits(async (options: LeaveOptions) => {
      const { stack, json } = options;
      const place = placeOf(paths, stack);
      const folder = freeFolder(options.to);
      const [outputs, settings] = [await outputsOfHost(place), await settingsAt(place)];
      const steps = leaveSteps(stack, settings);
      const files = [...texts(outputs, settings), { name: "README.txt", text: `${steps.join("\n")}\n` }];
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const { name, text } of files) {
        mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
        writeFileSync(join(folder, name), text, { mode: 0o600 });
      }
      const note = (line: string) => (json ? console.error(line) : say(line));
      const mail = options.mail ? await onHost(place, (session) => exportMail(session, folder, note)) : [];
      const names = files.map(({ name }) => name);
      if (json) say(JSON.stringify({ folder, files: names, mail, steps }, undefined, 2));
      else for (const line of [`In ${folder}: ${names.join(", ")}`, "", ...steps]) say(line);
      return 0;
    }),
  );
}

/** @throws Failure where there is something in it */
function freeFolder(name: string): string {
  const folder = resolve(calledFrom, name);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Failure(`${folder} has something in it. Name a new folder: --to FOLDER`);
  return folder;
}

/** What the stack says of domains, mailboxes, aliases and DNS, in forms that others read. */
function texts({ dnsRecords }: StackOutputs, { domains }: Settings) {
  const mailboxes = domains.flatMap((domain) => domain.mailboxes);
  const zones = Map.groupBy(Object.values(dnsRecords), ({ zone }) => zone);
  return [
    {
      name: "mailboxes.csv",
      text: csv([
        ["address", "quota in GiB", "suspended", "devices"],
        ...mailboxes.map(({ address, quota, suspended, appPasswords = [] }) => [
          address,
          quota === undefined ? "" : String(quota),
          suspended ? "yes" : "no",
          appPasswords.join(" "),
        ]),
      ]),
    },
    {
      name: "aliases.csv",
      text: csv([
        ["alias", "goes to"],
        ...domains.flatMap(({ name, aliases, catchAll }) => [
          ...aliases.flatMap(({ address, to }) => to.map((one) => [address, one])),
          ...(catchAll === undefined ? [] : [[`*@${name}`, catchAll]]),
        ]),
      ]),
    },
    ...[...zones].map(([zone, some]) => ({ name: `dns/${zone}.zone`, text: zoneFile(zone, some) })),
  ];
}

/** RFC 4180, with the line ends of this machine. */
function csv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/** Each mailbox that the host has mail of, into a tar of its own. */
async function exportMail(
  session: SshConnection,
  folder: string,
  note: (line: string) => void,
): Promise<readonly Exported[]> {
  const found = await answered(
    session,
    "[ -d /srv/mail ] && cd /srv/mail && find . -mindepth 2 -maxdepth 2 -type d -printf '%P\\n' | sort",
  );
  const exported: Exported[] = [];
  for (const path of found.split("\n").filter((line) => line !== "")) {
    const [domain = "", local = ""] = path.split("/");
    const file = join("mail", domain, `${local}.tar`);
    mkdirSync(dirname(join(folder, file)), { recursive: true, mode: 0o700 });
    const taken = await taking(session, path, join(folder, file));
    exported.push({ mailbox: `${local}@${domain}`, file, ...taken });
    note(`${local}@${domain}: ${taken.messages} messages, ${sizeText(taken.bytes)}, in ${file}`);
    for (const broken of taken.broken)
      note(`  ${shown(broken)} begins as if it were compressed, and is not: it is there as it was`);
  }
  return exported;
}

/** What prints a mailbox's folder as a tar. */
export function tarOf(folder: string): string {
  const without = made.map((name) => `--exclude=${shellWord(name)}`).join(" ");
  return `tar -C ${shellWord(folder)} -cf - ${without} .`;
}

/** @throws Failure where the host cannot read it, or where mail was moved each time that it was read */
async function taking(session: SshConnection, path: string, file: string): Promise<Taken> {
  for (let left = tries; left > 0; left -= 1) {
    const stream = new PassThrough();
    const [{ code, stderr }, taken] = await Promise.all([
      session.pour(tarOf(`/srv/mail/${path}`), stream, { root: true }),
      writePlainTar(stream, file),
    ]);
    if (code === 0) return taken;
    // 1: a file was changed or moved meanwhile (tar(1)).
    if (code !== 1) throw cannotSay(code, stderr);
  }
  throw new Failure(
    `Mail of ${path} was moved each of ${tries} times that it was read. Let no mail program work on it meanwhile, and begin again, into another folder.`,
  );
}
