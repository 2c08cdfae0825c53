/** What became of messages, in words. */
import { mailhostCommand } from "../engineWords.ts";
import type { Client, Event, Verdict } from "./events.ts";
import { type Delivery, type Message, passingOn, type Told, toMailbox } from "./messages.ts";
import { symbolWords } from "./symbols.ts";

/** One message in one line. */
export function messageLine(message: Message): string {
  const { at, queueIds, verdict } = message;
  const aside = [
    ...(verdict === undefined ? [] : [verdictWords(verdict)]),
    ...originWords(message),
    ...queueIds.slice(0, 1),
  ];
  return `${timeText(at)}  ${senderWords(message)} → ${outcomes(message)}  (${aside.join("; ")})`;
}

/** YYYY-MM-DD hh:mm:ss, where the person is. */
export function timeText(at: number): string {
  return `${dayText(at)} ${clockText(at)}`;
}

function dayText(at: number): string {
  const date = new Date(at);
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
}

function clockText(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function senderWords({ from }: Message): string {
  if (from === undefined) return "(unknown)";
  return from === "" ? "(a notice)" : from;
}

/** Where it came from. */
function originWords({ client, login, uid }: Message): readonly string[] {
  if (login !== undefined) return [`login ${login}${client === undefined ? "" : ` at ${client.address}`}`];
  if (client !== undefined) return [`from ${clientWords(client)}`];
  return uid === undefined ? [] : ["written on the host"];
}

function clientWords({ name, address }: Client): string {
  return name === "unknown" ? `[${address}], which has no name` : `${name} [${address}]`;
}

/** For whom, and what became of it; the same for several is said once. */
function outcomes({ deliveries, refusals, isOver }: Message): string {
  const told = new Set(deliveries.map(({ to }) => to));
  const all = [
    // What a program of the host's own writes is refused by a bounce.
    ...refusals
      .filter(({ to = "" }) => !told.has(to))
      .map(({ to, said }) => [to ?? "(nobody yet)", refusalWords(said)] as const),
    ...deliveries.map((delivery) => [delivery.to, deliveryWords(delivery)] as const),
  ];
  if (all.length === 0) return isOver ? "(nobody): taken out of the queue" : "…: on its way";
  const alike = Map.groupBy(all, ([, words]) => words);
  return [...alike]
    .map(([words, some]) => `${[...new Set(some.map(([to]) => to))].join(", ")}: ${words}`)
    .join("; ");
}

/** @param said code and text that the sender got */
function refusalWords(said: string): string {
  return `${/^4/.test(said) ? "put off" : "refused"}, "${said}"`;
}

function deliveryWords({ outcome, by, said, filed }: Delivery): string {
  const at = by === undefined ? "" : ` at ${by}`;
  // What Postfix says before an answer, who has said it, is told already.
  const answer = said.replace(/^host \S+ said: /, "").replace(/ \(in reply to [^()]*\)$/, "");
  if (outcome === "waiting") return `waits${at}, "${answer}"`;
  if (outcome === "deleted") return `deleted while it waited${at}, "${answer}"`;
  if (outcome === "failed") return `bounced${at}, "${answer}"`;
  if (filed.length > 0) return [...new Set(filed.map(filedWords))].join(", ");
  return by === undefined ? "delivered" : `taken by ${by}`;
}

/** What Dovecot's filters say that they did. */
const deeds: readonly (readonly [RegExp, (...parts: readonly string[]) => string])[] = [
  [/^(?:fileinto action: )?stored mail into mailbox '(.*)'$/, (folder) => `in ${folder}`],
  [/^(?:redirect action: )?forwarded to <(.*)>$/, (to) => `passed on to ${to} by a filter`],
  [/^(?:discard action: )?(?:marked message to be discarded|discarded)/i, () => "thrown away by a filter"],
  [/^(?:vacation action: )?sent vacation response to <(.*)>$/, (to) => `absence note sent to ${to}`],
  [/^(?:reject action: )?rejected message from <.*> \(.*\)$/, () => "sent back by a filter"],
];

function filedWords(did: string): string {
  for (const [pattern, words] of deeds) {
    const found = pattern.exec(did);
    if (found !== null) return words(...found.slice(1));
  }
  return did;
}

/** What rspamd's actions mean here. */
const actions: Readonly<Record<string, string>> = {
  "no action": "no spam",
  greylist: "put off for once",
  "add header": "spam, for Junk",
  "rewrite subject": "spam, for Junk",
  "soft reject": "put off",
  reject: "refused",
};

function verdictWords({ score, limit, action }: Verdict): string {
  const of = Number.isNaN(limit) ? "" : ` of ${limit}`;
  return `spam score ${score}${of}: ${actions[action] ?? action}`;
}

/** All that is known of one message, in the order of time. @param all also rules that weigh nothing */
export function traceLines(
  message: Message,
  told: readonly Told[],
  stack: string,
  all = false,
): readonly string[] {
  const { messageId, queueIds, size, verdict } = message;
  const days = new Set(told.map(({ at }) => dayText(at)));
  const when = (at: number) => (days.size > 1 ? timeText(at) : clockText(at));
  return [
    `Message ${messageId ? `<${messageId}>` : "without a Message-ID"}${queueIds.length === 0 ? "" : `, queue id ${queueIds.join(", then ")}`}`,
    `  ${[
      dayText(message.at),
      `from ${senderWords(message)}`,
      ...(size === undefined ? [] : [sizeText(size)]),
    ].join(", ")}`,
    "",
    ...told.flatMap(({ at, event }) => eventWords(event, stack).map((words) => `${when(at)}  ${words}`)),
    ...(verdict === undefined ? [] : symbolLines(verdict, all)),
    "",
    `So: ${outcomes(message)}.`,
    ...(message.isOver ? [] : [`It is in the queue yet: ${mailhostCommand(stack, "queue list")}`]),
  ];
}

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A sentence, or none. */
function eventWords(event: Event, stack: string): readonly string[] {
  switch (event.kind) {
    case "taken":
      if (event.client.address === "127.0.0.1" && event.login === undefined)
        return ["comes around once more, for a sender of the host's own (mailhost:srs)"];
      return [
        event.login === undefined
          ? `${clientWords(event.client)} brings it`
          : `${event.login} has logged in at ${event.client.address}, and sends it`,
      ];
    case "written here":
      return [`a program on the host has written it (user ${event.uid})`];
    case "named":
    case "queued":
      return [];
    case "judged":
      return [`rspamd: ${verdictWords(event.verdict)}`];
    case "refused":
      return [`${event.to ?? "it"}: ${refusalWords(event.said)}, is told to ${clientWords(event.client)}`];
    case "filed":
      return [`${event.mailbox}: ${filedWords(event.did)}`];
    case "tried": {
      // What comes around says so itself.
      if (event.relay === passingOn && event.status === "sent") return [];
      const asked = event.asked === undefined ? "" : ` (the sender wrote ${event.asked})`;
      const word = {
        sent: "takes it",
        deferred: "does not take it yet",
        bounced: "refuses it",
        expired: "never took it",
      }[event.status];
      const who = toMailbox.test(event.relay)
        ? "Dovecot"
        : event.relay === "none"
          ? "nobody"
          : event.relay.replace(/\[.*$/, "");
      return [`${event.to}${asked}: ${who} ${word}, "${event.said}"`];
    }
    case "expired":
      return ["it has waited too long: it goes back to its sender"];
    case "notice":
      return [
        `a ${event.about} goes out, as ${event.notice}: ${mailhostCommand(stack, `trace ${event.notice}`)}`,
      ];
    case "gone":
      return ["nothing of it is left in the queue"];
    default:
      return event satisfies never;
  }
}

/** Why rspamd judged so: what weighed, the heaviest first. */
function symbolLines({ symbols }: Verdict, all: boolean): readonly string[] {
  const some = symbols.filter(({ score }) => all || score !== 0);
  const left = symbols.length - some.length;
  const width = Math.max(0, ...some.map(({ name }) => name.length));
  if (symbols.length === 0) return [];
  return [
    "",
    "What weighed in rspamd's verdict (above 0: for spam)",
    ...some.map(({ name, score, found }) => {
      const words = symbolWords(name);
      const details = [...(words === undefined ? [] : [words]), ...(found === "" ? [] : [`[${found}]`])];
      return `  ${(score > 0 ? `+${score}` : String(score)).padStart(6)}  ${name.padEnd(width)}  ${details.join(" ")}`.trimEnd();
    }),
    ...(left === 0 ? [] : [`  and ${left} that weighed nothing (--all shows them)`]),
  ];
}
