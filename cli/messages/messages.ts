/** The lines of the log, put together to messages: what came, from whom, and what became of it for each recipient. */
import { type Client, type Event, eventOf, type Verdict } from "./events.ts";
import type { Entry } from "./journal.ts";

/** What became of a message for one recipient, by the last try. */
export interface Delivery {
  readonly to: string;
  /** The address that the sender wrote, where an alias led here. */
  readonly asked?: string;
  /** `deleted`: it was waiting, and somebody has taken it out of the queue. */
  readonly outcome: "delivered" | "waiting" | "failed" | "deleted";
  /** Who has it, or who does not take it: a server's name; undefined: nobody has been reached. */
  readonly by: string | undefined;
  /** In the words of who answered. */
  readonly said: string;
  readonly tries: number;
  /** What Dovecot did with it: `stored mail into mailbox 'INBOX'`. Empty where it is not for a mailbox here. */
  readonly filed: readonly string[];
}

/** One message. */
export interface Message {
  /** When the log first speaks of it, in milliseconds since 1970. */
  readonly at: number;
  /** Postfix's names for it: none where it was refused before it had one, two where it was passed on by an alias. */
  readonly queueIds: readonly string[];
  readonly messageId?: string;
  /** Of the envelope; empty of a notice of failure; undefined where the log does not say. */
  readonly from?: string;
  readonly client?: Client;
  /** Whose password the mail program had. */
  readonly login?: string;
  /** Number of the user on the host whose program has written it. */
  readonly uid?: number;
  /** In bytes. */
  readonly size?: number;
  readonly verdict?: Verdict;
  readonly deliveries: readonly Delivery[];
  /** Why it was not taken, in the words that the sender got; empty of one that was. */
  readonly refusals: readonly { readonly to: string | undefined; readonly said: string }[];
  /** Messages that tell its sender of it, by their queue ids. */
  readonly notices: readonly { readonly about: string; readonly notice: string }[];
  /** Whether nothing of it waits any more. */
  readonly isOver: boolean;
}

/** A line with what it says. */
export interface Told {
  readonly at: number;
  readonly event: Event;
}

/** The way around by which an alias passes mail on with another sender (`forward` in files/etc/postfix/master.cf). */
export const passingOn = "127.0.0.1[127.0.0.1]:10026";

/** Where Postfix hands a message to Dovecot (`virtual_transport` in files/etc/postfix/main.cf). */
export const toMailbox = /\[(?:private\/)?dovecot-lmtp\]$/;

/** What was said of one queue id, or of one refusal without one. */
interface Draft {
  readonly id: string | undefined;
  readonly at: number;
  readonly told: Told[];
  /** What it was before an alias passed it on. */
  before: Draft | undefined;
  after: Draft | undefined;
}

/** Takes lines as they come, and knows at each moment what they come to. */
export class Messages {
  readonly #drafts = new Set<Draft>();
  readonly #byId = new Map<string, Draft>();
  /** What Dovecot said, by its session. */
  readonly #filed = new Map<string, Told[]>();

