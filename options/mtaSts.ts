import { z } from "zod";
import { type DnsChoice, hasWorkers } from "../plan/dnsProvider.ts";
import { mtaStsPolicy, mtaStsRecord } from "../plan/mtaSts.ts";
import { mtaStsNow, sinceWhen } from "../plan/ramps.ts";
import type { Domain, Settings } from "../settings/types.ts";
import { option } from "./option.ts";

/**
 * MTA-STS (RFC 8461): tells other servers that mail comes here by TLS alone, with a certificate of the host's name. The policy
 * is served by a Worker, so the host needs no port for it, and it is there while the host is away.
 */
export const mtaSts = option({
  key: "mtaSts",
  schema: z
    .union([z.literal(false), z.enum(["testing", "enforce", "none", "ramp"])])
    .default("testing")
    .meta({
      description:
        "Whether other servers are told to send here by TLS with a valid certificate alone (MTA-STS). `testing`: they try, and report what fails. `enforce`: they hold mail back that cannot come so. `ramp`: `testing`, and `enforce` when their reports of a month name no failure. `none`: takes back an `enforce` that they remember, before the domain leaves; a month later it can be false. Only domains whose zone is at Cloudflare (`dns`) have a policy.",
      examples: ["ramp", "enforce", false],
    }),
  agree(mode, { domains }, report, { dns }) {
    // What nobody wrote, the others may have or not; a promise to be kept is another thing.
    if (mode === false || mode === "testing") return;
    if (!domains.some(({ zone }) => hasWorkers(dns as DnsChoice, zone)))
      report(
        [],
        "wants a Worker for its policy, and no domain's zone is at Cloudflare (mailhost:dns); take the line out, or write false",
      );
  },
  records: (mode, settings, ttlOf, ramps) => {
    if (mode === false) return [];
    const { policy, climbed } = mtaStsNow(mode, ramps);
    return withPolicy(settings).map((domain) => ({
      zone: domain.zone,
      name: `_mta-sts.${domain.name}`,
      type: "TXT",
      ttl: ttlOf(domain),
      content: mtaStsRecord(policy, settings),
      why: climbed
        ? `MTA-STS: ${sinceWhen(climbed)}`
        : "MTA-STS: says that there is a policy, and by its id when it has changed",
    }));
  },
  pages: (mode, settings, ramps) =>
    mode === false
      ? []
      : withPolicy(settings).map(({ name, zone }) => ({
          zone,
          host: `mta-sts.${name}`,
          path: "/.well-known/mta-sts.txt",
          method: "GET",
          headers: { "content-type": "text/plain; charset=utf-8" },
          content: { text: mtaStsPolicy(mtaStsNow(mode, ramps).policy, settings) },
        })),
});

function withPolicy(settings: Settings): readonly Domain[] {
  return settings.domains.filter(({ zone }) => hasWorkers(settings.options.dns, zone));
}
