import type { DnsRecord } from "./types.ts";

/** What a name says of itself that neither sends nor takes mail. */
export function silentName(name: string, zone: string, ttl: number): readonly DnsRecord[] {
  return [
    {
      zone,
      name,
      type: "MX",
      ttl,
      priority: 0,
      content: ".",
      why: "Null MX: nobody takes mail here, and senders need not try (RFC 7505)",
    },
    {
      zone,
      name,
      type: "TXT",
      ttl,
      content: "v=spf1 -all",
      why: "SPF: nobody sends as this name",
    },
  ];
}
