import { Resolver } from "node:dns/promises";
import { authenticate, type DNSResolver } from "mailauth";
import type { Verdict } from "./otherside.ts";

/** What is asked of a message that came in. */
export interface Delivery {
  readonly address: string;
  readonly helo: string;
  /** Envelope sender, empty for bounces. */
  readonly sender: string;
}

/** Judges a message as a stranger would: SPF, every DKIM signature, DMARC, ARC, by records asked over the wire. */
export async function judge(
  raw: Buffer,
  delivery: Delivery,
  judgeName: string,
  resolver: Resolver,
): Promise<Verdict> {
  // mailauth is written against node:dns, whose answers for TXT and MX are nested.
  const ask = ((name: string, type: string) => resolver.resolve(name, type)) as DNSResolver;
  const found = await authenticate(raw, {
    ip: delivery.address,
    helo: delivery.helo,
    sender: delivery.sender,
    mta: judgeName,
    resolver: ask,
    disableBimi: true,
  });
  const spf = found.spf || undefined;
  const dmarc = found.dmarc || undefined;
  const arc = found.arc || undefined;
  return {
    spf: {
      result: spf?.status.result ?? "none",
      domain: spf?.domain ?? "",
      ...(spf?.status.comment ? { comment: spf.status.comment } : {}),
    },
    dkim: found.dkim.results.map((signature) => ({
      result: signature.status.result,
      domain: signature.signingDomain ?? "",
      selector: signature.selector ?? "",
      algorithm: signature.algo ?? "",
      aligned: Boolean(signature.status.aligned),
      ...(signature.status.comment ? { comment: signature.status.comment } : {}),
    })),
    dmarc: {
      result: dmarc?.status.result ?? "none",
      policy: dmarc?.policy ?? "",
      domain: dmarc?.domain ?? "",
    },
    arc: { result: arc?.status.result ?? "none", instance: arc?.i || 0 },
  };
}

/** A resolver that asks this server alone. @param server `address` or `address:port` */
export function resolverAt(server: string): Resolver {
  const resolver = new Resolver({ timeout: 2000, tries: 3 });
  resolver.setServers([server]);
  return resolver;
}
