import { z } from "zod";
import { dnsProviders } from "../plan/dnsProvider.ts";
import { domainText } from "../settings/hostName.ts";
import { nearest } from "../settings/mistakes.ts";
import type { CoreSettings } from "../settings/types.ts";
import { option } from "./option.ts";

const provider = z.enum(dnsProviders);

/** Where the records go. What a zone's provider cannot do, the plan leaves out: `plan/dnsProvider.ts`. */
export const dns = option({
  key: "dns",
  schema: z
    .strictObject({
      provider: provider.default("cloudflare").meta({
        description:
          "Who keeps the zones that `zones` does not name. `byHand`: somebody puts the records in, which `stack output dnsZoneFiles` shows; `npm run check` says what is still missing.",
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
    })
    .prefault({})
    .meta({
      description:
        "Where the DNS records go. What a Worker would serve, the pages of `clientSetup` and the policy of `mtaSts`, only domains in zones at Cloudflare have.",
      examples: [{ zones: { "example.com": "byHand" } }],
      synonyms: ["nameserver", "dnsProvider"],
    }),
  agree({ zones }, settings, report, { parked }) {
    const used = zonesOf(settings, parked as Parked | undefined);
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
