/** What single lines of the log say of a message. Their words are the daemons'; much between them is strangers' text. */
import type { Entry } from "./journal.ts";

/** Who brought a message, as Postfix saw it. */
export interface Client {
  /** By its address's reverse name, where that leads back; else `unknown`. */
  readonly name: string;
  readonly address: string;
}

/** A rule of rspamd's that matched. */
export interface Symbol {
  readonly name: string;
  readonly score: number;
  /** What it found, in the rule's own words. */
  readonly found: string;
}

export interface Verdict {
  readonly score: number;
  /** Score from which on a message is refused. */
  readonly limit: number;
  /** By rspamd's own word: `no action`, `greylist`, `add header`, `rewrite subject`, `soft reject`, `reject`. */
  readonly action: string;
  /** The heaviest first. */
  readonly symbols: readonly Symbol[];
}

/** What Postfix says of a try to bring a message to one recipient. */
export type Outcome = "sent" | "deferred" | "bounced" | "expired";

export type Event =
  | { readonly kind: "taken"; readonly id: string; readonly client: Client; readonly login?: string }
  /** By a program of the host's own. */
  | { readonly kind: "written here"; readonly id: string; readonly uid: number }
  | { readonly kind: "named"; readonly id: string; readonly messageId: string }
  | { readonly kind: "queued"; readonly id: string; readonly from: string; readonly size: number }
  | {
      readonly kind: "tried";
      readonly id: string;
      readonly to: string;
      /** The address that the sender wrote, where an alias led here. */
      readonly asked?: string;
      /** `mx.example.net[192.0.2.1]:25`, `none`… */
      readonly relay: string;
      readonly status: Outcome;
      readonly said: string;
    }
  | {
      readonly kind: "refused";
      /** None where Postfix would not even begin. */
      readonly id: string | undefined;
      readonly client: Client;
      readonly from: string | undefined;
      readonly to: string | undefined;
      readonly said: string;
    }
  | { readonly kind: "expired"; readonly id: string }
  | { readonly kind: "notice"; readonly id: string; readonly about: string; readonly notice: string }
  | { readonly kind: "gone"; readonly id: string }
  | {
      readonly kind: "judged";
      readonly id: string;
      /** Of the message that was judged; `undef`: it has none. */
      readonly messageId: string;
      readonly verdict: Verdict;
    }
  | {
      readonly kind: "filed";
      /** Dovecot's own, which its answer to Postfix has, too. */
      readonly session: string;
      readonly mailbox: string;
      readonly did: string;
    };

/** What a line says; undefined: nothing of a message. */
export function eventOf({ program, text }: Entry): Event | undefined {
  if (program === "dovecot") return dovecotEvent(text);
  if (program === "rspamd") return rspamdEvent(text);
  return program.startsWith("postfix/") ? postfixEvent(text) : undefined;
}

function postfixEvent(text: string): Event | undefined {
  const [, named, rest = ""] = /^([0-9A-Za-z]{6,20}|NOQUEUE): (.*)$/.exec(text) ?? [];
  if (named === undefined) return undefined;
  if (named === "NOQUEUE") return refusal(rest, undefined);
  const id = named;
  for (const read of postfixLines) {
    const event = read(rest, id);
    if (event !== undefined) return event;
  }
  return undefined;
}

/** A string in quotes: in an address it may hold nearly any sign (RFC 5321 section 4.1.2), a whole line of the log too. */
const quotes = String.raw`"(?:\\.|[^"\\])*"`;

/** An address as Postfix writes it: what has other signs than an atom stands in quotes (`info_log_addr_form`, postconf(5)). */
const address = `((?:${quotes}|[^<>"])*)`;

const triedLine = new RegExp(
  String.raw`^to=<${address}>, (?:orig_to=<${address}>, )?relay=([^,\s]+), (?:[a-z_]+=[^,\s]+, )*?dsn=\d\.\d+\.\d+, status=(sent|deferred|bounced|expired) \((.*)\)$`,
);

/** The answer ends where the log's own words begin, and these are in no quotes; where an answer's do not pair, at the first that look so. */
const refusalLines = [`(?:${quotes}|[^"])*?`, ".*?"].map(
  (said) =>
    new RegExp(
      String.raw`^(?:milter-)?reject: (?:[A-Z-]+|END-OF-MESSAGE) from ([^[\s]+)\[([^\]\s]+)\](?::\d+)?: (${said})(?:; from=<${address}>)?(?: to=<${address}>)?(?: proto=\S+)?(?: helo=<[^<>]*>)?(?: sasl_\S+)*$`,
    ),
);

