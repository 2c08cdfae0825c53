import { createHash } from "node:crypto";
import { z } from "zod";
import { type DnsChoice, hasWorkers } from "../plan/dnsProvider.ts";
import { render } from "../plan/template.ts";
import type { Domain, Settings } from "../settings/types.ts";
import { option } from "./option.ts";

/**
 * How long senders keep a policy, in seconds. What they keep of a strict one has to outlive an attack that keeps them from
 * seeing it again (RFC 8461 section 10.2); what they keep of a trial should be forgotten soon.
 */
const maxAge = { none: 86_400, testing: 86_400, enforce: 30 * 86_400 } as const;

/**
 * MTA-STS (RFC 8461): tells other servers that mail comes here by TLS alone, with a certificate of the host's name. The policy
 * is served by a Worker, so the host needs no port for it, and it is there while the host is away.
 */
export const mtaSts = option({
  key: "mtaSts",
  schema: z
    .union([z.literal(false), z.enum(["testing", "enforce", "none"])])
    .default("testing")
    .meta({
      description:
        "Whether other servers are told to send here by TLS with a valid certificate alone (MTA-STS). `testing`: they try, and report what fails. `enforce`: they hold mail back that cannot come so. `none`: takes back an `enforce` that they remember, before the domain leaves; a month later it can be false. Only domains whose zone is at Cloudflare (`dns`) have a policy.",
      examples: ["enforce", false],
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
  records: (mode, settings, ttlOf) =>
    mode === false
      ? []
      : withPolicy(settings).map((domain) => ({
          zone: domain.zone,
          name: `_mta-sts.${domain.name}`,
          type: "TXT",
          ttl: ttlOf(domain),
          content: `v=STSv1; id=${policyId(policyOf(mode, settings))}`,
          why: "MTA-STS: says that there is a policy, and by its id when it has changed",
        })),
  pages: (mode, settings) =>
    mode === false
      ? []
      : withPolicy(settings).map(({ name, zone }) => ({
          zone,
          host: `mta-sts.${name}`,
          path: "/.well-known/mta-sts.txt",
          method: "GET",
          headers: { "content-type": "text/plain; charset=utf-8" },
          content: { text: policyOf(mode, settings) },
        })),
});

function withPolicy(settings: Settings): readonly Domain[] {
  return settings.domains.filter(({ zone }) => hasWorkers(settings.options.dns, zone));
}

function policyOf(mode: keyof typeof maxAge, { hostname, options: { secondMx } }: Settings): string {
  return render("cloudflare/mta-sts.txt", { mode, hosts: [hostname, ...secondMx], maxAge: maxAge[mode] });
}

/** Up to 32 letters and digits, another one for each policy (RFC 8461 section 3.1). */
function policyId(policy: string): string {
  return createHash("sha256").update(policy).digest("hex").slice(0, 20);
}
