import { readDocument } from "../documents.ts";
import type { Preview } from "../types.ts";
import { name, names, theOrCount } from "../words.ts";
import { type Chapter, difference, type Effect, movesAlong, output, type Risk } from "./chapter.ts";

/** Postfix's table of what is passed on (`plan/services/aliases.ts`): full addresses, and `@domain` for a catch-all. */
const TABLE = "/etc/postfix/aliases";

/** Aliases and catch-alls: where mail goes that is not for a mailbox. */
export function addresses(preview: Preview): Chapter {
  const change = preview.changes.find((each) => each.name === "host-aliases-files");
  const ofMoved = movesAlong(preview);
  const [, mailboxes] = output<Readonly<Record<string, string>>>(preview, "mailboxes", {});
  const entries = (text: unknown) =>
    Object.fromEntries(Object.entries(tableOf(text)).filter(([address]) => !ofMoved(address)));
  const { added, removed, changed } = difference(entries(change?.before.stdin), entries(change?.after.stdin));
  const risks: Risk[] = [];
  const effects: Effect[] = [];
  const after = entries(change?.after.stdin);

  const news = added.map((address) => `${spoken(address)} to ${after[address]?.map(name).join(", ") ?? ""}`);
  if (added.length > 0)
    effects.push({
      short: `adds ${catchAllOr(added)}`,
      text: `Passes on mail from now on: ${listed(news)}. Who receives it may also send as that address.`,
    });
  for (const { key, before: old, after: now } of changed.slice(0, 10))
    effects.push({
      short: `leads ${spoken(key)} elsewhere`,
      text: `Mail for ${spoken(key)} goes to ${names(now)}, no more to ${names(old)}.`,
    });
  if (changed.length > 10)
    effects.push({
      short: `leads ${changed.length - 10} more aliases elsewhere`,
      text: `Leads ${changed.length - 10} more aliases elsewhere: the table below has them.`,
    });
  const gone = removed.filter((address) => !(address in mailboxes));
  if (gone.length > 0) {
    risks.push({
      title: `Mail to ${gone.length > 8 ? names(gone) : gone.map(spoken).join(", ")} is refused from then on`,
      text: "Nobody else takes it, unless the domain has a catch-all.",
    });
    effects.push({ short: `removes ${catchAllOr(gone)}`, text: `Removes ${catchAllOr(gone)}.` });
  }
  const [before, now] = [ownerOf(change?.before.stdin), ownerOf(change?.after.stdin)];
  if (before !== undefined && now !== undefined && before !== now)
    effects.push({
      short: `sends the machine's own mail to ${name(now)}`,
      text: `The machine's own mail goes to ${name(now)}, no more to ${name(before)}.`,
    });
  return { risks, effects };
}

function ownerOf(document: unknown): string | undefined {
  return /^root (.+)$/m.exec(readDocument(document)?.files.get(TABLE)?.content ?? "")?.[1];
}

function tableOf(document: unknown): Readonly<Record<string, readonly string[]>> {
  const lines = readDocument(document)?.files.get(TABLE)?.content.split("\n") ?? [];
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, address, to = ""] = /^(\S*@\S+) (.+)$/.exec(line) ?? [];
      // Where a domain has a catch-all, each of its mailboxes leads to itself.
      return address === undefined || address === to ? [] : [[address, to.split(", ")] as const];
    }),
  );
}

function spoken(address: string): string {
  return address.startsWith("@") ? `everything else at ${name(address.slice(1))}` : name(address);
}

function catchAllOr(all: readonly string[]): string {
  const [first = ""] = all;
  return all.length === 1 && first.startsWith("@")
    ? `the catch-all of ${name(first.slice(1))}`
    : theOrCount(all, "alias");
}

function listed(parts: readonly string[], most = 20): string {
  return parts.length > most
    ? `${parts.slice(0, most).join("; ")}; and ${parts.length - most} more`
    : parts.join("; ");
}
