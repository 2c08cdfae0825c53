import { ask, type DnsAnswer, valuesOf } from "../../dns/client.ts";
import {
  delegationOf,
  type Nameserver,
  nameserver,
  type SecondaryServer,
  writtenAddresses,
} from "../../plan/nameserver.ts";
import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { isWanted } from "../recordsets.ts";
import { notLookedAt } from "../sidebyside.ts";
import { about, type Finding, right, wrong } from "../types.ts";
import { dsValue, listed, type Registered, registered } from "./delegation.ts";

/**
 * The zones that the host serves by itself, step by step on the way that a question takes: what the registry says, and then each
 * nameserver. What a resolver makes of it in the end, the item `validation` looks at.
 */
export const nameservers: Item = {
  name: "nameservers",
  group: "Names",
  async look(host) {
    const { target } = host;
    const own = nameserver(target.settings);
    if (own === undefined) return [];
    const zones = own.zones.filter((zone) => isWanted(zone, target) || target.only?.endsWith(`.${zone}`));
    const found = await Promise.all(
      zones.map(async (zone) => [...(await registry(host, own, zone)), ...(await servers(host, own, zone))]),
    );
    return found.flat();
  },
};

const registrar = (zone: string) => `In the registrar's form for ${zone}`;

async function registry(host: HostUnderCheck, own: Nameserver, zone: string): Promise<readonly Finding[]> {
  const { target } = host;
  let above: Registered;
  try {
    above = await registered(target, zone);
  } catch (error) {
    return about(zone, [
      notLookedAt(zone, error, "Is this machine online, and may it ask DNS servers (port 53)?"),
    ]);
  }
  const { publicIpv4, publicIpv6 } = target.facts;
  const wanted = delegationOf(own, zone, publicIpv6 === undefined ? [publicIpv4] : [publicIpv4, publicIpv6]);
  const words = wanted.map(({ name, glue }) =>
    glue.length === 0 ? name : `${name} with the address ${glue.join(" and ")}`,
  );
  const names = wanted.map(({ name }) => name).toSorted();
  if (above.names.join() !== names.join())
    return about(`registry.${zone}`, [
      wrong(
        `${zone}: the registry names ${listed(above.names)} as its nameservers, and it is served by ${listed(names)}`,
        `${registrar(zone)} write as nameservers ${listed(words)}, and no others. It takes some hours.`,
      ),
    ]);
  const strayed = wanted.filter(
    ({ name, glue }) =>
      glue.length > 0 && (above.glue.get(name) ?? []).toSorted().join() !== glue.toSorted().join(),
  );
  if (strayed.length > 0)
    return about(
      `registry.${zone}`,
      strayed.map(({ name, glue }) =>
        wrong(
          `${zone}: the registry has the address of ${name} as ${listed(above.glue.get(name) ?? [])} (glue), and it is ${listed(glue)}`,
          `${registrar(zone)} write the address of the nameserver ${name}: ${glue.join(" and ")}`,
        ),
      ),
    );
  return [
    right(`${zone}: the registry sends the world to ${listed(words)}`, { part: `registry.${zone}` }),
    ...vouched(target.ds[zone] ?? "", above, zone),
  ];
}

/** Whether what the registry vouches for is the key that the zone is signed with. */
function vouched(record: string, { ds }: Registered, zone: string): readonly Finding[] {
  const own = dsValue(record);
  const part = `ds.${zone}`;
  if (own === undefined)
    return [
      wrong(
        `${zone}: the stack does not know its DS record`,
        'Run `pulumi up --replace "**nameserver-ds"`: it asks the host for it.',
        { part },
      ),
    ];
  if (ds.length === 0)
    return [
      wrong(
        `${zone}: it is signed, and the registry has no DS record, so nobody sees whether an answer is forged`,
        `${registrar(zone)} write this DS record: ${record}`,
        { part },
      ),
    ];
  return ds.includes(own)
    ? [right(`${zone}: the DS record at the registry is that of the zone's key`, { part })]
    : [
        wrong(
          `${zone}: the DS record at the registry is ${listed(ds)}, and the zone's key has ${own}: resolvers that validate find nothing in it`,
          `${registrar(zone)} write this DS record, and take any other out: ${record}`,
          { part },
        ),
      ];
}

/** Where a nameserver is asked, and what it says of a zone. */
interface Seen {
  readonly name: string;
  readonly address: string;
  readonly soa: DnsAnswer | Error;
  readonly ns: readonly string[];
}

