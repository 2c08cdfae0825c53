import type { CoreSettings } from "../settings/types.ts";

/** Who keeps a zone's records. */
export const dnsProviders = ["cloudflare", "route53", "rfc2136", "host", "byHand"] as const;
export type DnsProvider = (typeof dnsProviders)[number];

/** Who keeps the zones: those that are named here, and all others. */
export interface DnsChoice {
  readonly provider: DnsProvider;
  readonly zones: Readonly<Record<string, DnsProvider>>;
  readonly rfc2136?: UpdateServer | undefined;
  readonly host?: HostedZones | undefined;
}

/** What the stack file says of the zones that the host itself serves. */
export interface HostedZones {
  /** The host's name as a nameserver. Left out: `ns1` in the zone of the host's own name. */
  readonly name?: string | undefined;
  /** Servers of others that get copies of the zones, by their names. */
  readonly secondaries: Readonly<Record<string, Secondary>>;
  /** Zone-file lines of records that are the owner's, by zone. */
  readonly records: Readonly<Record<string, readonly string[]>>;
}

export interface Secondary {
  /** Where it is told of changes, and where it asks for the zones from. */
  readonly addresses: readonly string[];
  /** What it signs with when it asks (TSIG); false: nothing, and its address alone says who it is. */
  readonly key: false | TransferKey;
}

export interface TransferKey {
  /** As both servers call it. Left out: the secondary's own name. */
  readonly name?: string | undefined;
  readonly algorithm: (typeof tsigAlgorithms)[number];
  /** Base64. Secret. Left out: one is generated. */
  readonly secret?: string | undefined;
}

/** A nameserver that takes dynamic updates. */
export interface UpdateServer {
  /** Name or address. */
  readonly server: string;
  readonly port: number;
  /** Name of the key, as the server calls it. */
  readonly key: string;
  readonly algorithm: (typeof tsigAlgorithms)[number];
  /** Base64. Secret. */
  readonly secret: string;
}

/** HMAC algorithms of such keys, as RFC 8945 section 6 calls them. */
export const tsigAlgorithms = ["hmac-sha256", "hmac-sha384", "hmac-sha512"] as const;

/** Who keeps a zone's records. */
export function dnsProviderOf({ provider, zones }: DnsChoice, zone: string): DnsProvider {
  return zones[zone] ?? provider;
}

/** Every zone that the stack has records in. @param parked domains that have no mail, with their zones */
export function zonesOf(
  { hostnameZone, domains }: Pick<CoreSettings, "hostnameZone" | "domains">,
  parked: Readonly<Record<string, { readonly zone?: string | undefined }>> = {},
): readonly string[] {
  const ofParked = Object.entries(parked).map(([name, { zone = name }]) => zone);
  return [...new Set([hostnameZone, ...domains.map(({ zone }) => zone), ...ofParked])];
}

/** Whether a Worker can answer at a zone's names: Workers are Cloudflare's, and the zone must be so, too. */
export function hasWorkers(dns: DnsChoice, zone: string): boolean {
  return dnsProviderOf(dns, zone) === "cloudflare";
}
