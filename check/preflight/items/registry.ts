import { ask, valuesOf } from "../../../dns/client.ts";
import { type Cloudflare, CloudflareRefusal, type Dnssec, type Zone } from "../../../dns/cloudflare.ts";
import type { Look } from "../../host.ts";
import { delegatedTo, dsValue, listed } from "../../items/delegation.ts";
import { notLookedAt } from "../../sidebyside.ts";
import { about, type Finding, leftOut, right, wrong } from "../../types.ts";
import { type PreflightTarget, shownZones } from "../target.ts";

const silent =
  "Is this machine online, and may it ask DNS servers (port 53)? Put that right, or name another resolver: `npm run check -- --resolver ADDRESS`.";

/** Whether each zone's registry sends the world to Cloudflare, and vouches for Cloudflare's key or for none. */
export const registry: Look<PreflightTarget> = {
  name: "registry",
  group: "Names",
  silent,
  async look(target) {
    const zones = await shownZones(target);
    const found = await Promise.all(
      zones.map(async (zone) => {
        const findings = await oneZone(target, zone).catch((error: unknown) => [
          notLookedAt(zone.name, error, silent),
        ]);
        return about(zone.name, findings);
      }),
    );
    return found.flat();
  },
};

async function oneZone(target: PreflightTarget, zone: Zone): Promise<readonly Finding[]> {
  const { name, name_servers: servers = [] } = zone;
  const [delegated, keys] = await Promise.all([
    delegatedTo(target, name),
    target.cloudflare === undefined ? [] : vouchedKeys(target, target.cloudflare, zone),
  ]);
  const wanted = servers.map((server) => server.toLowerCase()).toSorted();
  // Where the world is sent elsewhere, what is vouched for is somebody else's, too.
  if (delegated.join() !== wanted.join()) {
    return [
      wrong(
        `${name}: the registry names ${listed(delegated)} as its nameservers, and Cloudflare has it at ${listed(wanted)}`,
        `Write ${listed(wanted)}, and no others, into the form at your registrar. Where the domain is signed there, take its DS record out first. It takes some hours.`,
      ),
    ];
  }
  return [
    right(`${name}: the registry sends the world to Cloudflare's nameservers, ${listed(wanted)}`),
    ...keys,
  ];
}

/** What the registry's DS records vouch for: a key that is not Cloudflare's makes the zone unreachable to who validates. */
async function vouchedKeys(
  { resolver }: PreflightTarget,
  cloudflare: Cloudflare,
  { id, name }: Zone,
): Promise<readonly Finding[]> {
  const vouched = valuesOf((await ask(resolver, name, "DS", { checkingDisabled: true })).answers);
  if (vouched.length === 0) return [];
  let dnssec: Dnssec;
  try {
    dnssec = await cloudflare.get<Dnssec>(`/zones/${id}/dnssec`);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    return [
      leftOut(
        `whether the DS record of ${name} is that of Cloudflare's key: the token may not ask (${error.message})`,
      ),
    ];
  }
  const own = dsOf(dnssec);
  if (own !== undefined && vouched.includes(own)) {
    return [right(`${name}: the DS record at the registry is that of Cloudflare's key`)];
  }
  return [
    wrong(
      `${name}: the DS record at the registry is ${vouched.join(" and ")}, and Cloudflare ${own === undefined ? "does not sign the zone" : `has ${own}`}: resolvers that validate find nothing in it`,
      own === undefined
        ? "Take the DS record out at the registrar; `pulumi up` turns signing on, and the check then shows the record that belongs there."
        : `Put this DS record into the registrar's form, and take any other out: ${own}`,
    ),
  ];
}

/** As `valuesOf` writes it; undefined where Cloudflare does not sign. */
function dsOf({ status, ds }: Dnssec): string | undefined {
  return status === "disabled" ? undefined : dsValue(ds ?? "");
}
