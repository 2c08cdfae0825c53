import type { Domain, Settings } from "../settings/types.ts";
import { policyIn } from "./dmarc.ts";
import { type MtaStsMode, mtaStsRecord } from "./mtaSts.ts";
import {
  type Climbed,
  climb,
  type MailEvidence,
  mailVerdict,
  type RampState,
  type Ramps,
  type SessionsSeen,
  stepDays,
  tlsVerdict,
  type Verdict,
} from "./ramp.ts";
import { isRelayed, relayRoute } from "./relay.ts";
import { shellWord } from "./shell.ts";
import { quoteTxt } from "./txt.ts";
import type { DnsRecord } from "./types.ts";

/** What the host's reports say, as its program `reports weigh` prints it. */
export interface Weighed {
  /** By domain. */
  readonly dmarc: Readonly<Record<string, MailEvidence>>;
  /** Of all domains: they have one host, one certificate and one Worker. */
  readonly tls: readonly SessionsSeen[];
}

/** The same, or why nobody can tell. */
export type Evidence = Weighed | { readonly silence: string };

const dmarcSteps = ["none", "quarantine", "reject"] as const;
const mtaStsSteps = ["testing", "enforce"] as const;

/** The name of the one ramp of MTA-STS: all domains have it together. */
export const mtaStsName = "_mta-sts";

/** A policy that the stack file lets ramp. */
interface Ramp {
  /** Its name among the states: where its record stands. */
  readonly name: string;
  /** Whose policy it is, in words. */
  readonly what: string;
  readonly steps: readonly [string, ...string[]];
  /** The policy that the published TXT records tell, quoted, by their names; `undefined` where there is none. */
  readonly published: (texts: ReadonlyMap<string, string>) => string | undefined;
  readonly verdict: (weighed: Weighed, next: string) => Verdict;
}

export const dmarcName = (domain: string) => `_dmarc.${domain}`;

function rampsOf(settings: Settings): readonly Ramp[] {
  return [
    ...settings.domains
      .filter(({ dmarc }) => dmarc.policy === "ramp")
      .map(
        ({ name: domain }): Ramp => ({
          name: dmarcName(domain),
          what: `${domain}, DMARC`,
          steps: dmarcSteps,
          published: (texts) => policyIn(texts.get(dmarcName(domain)) ?? ""),
          verdict: ({ dmarc }, next) =>
            mailVerdict(dmarc[domain] ?? { reporters: [], failing: [], strangers: [] }, next),
        }),
      ),
    ...(settings.options.mtaSts === "ramp"
      ? [
          {
            name: mtaStsName,
            what: "MTA-STS",
            steps: mtaStsSteps,
            published: (texts) =>
              mtaStsSteps.findLast((mode) =>
                settings.domains.some(
                  ({ name }) => texts.get(`_mta-sts.${name}`) === quoteTxt(mtaStsRecord(mode, settings)),
                ),
              ),
            verdict: ({ tls }) => tlsVerdict(tls),
          } satisfies Ramp,
        ]
      : []),
  ];
}

/**
 * The DMARC policies that would become milder, by domain: `reject to none`. No ramp does that: somebody has written it into
 * the stack file, perhaps in passing.
 * @param before the records of the last whole run, as the stack's output has them
 */
export function dmarcTakenBack(
  before: readonly Pick<DnsRecord, "name" | "type" | "content">[],
  records: readonly DnsRecord[],
): Readonly<Record<string, string>> {
  const policies = (all: typeof before) =>
    new Map(
      all
        .filter(({ type, name }) => type === "TXT" && name.startsWith(dmarcName("")))
        .map(({ name, content }) => [name, typeof content === "string" ? policyIn(content) : undefined]),
    );
  const now = policies(records);
  const fromMildest: readonly (string | undefined)[] = dmarcSteps;
  return Object.fromEntries(
    [...policies(before)].flatMap(([name, policy]) => {
      const next = now.get(name);
      return next !== undefined && fromMildest.indexOf(next) < fromMildest.indexOf(policy)
        ? [[name.slice(dmarcName("").length), `${policy} to ${next}`]]
        : [];
    }),
  );
}

