import { z } from "zod";
import { silentName } from "../plan/silent.ts";
import { domainText } from "../settings/hostName.ts";
import { liesIn } from "../settings/names.ts";
import { option } from "./option.ts";

/** Names that are there for something else than mail, or for nothing: whoever writes as one of them is a forger. */
export const parked = option({
  key: "parked",
  schema: z
    .record(
      domainText("is not a domain name; write the domain that has no mail, such as old.example"),
      z
        .strictObject({
          zone: domainText("is not a domain name; write the zone that holds the domain")
            .optional()
            .meta({
              description: "DNS zone that holds it. Without it the domain itself.",
              examples: ["example.org"],
            }),
        })
        .meta({ description: "A domain without mail.", examples: [{}] }),
    )
    .default({})
    .meta({
      description:
        "Domains of yours that neither send nor take mail, by name: the DNS says so to everybody, so that nobody can write as them.",
      examples: [{ "old.example": {} }],
      synonyms: ["unusedDomains", "noMail"],
    }),
  agree(domains, settings, report, { web }) {
    const shown = (web as { readonly names?: readonly string[] } | undefined)?.names ?? [];
    for (const [name, { zone = name }] of Object.entries(domains)) {
      if (settings.domains.some((domain) => domain.name === name) || name === settings.hostname)
        report([name], "has mail on this host; take it out here, or there");
      else if (shown.includes(name) || settings.domains.some((domain) => name === `bounce.${domain.name}`))
        report([name], "is said to have no mail already, or sends bounces for Amazon SES; take it out");
      if (!liesIn(name, zone))
        report([name, "zone"], `does not hold ${name}; write the zone that ends its name`);
    }
  },
  records: (domains) =>
    Object.entries(domains).flatMap(([name, { zone = name }]) => [
      ...silentName(name, zone, ttl),
      {
        zone,
        name: `*._domainkey.${name}`,
        type: "TXT",
        ttl,
        content: "v=DKIM1; p=",
        why: "DKIM: there is no key, and has none been that still holds",
      },
      {
        zone,
        name: `_dmarc.${name}`,
        type: "TXT",
        ttl,
        content: "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s",
        why: "DMARC: whatever claims to be from here is forged",
      },
    ]),
});

/** Seconds: what never changes may be remembered. */
const ttl = 3600;
