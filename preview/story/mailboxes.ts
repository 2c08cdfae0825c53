import type { Preview, Properties } from "../types.ts";
import { count, name, names, theOrCount } from "../words.ts";
import { type Chapter, difference, type Effect, movedDomains, output, type Risk } from "./chapter.ts";

type Texts = Readonly<Record<string, string>>;

const PASSWORD_TYPE = "random:index/randomPassword:RandomPassword";

/** Mailboxes: who gets one, who loses one, and whose password becomes another. */
export function mailboxes(preview: Preview): Chapter {
  const [before, after] = output<Texts>(preview, "mailboxes", {});
  const { added, removed, changed } = difference(before, after);
  const moved = movedDomains(preview);
  const risks: Risk[] = [];
  const effects: Effect[] = [];
  const renamed = renamings(
    added,
    removed.filter((address) => !moved.removed.includes(domainOf(address))),
  );
  const kept = keeping(preview.outputs.after) ?? "kept";

  for (const [old, now] of renamed) {
    risks.push({
      title: `The mailbox ${name(old)} goes and ${name(now)} comes: to the host that is another mailbox, not a new name`,
      text: `${name(now)} begins empty, with a password of its own. The mail of ${name(old)} is not moved: it stays on the data volume, ${kept}. Mail to ${name(old)} is refused from then on, unless an alias or a catch-all takes it.`,
    });
    effects.push({
      short: `puts the mailbox ${name(now)} in the place of ${name(old)}`,
      text: `Removes the mailbox ${name(old)}, and adds ${name(now)} (${after[now]}).`,
    });
  }
  const gone = removed.filter((address) => !renamed.some(([old]) => old === address));
  if (gone.length > 0) {
    const one = gone.length === 1;
    risks.push({
      title: `${one ? `The mailbox ${name(gone[0] ?? "")} goes` : `${gone.length} mailboxes go: ${names(gone, 20)}`}`,
      text: `Nobody can log in to ${one ? "it" : "them"} any more, and mail to ${one ? "it" : "them"} is refused, unless an alias or a catch-all takes it. The mail in ${one ? "it" : "them"} stays on the data volume, ${kept}.`,
    });
    effects.push({
      short: `removes ${theOrCount(gone, "mailbox")}`,
      text: `Removes ${one ? theOrCount(gone, "mailbox") : `${gone.length} mailboxes: ${names(gone, 20)}`}.`,
    });
  }
  const come = added.filter((address) => !renamed.some(([, now]) => now === address));
  if (come.length > 0) {
    const how = [...new Set(come.map((address) => after[address]))].join("; ");
    effects.push({
      short: `adds ${theOrCount(come, "mailbox")}`,
      text: `Adds ${come.length === 1 ? theOrCount(come, "mailbox") : `${come.length} mailboxes: ${names(come, 20)}`} (${how}). ${come.length === 1 ? "It can" : "They can"} receive, and be logged in to, once the \`up\` is through.`,
    });
  }
  for (const { key, before: old, after: now } of changed)
    effects.push({
      short: `changes the mailbox ${name(key)}`,
      text: `Changes the mailbox ${name(key)}: it was “${old}”, and will be “${now}”.`,
    });
  const renewed = preview.changes
    .filter(({ kind, type }) => kind === "replace" && type === PASSWORD_TYPE)
    .map((change) => /^accounts-(.+)$/.exec(change.name)?.[1] ?? "")
    .filter((address) => address !== "");
  if (renewed.length > 0) {
    risks.push({
      title: `${renewed.length === 1 ? `${name(renewed[0] ?? "")} gets` : `${count(renewed.length, "mailbox")} get: ${names(renewed)}`} a new password`,
      text: "The one in use ends with the `up`: who uses it has to be told the new one.",
    });
    effects.push({
      short: `makes ${count(renewed.length, "new password")}`,
      text: `Makes a new password for ${names(renewed)}.`,
    });
  }
  const once = keeping(preview.outputs.before);
  if (once !== undefined && once !== kept) {
    if (daysOf(kept) < daysOf(once))
      risks.push({
        title: `Mail of removed mailboxes is ${kept} from then on, and deleted after that`,
        text: `It was ${once}. That goes for mailboxes that are removed already, too: what has been there longer is deleted for good, without another question. \`npm run check\` names them.`,
      });
    effects.push({
      short: "changes how long mail of removed mailboxes is kept",
      text: `Mail of removed mailboxes is ${kept}; it was ${once}.`,
    });
  }
  return { risks, effects };
}

/** What the stack says of the mail in a mailbox that is no longer listed: `kept for 30 days`. */
function keeping(side: Properties | undefined): string | undefined {
  return (side?.mailStore as { readonly removed?: string } | undefined)?.removed;
}

/** For ever, where it names none. */
function daysOf(kept: string): number {
  return Number(/ (\d+) days?$/.exec(kept)?.[1] ?? Number.POSITIVE_INFINITY);
}

/** One that goes and one that comes in the same domain, and no other there: most likely somebody's new name. */
function renamings(
  added: readonly string[],
  removed: readonly string[],
): readonly (readonly [old: string, now: string])[] {
  const come = Map.groupBy(added, domainOf);
  return [...Map.groupBy(removed, domainOf)].flatMap(([domain, [old, ...others]]) => {
    const [now, ...more] = come.get(domain) ?? [];
    return old !== undefined && now !== undefined && others.length + more.length === 0
      ? [[old, now] as const]
      : [];
  });
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
