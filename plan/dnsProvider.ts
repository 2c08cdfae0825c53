/** Who keeps a zone's records. */
export const dnsProviders = ["cloudflare", "route53", "rfc2136", "byHand"] as const;
export type DnsProvider = (typeof dnsProviders)[number];

/** Who keeps the zones: those that are named here, and all others. */
export interface DnsChoice {
  readonly provider: DnsProvider;
  readonly zones: Readonly<Record<string, DnsProvider>>;
  readonly rfc2136?: UpdateServer | undefined;
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

/** Whether a Worker can answer at a zone's names: Workers are Cloudflare's, and the zone must be so, too. */
export function hasWorkers(dns: DnsChoice, zone: string): boolean {
  return dnsProviderOf(dns, zone) === "cloudflare";
}