/** Each by its first words and, where strangers' text comes before the end, by its last ones. */
const postfixLines: readonly ((rest: string, id: string) => Event | undefined)[] = [
  (rest, id) => {
    const found =
      /^client=([^[\s]+)\[([^\]\s]+)\](?:, sasl_method=\w+)?(?:, sasl_username=([^\s,]+))?(?:, |$)/.exec(
        rest,
      );
    if (found === null) return undefined;
    const [, name = "", address = "", login] = found;
    return { kind: "taken", id, client: { name, address }, ...(login !== undefined && { login }) };
  },
  (rest, id) => {
    const uid = /^uid=(\d+) from=</.exec(rest)?.[1];
    return uid === undefined ? undefined : { kind: "written here", id, uid: Number(uid) };
  },
  (rest, id) => {
    const messageId = /^message-id=<?(.*?)>?$/.exec(rest)?.[1];
    return messageId === undefined ? undefined : { kind: "named", id, messageId };
  },
  (rest, id) => {
    const found = /^from=<(.*)>, size=(\d+), nrcpt=\d+ \(queue active\)$/.exec(rest);
    if (found === null) return undefined;
    const [, from = "", size] = found;
    return { kind: "queued", id, from, size: Number(size) };
  },
  (rest, id) => {
    const found = triedLine.exec(rest);
    if (found === null) return undefined;
    const [, to = "", asked, relay = "", status, said = ""] = found;
    return {
      kind: "tried",
      id,
      to,
      ...(asked !== undefined && { asked }),
      relay,
      status: status as Outcome,
      said,
    };
  },
  refusal,
  (rest, id) => (/^from=<.*>, status=(force-)?expired, /.test(rest) ? { kind: "expired", id } : undefined),
  (rest, id) => {
    const found =
      /^(\S+ (?:non-delivery|delay|success) notification|sender delivery status notification): (\w+)$/.exec(
        rest,
      );
    return found === null ? undefined : { kind: "notice", id, about: found[1] ?? "", notice: found[2] ?? "" };
  },
  (rest, id) => (/^removed(?: \(\w+\))?$/.test(rest) ? { kind: "gone", id } : undefined),
];

function refusal(rest: string, id: string | undefined): Event | undefined {
  for (const line of refusalLines) {
    const found = line.exec(rest);
    if (found === null) continue;
    const [, name = "", address = "", said = "", from, to] = found;
    return { kind: "refused", id, client: { name, address }, from, to, said };
  }
  return undefined;
}

/**
 * `log_format` of rspamd's by default. A message's own name and sender stand before its verdict: one that has a bracket in
 * it is not read. Its name could hold a whole line about another message, so that is told only to one of that name.
 */
const verdictLine =
  /rspamd_task_write_log: id: <([^<>]*)>, qid: <([0-9A-Za-z]{6,20})>, ip: [0-9A-Fa-f.:]+,(?: user: [^\s<>()]+,)?(?: from: <[^<>()]*>,)? \(default: [A-Z] \(([a-z ]+)\): \[(-?\d+\.\d+)\/(-?\d+\.\d+|nan)\] \[(.*)$/;

function rspamdEvent(text: string): Event | undefined {
  const found = verdictLine.exec(text);
  if (found === null) return undefined;
  const [, messageId = "", id = "", action = "", score, limit, rules = ""] = found;
  const symbols = [
    ...rules.matchAll(/(?:^|,)([A-Z][A-Z0-9_]*)\((-?\d+\.\d+)\)(?:\{(.*?);?\}(?=,|\]|$))?/g),
  ].map(([, name = "", weight, found = ""]) => ({ name, score: Number(weight), found }));
  return {
    kind: "judged",
    id,
    messageId,
    verdict: {
      score: Number(score),
      limit: Number(limit),
      action,
      symbols: symbols.toSorted((one, other) => Math.abs(other.score) - Math.abs(one.score)),
    },
  };
}

/** Of Pigeonhole's, on a delivery: what a filter, or none, did with a message. */
function dovecotEvent(text: string): Event | undefined {
  const found =
    /^lmtp\(([^\s()]+)\)<\d+><([^<>\s]+)>: sieve: (?:\S+: )?msgid=(?:<[^<>]*>|unspecified|[^\s:]*): (.*)$/.exec(
      text,
    );
  if (found === null) return undefined;
  const [, mailbox = "", session = "", did = ""] = found;
  return { kind: "filed", session, mailbox, did };
}
