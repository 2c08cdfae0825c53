import { ask, authoritiesOf, valuesOf } from "../../dns/client.ts";
import type { Item } from "../host.ts";
import { recordSets } from "../recordsets.ts";
import { sideBySide } from "../sidebyside.ts";
import { type CheckTarget, type Finding, right, wrong } from "../types.ts";
import { delegationRemedy } from "./records.ts";

/** Whether the zone above sends the world to the nameservers that the zone itself names (RFC 1034 section 4.2.2). */
export const delegation: Item = {
  name: "delegation",
  group: "Names",
  look: ({ target }) =>
    sideBySide(
      "delegation",
      Object.fromEntries([...recordSets(target).keys()].map((zone) => [zone, oneZone(target, zone)])),
    ),
};

/** Servers of a zone that are asked: they say the same, and registries have many. */
const enough = 3;

async function oneZone(target: CheckTarget, zone: string): Promise<readonly Finding[]> {
  const [above, own] = await Promise.all([delegatedTo(target, zone), nameservers(target, zone, zone)]);
  const addresses = await Promise.all(
    above.map(async (name) => ({ name, known: await hasAddress(target, name) })),
  );
  const remedy = delegationRemedy(target, zone);
  const lost = addresses.filter(({ known }) => !known);
  if (above.join() !== own.join()) {
    return [
      wrong(
        `${zone}: the registry names ${listed(above)} as its nameservers, the zone itself ${listed(own)}`,
        remedy,
      ),
    ];
  }
  return lost.length > 0
    ? lost.map(({ name }) => wrong(`${zone}: its nameserver ${name} has no address`, remedy))
    : [right(`${zone}: the registry and the zone name the same nameservers, ${listed(own)}`)];
}

/** What can be asked. */
type Asked = Pick<CheckTarget, "resolver" | "nameservers">;

/** Names of the nameservers that the zone above sends the world to, in order. @throws when nobody answers */
export async function delegatedTo(asked: Asked, zone: string): Promise<readonly string[]> {
  return await nameservers(asked, await parentOf(asked, zone), zone);
}

/** The zone above: the closest name that has nameservers of its own. */
async function parentOf(target: Asked, zone: string): Promise<string> {
  for (let name = zone; name !== ""; ) {
    name = name.slice(`${name}.`.indexOf(".") + 1);
    if (target.nameservers?.[name] !== undefined) return name;
    if ((await ask(target.resolver, name || ".", "NS")).answers.length > 0) return name || ".";
  }
  throw new Error(`${target.resolver} knows no zone above ${zone}`);
}

/** Names of a zone's nameservers by what those of another zone say. @throws when none of these answers */
async function nameservers(target: Asked, asked: string, zone: string): Promise<readonly string[]> {
  const servers = target.nameservers?.[asked] ?? (await authoritiesOf(asked, target.resolver));
  const { answers, referral } = await Promise.any(
    servers.slice(0, enough).map((server) => ask(server, zone, "NS", { recursion: false })),
  ).catch(({ errors: [first] }: AggregateError) => Promise.reject(first));
  const named = answers.length > 0 ? answers : referral.filter(({ name }) => name.toLowerCase() === zone);
  return valuesOf(named).map((name) => name.toLowerCase());
}

async function hasAddress({ resolver }: CheckTarget, name: string): Promise<boolean> {
  const found = await Promise.all((["A", "AAAA"] as const).map((type) => ask(resolver, name, type)));
  return found.some(({ answers }) => answers.length > 0);
}

export function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(" and ");
}
