/** Who keeps a zone's records. */
export const dnsProviders = ["cloudflare", "byHand"] as const;
export type DnsProvider = (typeof dnsProviders)[number];

/** Who keeps the zones: those that are named here, and all others. */
export interface DnsChoice {
  readonly provider: DnsProvider;
  readonly zones: Readonly<Record<string, DnsProvider>>;
}

/** Who keeps a zone's records. */
export function dnsProviderOf({ provider, zones }: DnsChoice, zone: string): DnsProvider {
  return zones[zone] ?? provider;
}

/** Whether a Worker can answer at a zone's names: Workers are Cloudflare's, and the zone must be so, too. */
export function hasWorkers(dns: DnsChoice, zone: string): boolean {
  return dnsProviderOf(dns, zone) === "cloudflare";
}
