import { getZones } from "@pulumi/cloudflare/getZones.js";
import * as pulumi from "@pulumi/pulumi";
import { type Mistake, SettingsError } from "../settings/mistakes.ts";
import { closestAbove } from "../settings/names.ts";
import type { Settings } from "../settings/types.ts";
import { reasonOf } from "./reason.ts";

/** Cloudflare's ids of a zone and of the account that it is in. */
export interface DnsZone {
  readonly id: string;
  readonly accountId: string;
}

/** Cloudflare's zones, by name. */
export type DnsZones = ReadonlyMap<string, DnsZone>;

/**
 * Asked before anything is made: without its zone a host would be half of one.
 *
 * @throws pulumi.RunError naming every zone that Cloudflare does not show, where the stack file asks for it, and what
 * to write instead.
 */
export async function findDnsZones(settings: Settings): Promise<DnsZones> {
  const { results } = await getZones({}).catch((error: Error) => {
    throw new pulumi.RunError(
      `Cloudflare does not answer as it should: ${reasonOf(error)}. Set CLOUDFLARE_API_TOKEN to a token with Zone Read and DNS Edit for your zones, and with Workers Routes Edit and Workers Scripts Edit for mail programs' set-up (README.md, "A real one"). Nothing was touched.`,
    );
  });
  const zones = new Map(results.map(({ name, id, account }) => [name, { id, accountId: account.id }]));
  const mistakes = missingZones(settings, [...zones.keys()]);
  if (mistakes.length > 0) throw new pulumi.RunError(new SettingsError(mistakes).message);
  return zones;
}

/** Every zone that is asked for and is not among the known, at its place in the stack file. */
function missingZones(
  { domains, hostname, hostnameZone, options }: Settings,
  known: readonly string[],
): Mistake[] {
  const mistake = (path: Mistake["path"], name: string, zone: string, key: string): Mistake[] => {
    if (known.includes(zone)) return [];
    const parent = closestAbove(name, known);
    const advice =
      parent === undefined
        ? `add ${zone} to your Cloudflare account`
        : `write ${key}: ${parent} (which exists)`;
    return [
      { path, message: `Cloudflare has no zone ${zone}; ${advice}, or give the token Zone Read for it` },
    ];
  };
  const ofDomains = domains.flatMap(({ name, zone }) =>
    mistake(["domains", name, ...(zone === name ? [] : ["zone"])], name, zone, "zone"),
  );
  const ofParked = Object.entries(options.parked).flatMap(([name, { zone = name }]) =>
    mistake(["parked", name, ...(zone === name ? [] : ["zone"])], name, zone, "zone"),
  );
  // The host's name is mostly in a zone of the mail domains, and that is said already.
  const ofHost = domains.some(({ zone }) => zone === hostnameZone)
    ? []
    : mistake(["hostname"], hostname, hostnameZone, "mailhost:hostnameZone");
  return [...ofDomains, ...ofParked, ...ofHost];
}
