/** The host as the nameserver of zones of its own (`mailhost:dns`, provider `host`). */
import { closestAbove, liesIn } from "../settings/names.ts";
import type { Domain, Settings } from "../settings/types.ts";
import { domainOfHost } from "./dkim.ts";
import { dnsProviderOf, type TransferKey, zonesOf } from "./dnsProvider.ts";
import type { DnsRecord, Secrets } from "./types.ts";

/** What the host serves as a nameserver, and who helps. */
export interface Nameserver {
  /** Its name as a nameserver. */
  readonly name: string;
  /** In alphabetical order. */
  readonly zones: readonly string[];
  /** Every nameserver of the zones, itself first. */
  readonly servers: readonly string[];
  readonly secondaries: readonly SecondaryServer[];
  /** Zone-file lines of the owner's own records. */
  readonly lines: (zone: string) => readonly string[];
}

export interface SecondaryServer {
  readonly name: string;
  /** Where it is told of changes, and asks from; the world may find it elsewhere. */
  readonly addresses: readonly string[];
  /** What its questions are signed with (TSIG); nothing where it cannot. */
  readonly key?: {
    readonly name: string;
    readonly algorithm: TransferKey["algorithm"];
    /** Of the stack file. Secret. Left out: that which is generated under `generatedAs`. */
    readonly secret?: string;
    readonly generatedAs: string;
  };
}

/** Undefined where the host serves no zone. */
export function nameserver(settings: Settings): Nameserver | undefined {
  const { dns, parked } = settings.options;
  const zones = zonesOf(settings, parked)
    .filter((zone) => dnsProviderOf(dns, zone) === "host")
    .toSorted();
  if (zones.length === 0 || dns.host === undefined) return undefined;
  const { name = `ns1.${settings.hostnameZone}`, secondaries, records } = dns.host;
  return {
    name,
    zones,
    servers: [name, ...Object.keys(secondaries)],
    secondaries: Object.entries(secondaries).map(([other, { addresses, key }]) => ({
      name: other,
      addresses,
      ...(key !== false && {
        key: {
          name: key.name ?? other,
          algorithm: key.algorithm,
          generatedAs: `transfer-${key.name ?? other}`,
          ...(key.secret !== undefined && { secret: key.secret }),
        },
      }),
    })),
    lines: (zone) => records[zone] ?? [],
  };
}

/** The secret of a secondary's key, in base64: 32 letters and digits are 24 bytes of it. */
export function transferSecret(
  { secret, generatedAs }: NonNullable<SecondaryServer["key"]>,
  generated: Secrets["generated"],
): string {
  return secret ?? generated[generatedAs] ?? "";
}

/** Seconds that what a zone says of itself may be remembered, where nothing of the stack file says it. */
const ttl = 3600;

/**
 * What a zone says of itself, and the owner's records in it. Knot counts the serial. A copy that is a week old is given up: its
 * signatures last at least as long (RFC 6781 section 4.4.1, `rrsig-refresh` in knot.conf). That a name is missing is forgotten after
 * five minutes, since records of the program come one after the other.
 */
export function zoneApex(settings: Settings, { name, servers, lines }: Nameserver, zone: string): string {
  return [
    `; ${zone}: what the zone says of itself, and what is its owner's (mailhost:dns.host.records). The mail host's own records`,
    "; come beside it; Knot counts the serial and signs.",
    `$ORIGIN ${zone}.`,
    `$TTL ${ttl}`,
    `@ SOA ${name}. postmaster.${domainOfHost(settings).name}. 1 3600 900 604800 300`,
    ...servers.map((server) => `@ NS ${server}.`),
    ...lines(zone),
    "",
  ].join("\n");
}

/** The name of the zones' primary nameserver in a text that holds such; undefined where it holds none. */
export function primaryIn(text: string): string | undefined {
  return /^@ SOA (\S+)\. /m.exec(text)?.[1];
}

/** The address of the nameserver's name, where that is not the host's own. */
export function nameserverRecords(
  settings: Settings,
  ttlOf: (domain: Domain) => number,
): readonly DnsRecord[] {
  const own = nameserver(settings);
  if (own === undefined || own.name === settings.hostname) return [];
  const record = { zone: settings.hostnameZone, name: own.name, ttl: ttlOf(domainOfHost(settings)) };
  return [
    {
      ...record,
      type: "A",
      content: { fact: "publicIpv4", text: (address) => address },
      why: "The mail host as nameserver: its address, which the registry has, too (glue)",
    },
    ...(settings.network.ipv6
      ? [
          {
            ...record,
            type: "AAAA" as const,
            content: { fact: "publicIpv6" as const, text: (address: string) => address },
            why: "The mail host as nameserver: its IPv6 address",
          },
        ]
      : []),
  ];
}

/** One of the owner's lines. */
export interface OwnRecord {
  /** The whole name. */
  readonly name: string;
  readonly type: string;
  /** As it was written. */
  readonly value: string;
}

/** Takes a line of the stack file apart, whose form is right. */
export function ownRecord(zone: string, line: string): OwnRecord {
  const [, written = "", type = "", value = ""] =
    /^(\S+)\s+(?:\d+\s+)?(?:IN\s+)?([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  const lower = written.toLowerCase();
  const name = lower === "@" ? zone : lower.endsWith(".") ? lower.slice(0, -1) : `${lower}.${zone}`;
  return { name, type, value };
}

/**
 * The addresses that the owner's lines give a name in one of the zones: there the world finds a secondary that has such a name, whereas
 * those that it copies the zones from may be others.
 */
export function writtenAddresses(
  name: string,
  zones: readonly string[],
  lines: (zone: string) => readonly string[],
): readonly string[] {
  const zone = closestAbove(name, zones) ?? "";
  return lines(zone).flatMap((line) => {
    const { name: owner, type, value } = ownRecord(zone, line);
    return owner === name && (type === "A" || type === "AAAA") ? [value.trim()] : [];
  });
}

/**
 * The nameservers that the registrar of a zone has to be told, those in the zone itself with their addresses (glue).
 * @param addresses the host's own
 */
export function delegationOf(
  { name, servers, zones, lines }: Nameserver,
  zone: string,
  addresses: readonly string[],
): readonly { readonly name: string; readonly glue: readonly string[] }[] {
  return servers.map((server) => {
    const known = () => (server === name ? addresses : writtenAddresses(server, zones, lines));
    return { name: server, glue: liesIn(server, zone) ? known() : [] };
  });
}

/** The same, and the zone's DS record, as lines for a person. */
export function registrarLines(
  own: Nameserver,
  zone: string,
  addresses: readonly string[],
  ds: string,
): readonly string[] {
  return [
    ...delegationOf(own, zone, addresses).map(
      ({ name, glue }) =>
        `nameserver ${name}${glue.length === 0 ? "" : ` with the address ${glue.join(" and ")}`}`,
    ),
    `DS record ${ds}`,
  ];
}
