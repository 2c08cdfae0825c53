/**
 * Policies that ramp: DMARC from `none` by `quarantine` to `reject` (RFC 9989 section 7.4), MTA-STS from `testing` to `enforce`
 * (RFC 8461 section 5). What a run finds of the one before, and what other servers have reported since, makes the next state;
 * nothing here asks or remembers anything itself. A run too many, a late one, or one that died and left no word of itself only
 * delays a step. No step goes back: what a receiver has learnt to refuse is the owner's to take back.
 */

/** Where a policy stands. */
export interface RampState {
  /** The policy itself, one of the ramp's. */
  readonly policy: string;
  /** When it came to it, in ISO 8601. */
  readonly since: string;
  /** What let it come there, in a few words; empty where it began there. */
  readonly why: string;
}

/** The states by the names of the records that tell the policies (`plan/ramps.ts`). */
export type Ramps = Readonly<Record<string, RampState>>;

/** What the reports say to a stricter policy. */
export interface Verdict {
  readonly isSafe: boolean;
  /** Whether something of the owner's own fails, and the present policy already hurts it. */
  readonly isAlarm: boolean;
  /** What they say, in words. */
  readonly text: string;
  /** The same in a few words, where it is safe: a record's comment has 100 letters. */
  readonly short: string;
}

/** One ramp at a run. */
export interface Climb {
  /** From the mildest to the strictest. */
  readonly steps: readonly [string, ...string[]];
  /** Where the run before has left it; `undefined`: there was no such run. */
  readonly before: RampState | undefined;
  /** The policy that the world sees, where that can be told: of a run that died, and of what a stack file said before. */
  readonly published: string | undefined;
  readonly now: Date;
  /** What the reports say to a policy: the next one, or the last. */
  readonly verdict: (next: string) => Verdict;
}

/** Where it stands now, and why. */
export interface Climbed {
  readonly state: RampState;
  /** One sentence or two, without whose policy it is. */
  readonly text: string;
  readonly isAlarm: boolean;
  readonly hasMoved: boolean;
}

/**
 * Days that each policy lasts at least, and the most of which reports count: a month each of `none` and `quarantine` is what
 * RFC 9989 section 7.4 asks for before `reject`, and shows what is sent once a month.
 */
export const stepDays = 30;

const day = 86_400_000;

/** The state from now on: at most one step, and never one back. */
export function climb({ steps, before, published, now, verdict }: Climb): Climbed {
  const at = now.toISOString();
  const begun = beginning(steps, before, published, at);
  const stay = (text: string, isAlarm = false): Climbed => ({
    state: begun,
    text: `${begun.policy} since ${begun.since.slice(0, 10)}${text}`,
    isAlarm,
    hasMoved: false,
  });
  const next = steps[steps.indexOf(begun.policy) + 1];
  const { isSafe, isAlarm, text, short } = verdict(next ?? begun.policy);
  if (next === undefined) return stay(`, the last step${isAlarm ? `. ${text}` : ""}`, isAlarm);
  // What fails under the mildest policy is kept from nobody.
  const hurts = isAlarm && begun.policy !== steps[0];
  const days = Math.floor((now.getTime() - Date.parse(begun.since)) / day);
  if (days < stepDays) return stay(`, ${days} of ${stepDays} days. ${text}`, hurts);
  if (!isSafe) return stay(`, and not ${next} yet. ${text}`, hurts);
  return {
    state: { policy: next, since: at, why: short },
    text: `from ${begun.policy} to ${next}. ${text}`,
    isAlarm: false,
    hasMoved: true,
  };
}

/** What this run begins with: the stricter of what is written down and what the world sees. */
function beginning(
  steps: Climb["steps"],
  before: RampState | undefined,
  published: string | undefined,
  at: string,
): RampState {
  const known = before !== undefined && steps.includes(before.policy) ? before : undefined;
  const seen = steps.indexOf(published ?? "");
  if (known === undefined || seen > steps.indexOf(known.policy))
    return { policy: steps[seen] ?? steps[0], since: at, why: "" };
  // A clock that was wrong once must not hold it for good.
  return known.since > at ? { ...known, since: at } : known;
}

