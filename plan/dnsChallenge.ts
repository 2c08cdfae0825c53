import type { Settings } from "../settings/types.ts";
import { dnsProviderOf, type UpdateServer } from "./dnsProvider.ts";

/** Where and how the host puts its answers to the certificate authority into the DNS (dns-01, RFC 8555 section 8.4). */
export interface DnsChallenge extends UpdateServer {
  /** The zone that holds the host's name. */
  readonly zone: string;
}

/** Undefined where the host answers on port 80 (http-01, RFC 8555 section 8.3). */
export function dnsChallenge({ options, hostnameZone }: Settings): DnsChallenge | undefined {
  const { dnsChallenge: own, dns } = options;
  if (own === false || dns.rfc2136 === undefined || dnsProviderOf(dns, hostnameZone) !== "rfc2136")
    return undefined;
  const { server, port } = dns.rfc2136;
  return { zone: hostnameZone, server, port, ...own };
}
