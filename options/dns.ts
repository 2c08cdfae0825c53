import { z } from "zod";
import { dnsProviderOf, dnsProviders, tsigAlgorithms } from "../plan/dnsProvider.ts";
import { domainText } from "../settings/hostName.ts";
import { nearest } from "../settings/mistakes.ts";
import { domainName } from "../settings/names.ts";
import { isAddress } from "../settings/networks.ts";
import type { CoreSettings } from "../settings/types.ts";
import { option } from "./option.ts";

const provider = z.enum(dnsProviders);

const updateServer = z
  .strictObject({
    server: z
      .string()
      .refine((value) => isAddress(value) || domainName(value) !== undefined, {
        message: "is no name or address of a server; write one such as ns1.example.net or 192.0.2.53",
      })
      .meta({
        description: "The zones' primary nameserver, by name or IP address.",
        examples: ["ns1.example.net"],
      }),
    port: z
      .int()
      .min(1)
      .max(65535)
      .default(53)
      .meta({ description: "TCP port at which it takes updates.", examples: [5353] }),
    key: domainText("is no name of a key; write it as the server has it, such as mailhost.example.net").meta({
      description: "Name of the key that updates are signed with (TSIG).",
      examples: ["mailhost.example.net"],
    }),
    algorithm: z
      .enum(tsigAlgorithms)
      .default("hmac-sha256")
      .meta({ description: "The key's algorithm.", examples: ["hmac-sha512"] }),
    secret: z
      .string()
      .regex(
        /^(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
        "is no secret of a key; write it in base64, as `tsig-keygen` or `keymgr -t` show it",
      )
      .meta({
        description:
          "The key's secret, in base64. Where the name of an environment variable is written, it is neither in the stack file nor in Pulumi's history; the state has it encrypted.",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
        examples: ["${TSIG_SECRET}"],
      }),
  })
  .meta({ description: "The nameserver of zones that are kept by `rfc2136`." });

/** Where the records go. What a zone's provider cannot do, the plan leaves out: `plan/dnsProvider.ts`. */
export const dns = option({
  key: "dns",
  schema: z
    .strictObject({
      provider: provider.default("cloudflare").meta({
        description:
          "Who keeps the zones that `zones` does not name. `route53`: Amazon Route 53, in the account of the host. `rfc2136`: a nameserver of yours that takes dynamic updates. `byHand`: somebody puts the records in, which `stack output dnsZoneFiles` shows; `npm run check` says what is still missing.",
        examples: ["byHand"],
      }),
      zones: z
        .record(
          domainText("is not a domain name; write a zone, such as example.org"),
          provider.meta({ description: "Who keeps this zone.", examples: ["byHand"] }),
        )
        .default({})
        .meta({
          description: "Who keeps a zone, by its name, where it is somebody else.",
          examples: [{ "example.com": "byHand" }],
        }),
      rfc2136: updateServer.optional(),
    })
    .prefault({})
    .meta({
      description:
        "Where the DNS records go. What a Worker would serve, the pages of `clientSetup` and the policy of `mtaSts`, only domains in zones at Cloudflare have.",
      examples: [{ zones: { "example.com": "byHand" } }],
      synonyms: ["nameserver", "dnsProvider"],
    }),
  agree({ provider, zones, rfc2136 }, settings, report, { parked }) {
    const used = zonesOf(settings, parked as Parked | undefined);
    const isUsed = used.some((zone) => dnsProviderOf({ provider, zones }, zone) === "rfc2136");
    if (isUsed && rfc2136 === undefined)
      report(["rfc2136"], "is missing; write the nameserver with its server, key and secret");
    else if (!isUsed && rfc2136 !== undefined)
      report(
        ["rfc2136"],
        "keeps no zone; write its zones as `example.com: rfc2136` under zones, or take it out",
      );
    for (const { name, zone, spf } of settings.domains)
      if (spf !== undefined && dnsProviderOf({ provider, zones }, zone) === "route53")
        report(
          zones[zone] === undefined ? ["provider"] : ["zones", zone],
          `is route53, where all texts of a name are one owner's, and domains.${name}.spf is to merge; keep the zone by hand (byHand), or take that spf out`,
        );
    for (const { name, zone, dmarc } of settings.domains)
      if (dmarc.policy === "ramp" && dnsProviderOf({ provider, zones }, zone) === "byHand")
        report(
          zones[zone] === undefined ? ["provider"] : ["zones", zone],
          `is byHand, and domains.${name}.dmarc ramps: nobody would see whether a step has been put in; write the policy there (dmarc: none, quarantine or reject)`,
        );
    for (const zone of Object.keys(zones)) {
      if (used.includes(zone)) continue;
      const guess = nearest(zone, used);
      report(
        ["zones", zone],
        `holds none of this stack's names; ${guess === undefined ? "" : `write ${guess}, or `}take the line out`,
      );
    }
  },
});

type Parked = Readonly<Record<string, { readonly zone?: string }>>;

/** Every zone that the stack has records in. */
function zonesOf({ hostnameZone, domains }: CoreSettings, parked: Parked = {}): readonly string[] {
  const ofParked = Object.entries(parked).map(([name, { zone = name }]) => zone);
  return [...new Set([hostnameZone, ...domains.map(({ zone }) => zone), ...ofParked])];
}