// ── What the reports say ──

/** What one reporter has said of a domain's mail: messages. */
export interface MailSeen {
  /** The domain that the reports came from, as DMARC found. */
  readonly reporter: string;
  /** Aligned by DKIM or SPF. */
  readonly passed: number;
  /** The owner's own, and neither. */
  readonly failed: number;
  /** Signed by the domain, and changed by who passed them on. */
  readonly altered: number;
  /** Everybody else's. */
  readonly strange: number;
}

/** Where messages came from. */
export interface Source {
  readonly ip: string;
  readonly messages: number;
}

/** What reports on DMARC have said of a domain. */
export interface MailEvidence {
  readonly reporters: readonly MailSeen[];
  /** The busiest addresses of the own mail that fails. */
  readonly failing: readonly Source[];
  /** The busiest of those that are nobody's known. */
  readonly strangers: readonly Source[];
}

/** What one reporter has said of TLS: sessions. */
export interface SessionsSeen {
  readonly reporter: string;
  /** A result type of RFC 8460 section 4.3; empty: it went well. */
  readonly failure: string;
  readonly sessions: number;
}

/** What a ramp needs to have heard. */
export const bounds = {
  /** Organisations that have reported. */
  reporters: 2,
  /** Messages or sessions of the owner's own. */
  count: 30,
  /** The share of these that may fail: a receiver's resolver has a bad day, a list sends a post back through an alias. */
  failing: 0.01,
  /** The share of a domain's mail that may lose its signature on the way where such mail is to be refused (RFC 9989 section 7.4). */
  altered: 0.05,
} as const;

/**
 * Whether a domain's own mail would come through under a next policy. A failure counts where it was seen, too: ten thousand
 * messages that somebody made up hide no failure that another has reported.
 */
export function mailVerdict({ reporters, failing, strangers }: MailEvidence, next: string): Verdict {
  const passed = sum(reporters, ({ passed }) => passed);
  const failed = sum(reporters, ({ failed }) => failed);
  const altered = sum(reporters, ({ altered }) => altered);
  const strange = sum(reporters, ({ strange }) => strange);
  const own = passed + failed;
  const heard = organisations(reporters.filter((seen) => seen.passed > 0).map(({ reporter }) => reporter));
  const fail = (count: number) => (count === 1 ? "fails" : "fail");
  const others =
    strange === 0
      ? ""
      : ` ${counted(strange, "message")} of strangers ${fail(strange)} (${listed(strangers)}): name the sender in SPF and let it sign if it is yours.`;
  const no = (text: string, fails = false): Verdict => ({
    isSafe: false,
    // One of a handful is no news, though no step is taken for it.
    isAlarm: fails && own >= bounds.count,
    text: `${text}.${others}`,
    short: "",
  });
  if (isTooMuch(failed, own)) {
    const witnesses = reporters
      .filter((seen) => seen.failed > 0)
      .toSorted((one, other) => other.failed - one.failed)
      .slice(0, mostNamed)
      .map(({ reporter }) => reporter);
    return no(
      `Of ${counted(own, "own message")} ${failed} ${fail(failed)} (${listed(failing)}; seen by ${witnesses.join(", ")})`,
      true,
    );
  }
  const worst = reporters.find((seen) => isTooMuch(seen.failed, seen.passed + seen.failed, 1));
  if (worst !== undefined)
    return no(
      `Of ${counted(worst.passed + worst.failed, "own message")} that ${worst.reporter} has seen ${worst.failed} fail (${listed(failing)})`,
      true,
    );
  if (next === "reject") {
    const lost = (count: number, all: number, seenBy = "") =>
      no(
        `Of ${counted(all, "own message")}${seenBy} ${count} lost the signature at who passed them on, and would be refused`,
      );
    if (altered > bounds.altered * (own + altered)) return lost(altered, own + altered);
    for (const seen of reporters) {
      const all = seen.passed + seen.failed + seen.altered;
      if (seen.altered > Math.max(1, bounds.altered * all))
        return lost(seen.altered, all, ` that ${seen.reporter} has seen`);
    }
  }
  if (heard < bounds.reporters || own < bounds.count) return no(tooLittle(own, "own message", heard));
  return {
    isSafe: true,
    isAlarm: false,
    text: `${counted(own, "own message")} in reports of ${heard} organisations, ${failed === 0 ? "none fails" : `${failed} failed`}.${others}`,
    short: inShort(own, "messages", heard, failed),
  };
}

