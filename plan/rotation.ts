/**
 * Keys that take turns: DKIM's (RFC 6376 section 3.1, M3AAWG "DKIM Key Rotation"), the one of TLS that TLSA records name
 * (RFC 7671 section 8.1), and the one by which SSH knows the host. What a run finds of the one before, and what it sees of the
 * world, makes the next state; nothing here asks or remembers anything itself. A run too many, a late one, or one that died and
 * left no word of itself only delay a step.
 */

/**
 * A key's life: *published* and known to the world before anything is signed with it; *signing*; *retired*, and published for
 * as long as mail is on its way that it has signed; then gone. *revoked*: its record says so (`p=` without a key), since
 * somebody else may have it.
 */
export type KeyState = "published" | "signing" | "retired" | "revoked";

/** What goes this way together: a domain's RSA and Ed25519 keys, or the host's one key of TLS. */
export interface KeyPair {
  /** The day it was made on, `20261121`; a letter after it where that day has several. Begins the names of its selectors. */
  readonly generation: string;
  readonly state: KeyState;
  /** When it came into this state, in ISO 8601. */
  readonly since: string;
  /** Since when every run has seen its records wherever it asked; only while it is published. */
  readonly seen?: string;
}

/** The pairs of each holder (`plan/turns.ts`): one signs. */
export type KeyRotation = Readonly<Record<string, readonly KeyPair[]>>;

export interface RotationRules {
  /** Days after which the next pair signs; 0: never by itself. */
  readonly days: number;
  /** Days for which a retired or revoked key's record stays, and a new one's is there before it signs. */
  readonly overlapDays: number;
  /** Generations that must not sign any more. */
  readonly revoked: readonly string[];
}

/** One holder of keys at a run. */
export interface Turn {
  /** The pairs as the run before has left them; none where there was no such run. */
  readonly before: readonly KeyPair[];
  /** The day on which it came here, YYYY-MM-DD: its first pair's generation. */
  readonly first: string;
  readonly now: Date;
  /** Whether everybody who was asked just now has shown all records of a generation, as they should be. */
  readonly isSeen: (generation: string) => boolean;
  /** Whether what has ended is in nobody's use any more, as far as that can be seen. @default its time alone decides */
  readonly isUnused?: (generation: string) => boolean;
  /** Seconds for which somebody may remember that there is no such record; 0: nobody does. */
  readonly ttl: number;
  readonly rules: RotationRules;
}

const day = 86_400_000;

/**
 * The pairs from now on. At most one step: who signs changes only to a pair that has been seen without a break for longer than
 * the TTL, and a record goes only when nothing is on its way any more that needs it.
 */
export function turn({
  before,
  first,
  now,
  isSeen,
  isUnused = () => true,
  ttl,
  rules,
}: Turn): readonly KeyPair[] {
  const at = now.toISOString();
  const age = ({ since }: KeyPair) => now.getTime() - Date.parse(since);
  const isRevoked = ({ generation }: KeyPair) => rules.revoked.includes(generation);
  const begun = (before.length > 0 ? before : [firstPair(first)]).map((pair) => notAhead(pair, at));

  const kept = begun
    .filter(
      (pair) => !hasEnded(pair.state) || age(pair) < rules.overlapDays * day || !isUnused(pair.generation),
    )
    .map((pair) => observed(pair, isSeen, at));
  const signing = kept.find(({ state }) => state === "signing");
  const next = kept.find((pair) => pair.state === "published" && !isRevoked(pair));

  const isReady =
    next?.seen !== undefined &&
    (ttl === 0 || now.getTime() - Date.parse(next.seen) > ttl * 1000) &&
    isSeen(next.generation);
  const mustEnd = signing === undefined || isRevoked(signing);
  const isDue =
    rules.days > 0 &&
    signing !== undefined &&
    age(signing) >= rules.days * day &&
    next !== undefined &&
    age(next) >= rules.overlapDays * day;

  const after = kept.map((pair): KeyPair => {
    if (isReady && (mustEnd || isDue)) {
      if (pair === next) return { generation: pair.generation, state: "signing", since: at };
      if (pair === signing)
        // Void only with the next run: the host has to have stopped signing with it.
        return { generation: pair.generation, state: "retired", since: at };
    }
    // What signs is not taken back before another one can: unsigned mail helps nobody.
    if (
      isRevoked(pair) &&
      (pair.state === "published" || (pair.state === "retired" && isUnused(pair.generation)))
    )
      return { generation: pair.generation, state: "revoked", since: at };
    return pair;
  });
  return after.some(({ state }) => state === "published")
    ? after
    : [
        ...after,
        {
          generation: newGeneration(now, [...begun, ...after], rules.revoked),
          state: "published",
          since: at,
        },
      ];
}

/** What a domain begins with. @param day on which it came here, YYYY-MM-DD */
export function firstPair(day: string): KeyPair {
  return { generation: day.replaceAll("-", ""), state: "signing", since: `${day}T00:00:00.000Z` };
}

/** A clock that was wrong once must hold no key for good. */
function notAhead(pair: KeyPair, at: string): KeyPair {
  const earlier = (time: string) => (time > at ? at : time);
  return {
    ...pair,
    since: earlier(pair.since),
    ...(pair.seen !== undefined && { seen: earlier(pair.seen) }),
  };
}

function hasEnded(state: KeyState): boolean {
  return state === "retired" || state === "revoked";
}

/** From when on it has been seen: from this run on, or since an earlier one, or not at all. */
function observed(pair: KeyPair, isSeen: (generation: string) => boolean, at: string): KeyPair {
  if (pair.state !== "published") return pair;
  const { generation, state, since, seen } = pair;
  return isSeen(generation) ? { generation, state, since, seen: seen ?? at } : { generation, state, since };
}

function newGeneration(now: Date, taken: readonly KeyPair[], revoked: readonly string[]): string {
  const date = now.toISOString().slice(0, 10).replaceAll("-", "");
  const known = new Set([...taken.map(({ generation }) => generation), ...revoked]);
  // Selectors end with r or e, for RSA and Ed25519.
  const letters = ["", ..."bcdfghijklmnopqstuvwxyz"];
  const free = letters.map((letter) => `${date}${letter}`).find((generation) => !known.has(generation));
  if (free === undefined) throw new Error(`no name is free for a new key on ${date}`);
  return free;
}
