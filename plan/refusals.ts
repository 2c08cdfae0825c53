/**
 * Why a deployment stops before anything is made. The program says it when it stops, and the check before the first `up`,
 * when it looks: each trouble has the same words in both.
 */
import { type Mistake, SettingsError } from "../settings/mistakes.ts";
import { closestAbove, liesIn } from "../settings/names.ts";
import type { Settings } from "../settings/types.ts";
import { conflicts } from "./conflicts.ts";
import { nameserver, ownRecord } from "./nameserver.ts";
import { dayOf } from "./plan.ts";
import { dnsRecords } from "./records.ts";

export interface Refusal {
  /** What is so: a sentence without its full stop. */
  readonly text: string;
  /** What to do: whole sentences. */
  readonly remedy: string;
}

/** As the program says it. */
export function refusalText({ text, remedy }: Refusal): string {
  return `${text}. ${remedy}`;
}

/** The same where it may look as if something had been done already. */
export function untouchedText(refusal: Refusal): string {
  return `${refusalText(refusal)} Nothing was touched.`;
}

export function awsRefuses(reason: string): Refusal {
  return {
    text: `AWS does not answer as it should: ${reason}`,
    remedy:
      "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and look at aws:region in the stack file.",
  };
}

/** @param reason what AWS said */
export function subnetHidden(subnetId: string, reason: string): Refusal {
  return {
    text: `AWS does not show the subnet ${subnetId} of mailhost:network.subnetId: ${reason}`,
    remedy: "Write the id of a subnet of this account in aws:region there, or leave it out.",
  };
}

/** `us-west-2-lax-1a` is a local zone: it has neither our disks nor our addresses. */
export function wholeZones(zones: readonly string[]): readonly string[] {
  return zones.filter((zone) => /^[a-z]+(-[a-z]+)+-\d+[a-z]$/.test(zone)).sort();
}

export function typeNotOffered(instanceType: string): Refusal {
  return {
    text: `AWS offers no ${instanceType} in this region`,
    remedy: "Write another type in mailhost:server.instanceType, or another aws:region.",
  };
}

/** @param offering zones of the region that have it */
export function typeNotInZone(instanceType: string, zone: string, offering: readonly string[]): Refusal {
  return {
    text: `AWS offers no ${instanceType} in ${zone}, where the host is, only in ${offering.join(", ")}`,
    remedy: "Write another type in mailhost:server.instanceType.",
  };
}

export function cloudflareRefuses(reason: string): Refusal {
  return {
    text: `Cloudflare does not answer as it should: ${reason}`,
    remedy:
      'Set CLOUDFLARE_API_TOKEN to a token with Zone Read and DNS Edit for your zones, and with Workers Routes Edit and Workers Scripts Edit for mail programs\' set-up (README.md, "A real one").',
  };
}

/** @param accountId Cloudflare's, that the zones are in */
export function workersRefused(accountId: string, reason: string): Refusal {
  return {
    text: `Cloudflare does not let CLOUDFLARE_API_TOKEN at the Workers of the account ${accountId}: ${reason}`,
    remedy:
      "A Worker tells mail programs their settings, and other servers the MTA-STS policy: give the token Account → Workers Scripts → Edit and Zone → Workers Routes → Edit, or write mailhost:clientSetup: false and mailhost:mtaSts: false.",
  };
}

/** A place in the stack file that asks for a zone. */
export interface ZoneUse {
  readonly path: readonly string[];
  /** The name that is to be in the zone. */
  readonly name: string;
  readonly zone: string;
  /** The setting that says which zone it is. */
  readonly setting: string;
}