  /** @returns the message that the line is about, as it then is; undefined where it is about none, or one that is to be named yet */
  take(entry: Entry): Message | undefined {
    const event = eventOf(entry);
    if (event === undefined) return undefined;
    const told = { at: entry.at, event };
    if (event.kind === "filed") {
      // Dovecot speaks first; which message it is Postfix then says.
      this.#filed.set(event.session, [...(this.#filed.get(event.session) ?? []), told]);
      return undefined;
    }
    if (event.kind === "judged" && !this.#isNamed(event)) return undefined;
    const draft = this.#draftOf(event.id, entry.at);
    draft.told.push(told);
    const next = event.kind === "tried" ? nextIdOf(event) : undefined;
    if (next !== undefined) {
      const after = this.#draftOf(next, entry.at);
      // None follows itself, whatever an answer says.
      if (!chainOf(after).includes(draft) && !untilNow(draft).includes(after)) {
        draft.after = after;
        after.before = draft;
      }
    }
    return messageOf(firstOf(draft), this.#filed);
  }

  /** In the order in which they came. */
  all(): readonly Message[] {
    return [...this.#drafts]
      .filter(({ before }) => before === undefined)
      .map((draft) => messageOf(draft, this.#filed))
      .toSorted((one, other) => one.at - other.at);
  }

  /** The same message, as it is by now. */
  latest(message: Message): Message {
    const draft = this.#byId.get(message.queueIds[0] ?? "");
    return draft === undefined ? message : messageOf(firstOf(draft), this.#filed);
  }

  /** All that was said of a message, in the order of time. */
  told({ queueIds: [id = ""] }: Message): readonly Told[] {
    const drafts = chainOf(this.#byId.get(id));
    const told = drafts.flatMap((draft) => draft.told);
    const filed = told.flatMap(({ event }) => filingsOf(event, this.#filed));
    return [...told, ...filed].toSorted((one, other) => one.at - other.at);
  }

  /** Has no more of a message that is told to its end: who follows the log does so for days. */
  forget({ queueIds }: Message): void {
    const drafts =
      queueIds.length === 0
        ? [...this.#drafts].filter(({ id }) => id === undefined)
        : queueIds.flatMap((id) => this.#byId.get(id) ?? []);
    for (const draft of drafts) {
      for (const { event } of draft.told.flatMap(({ event }) => filingsOf(event, this.#filed)))
        if (event.kind === "filed") this.#filed.delete(event.session);
      this.#byId.delete(draft.id ?? "");
      this.#drafts.delete(draft);
    }
  }

  /** Whether the message of a verdict has the name that Postfix has seen; it has said so before rspamd judged. */
  #isNamed({ id, messageId }: Event & { kind: "judged" }): boolean {
    const told = this.#byId.get(id)?.told ?? [];
    const names = told.flatMap(({ event }) => (event.kind === "named" ? event.messageId : []));
    return names.includes(messageId) || (messageId === "undef" && names.every((name) => name === ""));
  }

  #draftOf(id: string | undefined, at: number): Draft {
    const known = id === undefined ? undefined : this.#byId.get(id);
    if (known !== undefined) return known;
    const draft: Draft = { id, at, told: [], before: undefined, after: undefined };
    this.#drafts.add(draft);
    if (id !== undefined) this.#byId.set(id, draft);
    return draft;
  }
}

function firstOf(draft: Draft): Draft {
  return draft.before === undefined ? draft : firstOf(draft.before);
}

function chainOf(draft: Draft | undefined): readonly Draft[] {
  return draft === undefined ? [] : [draft, ...chainOf(draft.after)];
}

/** It and all that it was before. */
function untilNow(draft: Draft | undefined): readonly Draft[] {
  return draft === undefined ? [] : [draft, ...untilNow(draft.before)];
}

/** The queue id under which an alias has passed a message on. */
export function nextIdOf({ relay, said }: Event & { kind: "tried" }): string | undefined {
  return relay === passingOn ? /: queued as (\w+)$/.exec(said)?.[1] : undefined;
}

/** Dovecot's session for a delivery: its answer has it, `250 2.0.0 <ann@example.org> SESSION Saved`. */
export function sessionOf({ relay, said }: Event & { kind: "tried" }): string | undefined {
  return toMailbox.test(relay) ? /^250 2\.0\.0 <.*> (\S+) Saved$/.exec(said)?.[1] : undefined;
}

/** What Dovecot did with a delivery. */
function filingsOf(event: Event, filed: ReadonlyMap<string, readonly Told[]>): readonly Told[] {
  if (event.kind !== "tried") return [];
  const all = filed.get(sessionOf(event) ?? "") ?? [];
  const own = all.filter((told) => told.event.kind === "filed" && told.event.mailbox === mailboxOf(event.to));
  // A catch-all's, or an alias's, has another name there.
  return own.length > 0 ? own : all;
}

/** The mailbox of an address: `ann+shop@example.org` is ann's. */
export function mailboxOf(address: string): string {
  return address.toLowerCase().replace(/\+[^@]*(?=@[^@]*$)/, "");
}

function messageOf(draft: Draft, filed: ReadonlyMap<string, readonly Told[]>): Message {
  const chain = chainOf(draft);
  const events = draft.told.map(({ event }) => event);
  const find = <Kind extends Event["kind"]>(kind: Kind) =>
    events.find((event): event is Extract<Event, { kind: Kind }> => event.kind === kind);
  const taken = find("taken");
  const refusals = events.filter((event) => event.kind === "refused");
  const from = find("queued")?.from ?? refusals[0]?.from;
  const client = taken?.client ?? refusals[0]?.client;
  const notices = chain.flatMap(({ told }) =>
    told.flatMap(({ event }) =>
      event.kind === "notice" ? [{ about: event.about, notice: event.notice }] : [],
    ),
  );
  const named = find("named")?.messageId;
  const size = find("queued")?.size;
  const uid = find("written here")?.uid;
  const verdict = events.findLast((event) => event.kind === "judged")?.verdict;
  return {
    at: draft.at,
    queueIds: chain.flatMap(({ id }) => id ?? []),
    ...(named !== undefined && { messageId: named }),
    ...(from !== undefined && { from }),
    ...(client !== undefined && { client }),
    ...(taken?.login !== undefined && { login: taken.login }),
    ...(uid !== undefined && { uid }),
    ...(size !== undefined && { size }),
    ...(verdict !== undefined && { verdict }),
    deliveries: chain.flatMap(({ told }) => deliveriesOf(told, filed)),
    refusals: refusals.map(({ to, said }) => ({ to, said })),
    notices,
    isOver: chain.every(isOver),
  };
}

/** Out of the queue; or never in it. */
function isOver({ id, told }: Draft): boolean {
  const kinds = told.map(({ event }) => event.kind);
  // Whom one recipient was refused may still name others.
  return (
    id === undefined || kinds.includes("gone") || (kinds.includes("refused") && !kinds.includes("queued"))
  );
}

function deliveriesOf(
  told: readonly Told[],
  filed: ReadonlyMap<string, readonly Told[]>,
): readonly Delivery[] {
  const kinds = new Set(told.map(({ event }) => event.kind));
  // What waits no more, and went nowhere.
  const deferred = kinds.has("expired") ? "failed" : kinds.has("gone") ? "deleted" : "waiting";
  const tries = told
    .map(({ event }) => event)
    .filter((event) => event.kind === "tried")
    .filter((event) => nextIdOf(event) === undefined);
  const byRecipient = Map.groupBy(tries, ({ to, asked = "" }) => `${to} ${asked}`);
  return [...byRecipient.values()].flatMap((some) => {
    const last = some.at(-1);
    if (last === undefined) return [];
    const { to, asked, status, relay, said } = last;
    const filing = filingsOf(last, filed).flatMap(({ event }) => (event.kind === "filed" ? event.did : []));
    return {
      to,
      ...(asked !== undefined && { asked }),
      outcome: status === "sent" ? "delivered" : status === "deferred" ? deferred : "failed",
      by: serverOf(relay),
      said,
      tries: some.length,
      filed: filing,
    } as const;
  });
}

/** @param relay `mx.example.net[192.0.2.1]:25`, `mail.example.org[private/dovecot-lmtp]`, `none` */
function serverOf(relay: string): string | undefined {
  const name = relay.replace(/\[.*$/, "");
  return name === "none" || name === "" ? undefined : name;
}
