/** SPF records (RFC 7208) in which this host stands beside senders of somebody else's. */
import type { SpfAll } from "../settings/spf.ts";

/** What a domain wants in the one SPF record that its name may have (RFC 7208 section 4.5). */
export interface SpfPart {
  /** Mechanisms, in order: `mx`, `include:…`. */
  readonly own: readonly string[];
  /** What is said of all others. @default what the record says that is there */
  readonly all?: SpfAll;
}

/** All that it takes to part a record again. */
export interface SpfChange {
  /** Mechanisms that were not in it. */
  readonly added: readonly string[];
  /** Its `all`, where that was changed; an empty one: it had none. */
  readonly all?: { readonly from: string; readonly to: SpfAll } | undefined;
}

export function isSpf(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

/** The whole record where nobody else has one. */
export function ownSpf({ own, all = "-all" }: SpfPart): string {
  return ["v=spf1", ...own, all].join(" ");
}

/** The first term of its kind, which is the one that counts: what comes behind it is never looked at (section 5.1). */
const allTerm = /(?<= )[+?~-]?all(?= |$)/i;
const redirect = /(?<= )redirect=/i;

/**
 * A record of somebody else's with what a domain wants in it; all else stays letter by letter. Its own mechanisms come first:
 * nothing before them can say no to the host, and its mail costs receivers the fewest look-ups.
 */
export function joinSpf(
  text: string,
  { own, all: to }: SpfPart,
): { readonly text: string; readonly change: SpfChange } {
  const [counting = ""] = text.split(allTerm);
  const there = new Set(termsOf(counting).map(plain));
  const added = own.filter((term) => !there.has(plain(term)));
  const version = text.slice(0, "v=spf1".length);
  const joined = [version, ...added].join(" ") + text.slice(version.length);
  const from = allTerm.exec(text)?.[0] ?? "";
  if (to === undefined || from.toLowerCase() === to) return { text: joined, change: { added } };
  return {
    text: from === "" ? `${joined} ${to}` : joined.replace(allTerm, to),
    change: { added, all: { from, to } },
  };
}

/** Takes out of a record what `joinSpf` has put in, as far as it is still there: what others have changed meanwhile stays. */
export function partSpf(text: string, { added, all }: SpfChange): string {
  const rest = added.reduce(without, text);
  if (all === undefined || allTerm.exec(rest)?.[0] !== all.to) return rest;
  return all.from === "" ? without(rest, all.to) : rest.replace(allTerm, all.from);
}

/** The first place of a term, and the blank before it, taken out. */
function without(text: string, term: string): string {
  const at = `${text} `.indexOf(` ${term} `);
  return at < 0 ? text : text.slice(0, at) + text.slice(at + 1 + term.length);
}

/** Why a record cannot be joined: a sentence's end, and what to do. Undefined where it can. */
export function spfTrouble(text: string, { all: wanted }: SpfPart): string | undefined {
  const unknown = termsOf(text).find((term) => !isTerm(term));
  if (unknown !== undefined)
    return `has \`${unknown}\` in it, which is no SPF: receivers take the whole record for void; mend that first`;
  const [all] = allTerm.exec(text) ?? [];
  if (wanted === undefined && all !== undefined && /^\+?all$/i.test(all))
    return `lets everybody send (\`${all}\`), so nothing that stands beside it counts; change that first, or write \`spf: { foreign: merge, all: "~all" }\``;
  if (wanted !== undefined && all === undefined && redirect.test(text))
    return "ends in a `redirect=`, which no longer counts where there is an `all` (RFC 7208 section 6.1); take `all` out of the stack file's `spf`";
  return undefined;
}

function termsOf(text: string): readonly string[] {
  return text.split(" ").slice(1).filter(Boolean);
}

function plain(term: string): string {
  return term.toLowerCase().replace(/^\+/, "");
}

/** RFC 7208 section 12; what a modifier is called is free. */
function isTerm(term: string): boolean {
  return (
    /^[+?~-]?(all|(include|exists):\S+|(a|mx)(:[^/\s]+)?(\/\d+)?(\/\/\d+)?|ptr(:\S+)?|ip4:[\d.]+(\/\d+)?|ip6:[\da-f:.]+(\/\d+)?)$/i.test(
      term,
    ) || /^[a-z][\w.-]*=\S*$/i.test(term)
  );
}

// ── What a record costs ──

/** Terms that a receiver resolves before it gives up, and takes SPF for void (RFC 7208 section 4.6.4). */
export const mostLookUps = 10;

/** A name's SPF record; undefined where it has none. @throws where nobody answers */
export type SpfOf = (name: string) => Promise<string | undefined>;

/** Asks for a name's record once, however many include it. @param textsAt a name's TXT records */
export function spfRecords(textsAt: (name: string) => Promise<readonly string[]>): SpfOf {
  const known = new Map<string, Promise<string | undefined>>();
  return (name) => {
    const record = known.get(name) ?? textsAt(name).then((texts) => texts.find(isSpf));
    known.set(name, record);
    return record;
  };
}

export interface SpfCost {
  readonly count: number;
  /** Included names without an SPF record. */
  readonly missing: readonly string[];
}

/**
 * Every term that costs a look-up, as where no term before it fits: what the unluckiest sender's mail costs.
 * @param above names whose records lead here, the last one's own: a circle is an error anyhow
 * @throws as `spfOf`
 */
export async function lookUps(
  record: string | undefined,
  spfOf: SpfOf,
  above: readonly string[],
): Promise<SpfCost> {
  if (record === undefined) return { count: 0, missing: above.slice(1).slice(-1) };
  const own = termsOf(record.toLowerCase()).filter((term) =>
    /^[+?~-]?(include:|a(?=[:/]|$)|mx(?=[:/]|$)|ptr(?=:|$)|exists:)|^redirect=/.test(term),
  );
  const led = own
    .map((term) => /^(?:[+?~-]?include:|redirect=)(.+)$/.exec(term)?.[1] ?? "")
    // A macro is another name for each message (RFC 7208 section 7).
    .filter((other) => other !== "" && !other.includes("%") && !above.includes(other));
  const costs = await Promise.all(
    led.map(async (other) => await lookUps(await spfOf(other), spfOf, [...above, other])),
  );
  return {
    count: costs.reduce((sum, { count }) => sum + count, own.length),
    missing: [...new Set(costs.flatMap(({ missing }) => missing))],
  };
}