/** Every zone that is asked for, at its places in the stack file. */
export function zoneUses({ domains, hostname, hostnameZone, options }: Settings): readonly ZoneUse[] {
  const use = (top: string, name: string, zone: string): ZoneUse => ({
    path: [top, name, ...(zone === name ? [] : ["zone"])],
    name,
    zone,
    setting: "zone",
  });
  return [
    ...domains.map(({ name, zone }) => use("domains", name, zone)),
    ...Object.entries(options.parked).map(([name, { zone = name }]) => use("parked", name, zone)),
    // The host's name is mostly in a zone of the mail domains, and what is to be said is said already.
    ...(domains.some(({ zone }) => zone === hostnameZone)
      ? []
      : [{ path: ["hostname"], name: hostname, zone: hostnameZone, setting: "mailhost:hostnameZone" }]),
  ];
}

/** @param known the names of those that Cloudflare shows */
export function missingAtCloudflare(
  { path, name, zone, setting }: ZoneUse,
  known: readonly string[],
): readonly Mistake[] {
  if (known.includes(zone)) return [];
  const parent = closestAbove(name, known);
  const advice =
    parent === undefined
      ? `add ${zone} to your Cloudflare account`
      : `write ${setting}: ${parent} (which exists)`;
  return [{ path, message: `Cloudflare has no zone ${zone}; ${advice}, or give the token Zone Read for it` }];
}

/**
 * The settings that `read` makes of a stack file, where nothing else is mistaken in it either.
 * @throws SettingsError with all mistakes
 */
export function deployable(read: () => Settings, region: string | undefined, now: Date): Settings {
  const mistakes = regionMistakes(region);
  try {
    const settings = read();
    mistakes.push(...daysToCome(settings, now), ...contradictingRecords(settings, now));
    if (mistakes.length === 0) return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    mistakes.push(...error.mistakes);
  }
  throw new SettingsError(mistakes);
}

/** The provider would say it once for each thing that it is asked to make. */
/** What is wrong with a stack's region, if anything. */
export function regionMistakes(region: string | undefined): Mistake[] {
  const path = ["aws:region"];
  if (region === undefined || region === "")
    return [{ path, message: "is missing; write the AWS region of the host, such as eu-central-1" }];
  const zone = /^([a-z]+(-[a-z]+)+-\d+)[a-z]$/.exec(region);
  if (zone !== null) return [{ path, message: `is a zone of a region; write ${zone[1]}` }];
  return /^[a-z]+(-[a-z]+)+-\d+$/.test(region)
    ? []
    : [{ path, message: "is not an AWS region; write one such as eu-central-1" }];
}

/** A day far ahead is a slip of the pen: the selectors would carry it for good. Tomorrow is today somewhere. */
export function daysToCome({ domains }: Pick<Settings, "domains">, now: Date): Mistake[] {
  const tomorrow = dayOf(new Date(now.getTime() + 24 * 3600 * 1000));
  return domains
    .filter(({ since }) => since > tomorrow)
    .map(({ name }) => ({
      path: ["domains", name, "since"],
      message: `is in the future; write the day on which the domain comes here, such as ${dayOf(now)}`,
    }));
}

/** Records of the owner's in zones that the host serves, where the program has its own: two SPF records spoil each other. */
export function contradictingRecords(settings: Settings, now: Date): Mistake[] {
  const own = nameserver(settings);
  if (own === undefined) return [];
  const records = dnsRecords(settings, dayOf(now));
  return own.zones.flatMap((zone) =>
    own.lines(zone).flatMap((line, index) => {
      const { name, type, value } = ownRecord(zone, line);
      const existing = { id: "", name, type, content: value, comment: "" };
      const taken = records.find((record) => {
        // Whoever has a name handed over has all below it; and Knot, unlike some providers, makes no address of a CNAME.
        if (type === "NS" || type === "CNAME")
          return type === "NS" ? liesIn(record.name, name) : record.name === name;
        const content = typeof record.content === "string" ? record.content : record.content.text("");
        return conflicts(record, content, [existing], undefined).length > 0;
      });
      return taken === undefined
        ? []
        : [
            {
              path: ["dns", "host", "records", zone, index],
              message: `stands where the mail host has a record of its own, ${taken.type} ${taken.name}; take it out, or give it another name`,
            },
          ];
    }),
  );
}