/** Whether the stack file lets any policy ramp. */
export function hasRamps(settings: Settings): boolean {
  return rampsOf(settings).length > 0;
}

/** A domain's DMARC policy now, and what brought it there where it ramps. */
export function dmarcNow(
  { name, dmarc: { policy } }: Domain,
  ramps: Ramps,
): { readonly policy: (typeof dmarcSteps)[number]; readonly climbed?: RampState } {
  return policy === "ramp" ? stepOf(dmarcSteps, ramps[dmarcName(name)]) : { policy };
}

/** The mode of MTA-STS now, and what brought it there where it ramps. */
export function mtaStsNow(
  mode: MtaStsMode | "ramp",
  ramps: Ramps,
): { readonly policy: MtaStsMode; readonly climbed?: RampState } {
  return mode === "ramp" ? stepOf(mtaStsSteps, ramps[mtaStsName]) : { policy: mode };
}

/** What a ramp adds to a record's reason: nothing before its first step. */
export function sinceWhen({ policy, since, why }: RampState): string {
  return `${policy} since ${since.slice(0, 10)}: ${why}`;
}

/** Without a state a ramp stands where it begins. */
function stepOf<Step extends string>(steps: readonly [Step, ...Step[]], state: RampState | undefined) {
  const policy = steps.find((step) => step === state?.policy) ?? steps[0];
  return { policy, ...(state?.why && { climbed: state }) };
}

/** The command that asks the host what its reports say, as root; nothing where no policy ramps. */
export function weighCommand(
  settings: Settings,
  ramps: Ramps,
  now: Date,
  addresses: readonly string[],
): string | undefined {
  if (!hasRamps(settings)) return undefined;
  const from = (name: string) => {
    const earliest = now.getTime() - stepDays * 86_400_000;
    // What has not begun yet has heard nothing; a clock ahead has no say here.
    const begun = Date.parse(ramps[name]?.since ?? "") || 0;
    return Math.floor(Math.max(earliest, Math.min(begun, now.getTime())) / 1000);
  };
  const route = relayRoute(settings);
  const question = {
    addresses,
    dmarc: Object.fromEntries(
      settings.domains
        .filter(({ dmarc }) => dmarc.policy === "ramp")
        .map(({ name }) => [name, { since: from(dmarcName(name)), relayed: isRelayed(route, name) }]),
    ),
    tls: { since: from(mtaStsName) },
  };
  return `runuser -u reports -- /usr/local/lib/mailhost/reports weigh ${shellWord(JSON.stringify(question))} </dev/null`;
}

/** A ramp after a run: its state, and what is to be said about it. */
export interface Ramped extends Climbed {
  readonly name: string;
  /** Whose policy it is, and where it stands: a whole line. */
  readonly line: string;
}

/**
 * Every ramp from now on.
 * @param before as the run before has left them
 * @param texts TXT records that are published, quoted, by their names
 */
export function ramped(
  settings: Settings,
  before: Ramps,
  texts: ReadonlyMap<string, string>,
  now: Date,
  evidence: Evidence,
): readonly Ramped[] {
  return rampsOf(settings).map(({ name, what, steps, published, verdict }) => {
    const climbed = climb({
      steps,
      before: before[name],
      published: published(texts),
      now,
      verdict: (next) =>
        "silence" in evidence
          ? {
              isSafe: false,
              isAlarm: false,
              text: `What the reports say is not known: ${evidence.silence}.`,
              short: "",
            }
          : verdict(evidence, next),
    });
    return { ...climbed, name, line: `${what}: ${climbed.text}` };
  });
}

/** The states alone. */
export function statesOf(all: readonly Ramped[]): Ramps {
  return Object.fromEntries(all.map(({ name, state }) => [name, state]));
}

/** The ramp whose policy a record tells, where it is one. */
export function rampOf({ name, type }: Pick<DnsRecord, "name" | "type">): string | undefined {
  if (type !== "TXT") return undefined;
  if (name.startsWith(`${mtaStsName}.`)) return mtaStsName;
  return name.startsWith("_dmarc.") ? name : undefined;
}