/** Failures of the policy itself or of a certificate: of these a strict policy lets nothing through. */
const grave = /^(sts-|certificate-)/;

/** Whether mail would come in if only TLS as the policy has it were good enough. */
export function tlsVerdict(seen: readonly SessionsSeen[]): Verdict {
  const good = sum(
    seen.filter(({ failure }) => failure === ""),
    ({ sessions }) => sessions,
  );
  const bad = seen.filter(({ failure, sessions }) => failure !== "" && sessions > 0);
  const failed = sum(bad, ({ sessions }) => sessions);
  const all = good + failed;
  const heard = organisations(
    seen.filter(({ failure, sessions }) => failure === "" && sessions > 0).map(({ reporter }) => reporter),
  );
  const byReporter = [...Map.groupBy(seen, ({ reporter }) => reporter)].map(([reporter, some]) => ({
    reporter,
    failed: sum(
      some.filter(({ failure }) => failure !== ""),
      ({ sessions }) => sessions,
    ),
    all: sum(some, ({ sessions }) => sessions),
  }));
  const no = (text: string, isAlarm = false): Verdict => ({ isSafe: false, isAlarm, text, short: "" });
  const worst = byReporter.some((one) => isTooMuch(one.failed, one.all, 1));
  const gravely = bad.filter(({ failure }) => grave.test(failure));
  const isGrave = gravely.length > 0;
  // One alone may be wrong, or lie: its word stops a step and is no news.
  const isSure = organisations(gravely.map(({ reporter }) => reporter)) >= bounds.reporters;
  if (isGrave || isTooMuch(failed, all) || worst) {
    const kinds = [...Map.groupBy(bad, ({ failure, reporter }) => `${failure} at ${reporter}`)]
      .slice(0, mostNamed)
      .map(([kind, some]) => `${kind}: ${sum(some, ({ sessions }) => sessions)}`);
    return no(
      `Of ${counted(all, "session")} ${failed} failed (${kinds.join(", ")}).`,
      isSure || all >= bounds.count,
    );
  }
  if (heard < bounds.reporters || all < bounds.count) return no(`${tooLittle(all, "session", heard)}.`);
  return {
    isSafe: true,
    isAlarm: false,
    text: `${counted(all, "session")} in reports of ${heard} organisations, ${failed === 0 ? "none failed" : `${failed} failed`}.`,
    short: inShort(all, "sessions", heard, failed),
  };
}

/** @param least failures that are always too few to be too much */
function isTooMuch(failed: number, all: number, least = 0): boolean {
  return failed > Math.max(least, bounds.failing * all);
}

function tooLittle(count: number, what: string, heard: number): string {
  return `The reports tell of ${counted(count, what)} and come from ${counted(heard, "organisation")}: ${bounds.count} of ${bounds.reporters} are needed`;
}

const mostNamed = 3;

function listed(sources: readonly Source[]): string {
  return sources
    .slice(0, mostNamed)
    .map(({ ip, messages }) => `${ip}: ${messages}`)
    .join(", ");
}

/** Names below one domain are one organisation's. Where a registry is two labels deep this counts too few. */
function organisations(reporters: readonly string[]): number {
  return new Set(reporters.map((name) => name.split(".").slice(-2).join("."))).size;
}

function inShort(all: number, what: string, heard: number, failed: number): string {
  // Whoever reports may write any number.
  const { format } = new Intl.NumberFormat("en", { notation: "compact" });
  return `${format(all)} ${what}, ${format(heard)} reporters, ${format(failed)} failed`;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
