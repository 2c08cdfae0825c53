import { z } from "zod";
import { bimiHost, bimiPath, bimiRecord, bimiUrl } from "../plan/bimi.ts";
import { type DnsChoice, hasWorkers } from "../plan/dnsProvider.ts";
import { dmarcNow } from "../plan/ramps.ts";
import { logoMistake } from "../settings/svg.ts";
import { text } from "../settings/text.ts";
import { option } from "./option.ts";

/** Others fetch it; a comma or semicolon would end it in the record. */
const url = (example: string) =>
  text((value) =>
    /^[!-~]+$/.test(value) &&
    !/[,;]/.test(value) &&
    URL.canParse(value) &&
    new URL(value).protocol === "https:"
      ? undefined
      : `is not an https URL (a comma is %2C, a semicolon %3B); write one such as ${example}`,
  );

const brand = z
  .strictObject({
    logo: text(logoMistake)
      .transform((svg) => `${svg.trim()}\n`)
      .optional()
      .meta({
        description:
          "The logo itself, after `|`: an SVG of the profile Tiny PS, square, with a title, 32 KB at most. A Worker shows it at `https://bimi.example.org/logo.svg`; so the domain's zone has to be at Cloudflare.",
      }),
    url: url("https://www.example.org/logo.svg")
      .optional()
      .meta({
        description: "Where the logo is, instead, if you show it yourself.",
        examples: ["https://www.example.org/logo.svg"],
      }),
    certificate: url("https://www.example.org/logo.pem")
      .optional()
      .meta({
        description:
          "Where the certificate for the logo is (VMC or CMC), in PEM. Gmail and Apple Mail show no logo without one; Yahoo and Fastmail do.",
        examples: ["https://www.example.org/logo.pem"],
      }),
  })
  .meta({ description: "A domain's logo." });

/**
 * BIMI (draft-brand-indicators-for-message-identification): the logo that mail programs may show beside a domain's mail. They do
 * so only where DMARC keeps others from writing in its name.
 */
export const bimi = option({
  key: "bimi",
  schema: z
    .record(z.string(), brand)
    .default({})
    .meta({
      description:
        "Logos by domain, which mail programs may show beside its mail (BIMI). The domain's DMARC policy has to be `quarantine` or `reject`; with `ramp` the record comes when the policy does.",
      examples: [{ "example.org": { url: "https://www.example.org/logo.svg" } }],
      synonyms: ["brandIndicators", "vmc"],
    }),
  agree(brands, { domains }, report, { dns }) {
    for (const [name, { logo, url }] of Object.entries(brands)) {
      const domain = domains.find((candidate) => candidate.name === name);
      if (domain === undefined)
        report([name], "is no mail domain of this host; write one that is under `domains`, in lower case");
      else if (domain.dmarc.policy === "none")
        report(
          [name],
          `wants a DMARC policy that keeps others from writing as ${name}; write \`dmarc: quarantine\`, reject or ramp under the domain, or take the logo out`,
        );
      else if ((logo === undefined) === (url === undefined))
        report([name], "has a logo and a URL, or neither; write one of logo and url");
      else if (logo !== undefined && !hasWorkers(dns as DnsChoice, domain.zone))
        report(
          [name, "logo"],
          `wants a Worker, and the zone ${domain.zone} is not at Cloudflare (mailhost:dns); show the logo yourself, and write its url instead`,
        );
    }
  },
  records: (brands, { domains }, ttlOf, ramps) =>
    domains.flatMap((domain) => {
      const brand = brands[domain.name];
      if (brand === undefined || dmarcNow(domain, ramps).policy === "none") return [];
      return {
        zone: domain.zone,
        name: bimiRecord(domain.name),
        type: "TXT" as const,
        ttl: ttlOf(domain),
        content: `v=BIMI1; l=${bimiUrl(domain.name, brand)}${brand.certificate === undefined ? "" : `; a=${brand.certificate}`}`,
        why: "BIMI: where the logo is that mail programs may show beside this domain's mail",
      };
    }),
  pages: (brands, { domains }) =>
    domains.flatMap(({ name, zone }) => {
      const { logo } = brands[name] ?? {};
      if (logo === undefined) return [];
      return {
        zone,
        host: bimiHost(name),
        path: bimiPath,
        method: "GET" as const,
        headers: { "content-type": "image/svg+xml" },
        content: { text: logo },
      };
    }),
});
