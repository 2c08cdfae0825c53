import { ask, authoritiesOf, type DnsAnswer, valuesOf } from "../../dns/client.ts";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
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
      Object.fromEntries(
        [...recordSets(target).keys()]
          // Of the host's own zones more is known (nameservers.ts).
          .filter((zone) => dnsProviderOf(target.settings.options.dns, zone) !== "host")
          .map((zone) => [zone, oneZone(target, zone)]),
      ),
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
  return namesIn(await anyOf(target, asked, zone, "NS"), zone);
}

/** What a registry says of a zone below its own. */
export interface Registered {
  /** Names of the nameservers, in order. */
  readonly names: readonly string[];
  /** Addresses by those names, where it has some (glue). */
  readonly glue: ReadonlyMap<string, readonly string[]>;
  /** DS records, as `valuesOf` writes them. */
  readonly ds: readonly string[];
}

/** What the zone above says. @throws when nobody answers */
export async function registered(asked: Asked, zone: string): Promise<Registered> {
  const parent = await parentOf(asked, zone);
  const [delegated, vouched] = await Promise.all([
    anyOf(asked, parent, zone, "NS"),
    anyOf(asked, parent, zone, "DS"),
  ]);
  const glue = Map.groupBy(delegated.glue, ({ name }) => name.toLowerCase());
  return {
    names: namesIn(delegated, zone),
    glue: new Map([...glue].map(([name, addresses]) => [name, valuesOf(addresses)])),
    ds: valuesOf(vouched.answers),
  };
}

function namesIn({ answers, referral }: DnsAnswer, zone: string): readonly string[] {
  const named = answers.length > 0 ? answers : referral.filter(({ name }) => name.toLowerCase() === zone);
  return valuesOf(named).map((name) => name.toLowerCase());
}

/** What the first of a zone's servers says that answers. @throws when none does */
async function anyOf(target: Asked, zone: string, name: string, type: "NS" | "DS"): Promise<DnsAnswer> {
  const servers = target.nameservers?.[zone] ?? (await authoritiesOf(zone, target.resolver));
  return await Promise.any(
    servers.slice(0, enough).map((server) => ask(server, name, type, { recursion: false })),
  ).catch(({ errors: [first] }: AggregateError) => Promise.reject(first));
}

async function hasAddress({ resolver }: CheckTarget, name: string): Promise<boolean> {
  const found = await Promise.all((["A", "AAAA"] as const).map((type) => ask(resolver, name, type)));
  return found.some(({ answers }) => answers.length > 0);
}

export function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(" and ");
}

/** A DS record of a zone file as `valuesOf` writes it; undefined where it is none. */
export function dsValue(record: string): string | undefined {
  const [, tag = "", algorithm = "", type = "", digest = ""] =
    /\bDS\s+(\d+)\s+(\d+)\s+(\d+)\s+([0-9A-F\s]+)$/i.exec(record) ?? [];
  return digest === ""
    ? undefined
    : `${tag} ${algorithm} ${type} ${digest.replaceAll(/\s/g, "").toUpperCase()}`;
}