async function servers(host: HostUnderCheck, own: Nameserver, zone: string): Promise<readonly Finding[]> {
  const all = [
    { name: own.name, addresses: [host.from.at] },
    ...(await Promise.all(
      own.secondaries.map(async (other) => ({
        name: other.name,
        addresses: await whereAsked(host, own, other),
      })),
    )),
  ];
  const seen = await Promise.all(
    all.flatMap(({ name, addresses }) => addresses.map((address) => lookAt(name, address, zone))),
  );
  const [primary] = seen;
  if (primary === undefined) return [];
  const serial = serialOf(primary);
  const findings = seen.flatMap((one) => {
    const isOwn = one === primary;
    const said = isOwn ? ownFault(host, own, zone, one) : copyFault(host, own, zone, one, serial);
    return said === undefined ? [] : about(`${zone}.${one.name}`, [said]);
  });
  return findings.length > 0
    ? findings
    : about(zone, [
        right(
          `${zone}: ${listed(all.map(({ name }) => name))} ${all.length === 1 ? "serves" : "serve"} it, signed, with the serial ${serial}`,
        ),
      ]);
}

/** Where the world asks a secondary; where its name leads nowhere, where it copies the zones from. */
async function whereAsked(
  { target: { resolver } }: HostUnderCheck,
  { zones, lines }: Nameserver,
  { name, addresses }: SecondaryServer,
): Promise<readonly string[]> {
  const written = writtenAddresses(name, zones, lines);
  if (written.length > 0) return written;
  const found = await ask(resolver, name, "A").catch(() => undefined);
  const known = valuesOf((found?.answers ?? []).filter(({ type }) => type === "A"));
  return known.length > 0 ? known : addresses;
}

async function lookAt(name: string, address: string, zone: string): Promise<Seen> {
  try {
    const [soa, ns] = await Promise.all([
      ask(address, zone, "SOA", { recursion: false, signatures: true }),
      ask(address, zone, "NS", { recursion: false }),
    ]);
    return { name, address, soa, ns: valuesOf(ns.answers).map((each) => each.toLowerCase()) };
  } catch (error) {
    return { name, address, soa: error as Error, ns: [] };
  }
}

function serialOf({ soa }: Seen): string | undefined {
  return soa instanceof Error || !soa.authoritative ? undefined : valuesOf(soa.answers)[0];
}

/** What is wrong with the host as nameserver; its zone is in a bundle, and the records in steps. */
function ownFault(host: HostUnderCheck, own: Nameserver, zone: string, seen: Seen): Finding | undefined {
  const { soa, address, name } = seen;
  const again = `Run ${applyAgain(host.target, "knot")}, and see on the host what Knot says: \`journalctl -u knot\`.`;
  if (soa instanceof Error)
    return wrong(
      `${zone}: the host as its nameserver ${name} (${address}) gives no answer`,
      `A firewall swallows UDP port 53 (this network's own, the security group, or the host's), or Knot is down. ${again}`,
      { unanswered: true },
    );
  if (serialOf(seen) === undefined)
    return wrong(
      `${zone}: the host does not serve it: it answers ${soa.rcode}`,
      `Its records have not come to the host: run \`pulumi up --replace "**-zones"\`. ${again}`,
    );
  if (!soa.signed)
    return wrong(`${zone}: what the host serves is not signed`, `Somebody changed Knot's settings. ${again}`);
  const names = own.servers.toSorted();
  return seen.ns.join() === names.join()
    ? undefined
    : wrong(
        `${zone}: the host names ${listed(seen.ns)} as its nameservers, not ${listed(names)}`,
        `Somebody changed the zone on the host. ${again}`,
      );
}

/** What is wrong with a secondary's copy. Where the host itself has nothing, that is told instead. */
function copyFault(
  { target }: HostUnderCheck,
  own: Nameserver,
  zone: string,
  seen: Seen,
  serial: string | undefined,
): Finding | undefined {
  const { soa, address, name } = seen;
  const key = own.secondaries.find((each) => each.name === name)?.key;
  const copies = `Let it copy the zone from ${target.facts.publicIpv4}${key === undefined ? "" : `, signed with the key ${key.name} (\`stack output transferKeys --show-secrets\`)`}, and take news (NOTIFY) from there`;
  const whose = `its nameserver ${name} (${address})`;
  if (soa instanceof Error)
    return wrong(
      `${zone}: ${whose} gives no answer`,
      "Ask its provider, or look whether it runs and whether its port 53 is open. Where its address is another now, that has to be its name's, too, and stand under mailhost:dns.host.secondaries.",
      { unanswered: true },
    );
  const copied = serialOf(seen);
  if (copied === undefined)
    return wrong(`${zone}: ${whose} does not serve it: it answers ${soa.rcode}`, `${copies}.`);
  if (serial === undefined) return undefined;
  if (copied !== serial)
    return wrong(
      `${zone}: ${whose} has the serial ${copied}, and the host ${serial}: its copy is an old one`,
      `Check again in a minute. If it stays so: ${copies.charAt(0).toLowerCase()}${copies.slice(1)}. Its log says what it was refused.`,
    );
  return soa.signed
    ? undefined
    : wrong(
        `${zone}: ${whose} leaves the signatures out`,
        "Its program or its provider does not know DNSSEC: take another one.",
      );
}
