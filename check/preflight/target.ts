import type { Cloudflare, Zone } from "../../dns/cloudflare.ts";
import { type DnsProvider, dnsProviderOf } from "../../plan/dnsProvider.ts";
import type { Plan } from "../../plan/plan.ts";
import { liesIn } from "../../settings/names.ts";
import type { CheckTarget } from "../types.ts";
import type { Aws } from "./aws.ts";

/** A stack that has no host yet, and the accounts that are to give it one. */
export interface PreflightTarget
  extends Pick<CheckTarget, "stack" | "isLocal" | "only" | "resolver" | "nameservers"> {
  readonly plan: Plan;
  readonly aws?: Aws;
  /** Why no credential is found. */
  readonly awsTrouble?: string;
  /** Why it is not looked for. */
  readonly awsLeftOut?: string;
  /** Undefined without a token. */
  readonly cloudflare?: Cloudflare;
  readonly held: Held;
}

/** What the stack has already, of an `up` that did not come to its end, or of a `destroy` that kept it. */
export interface Held {
  /** What the comments of its records begin with. */
  readonly mark?: string;
  /** Its elastic IP. */
  readonly address?: string;
}

/** Zones that this look is about: all, or those of one domain and of the host's name; by who keeps them. */
export function wantedZones({ plan, only }: PreflightTarget): ReadonlyMap<DnsProvider, readonly string[]> {
  const { settings, records } = plan;
  const zones = [...new Set([...records.map(({ zone }) => zone), settings.hostnameZone])];
  const domain = settings.domains.find(({ name }) => name === only);
  const wanted = zones.filter(
    (zone) => domain === undefined || zone === domain.zone || zone === settings.hostnameZone,
  );
  return Map.groupBy(wanted.toSorted(), (zone) => dnsProviderOf(settings.options.dns, zone));
}

/** Whether this look is about a name. */
export function isWantedName({ plan, only }: PreflightTarget, name: string): boolean {
  return only === undefined || liesIn(name, only) || liesIn(name, plan.settings.hostname);
}

/**
 * Those among them that Cloudflare shows. Where it shows none at all, that is told by the look at the account, and
 * everybody else has nothing to say.
 */
export async function shownZones(target: PreflightTarget): Promise<readonly Zone[]> {
  const wanted = wantedZones(target).get("cloudflare") ?? [];
  const zones = await target.cloudflare?.zones().catch(() => []);
  return (zones ?? []).filter(({ name }) => wanted.includes(name));
}
