import { z } from "zod";
import {
  type DnsProvider,
  dnsProviderOf,
  dnsProviders,
  type HostedZones,
  tsigAlgorithms,
  zonesOf,
} from "../plan/dnsProvider.ts";
import { nameserverRecords, ownRecord, writtenAddresses } from "../plan/nameserver.ts";
import { knot } from "../plan/services/knot.ts";
import { domainText } from "../settings/hostName.ts";
import { nearest, type Path } from "../settings/mistakes.ts";
import { closestAbove, domainName, liesIn } from "../settings/names.ts";
import { isAddress } from "../settings/networks.ts";
import type { CoreSettings } from "../settings/types.ts";
import { option } from "./option.ts";

const provider = z.enum(dnsProviders);

export const keyAlgorithm = z.enum(tsigAlgorithms).default("hmac-sha256");
export const keySecret = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    "is no secret of a key; write it in base64, as `tsig-keygen` or `keymgr -t` show it",
  );

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
    algorithm: keyAlgorithm.meta({ description: "The key's algorithm.", examples: ["hmac-sha512"] }),
    secret: keySecret.meta({
      description:
        "The key's secret, in base64. Where the name of an environment variable is written, it is neither in the stack file nor in Pulumi's history; the state has it encrypted.",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
      examples: ["${TSIG_SECRET}"],
    }),
  })
  .meta({ description: "The nameserver of zones that are kept by `rfc2136`." });

const transferKey = z.strictObject({
  name: domainText("is no name of a key; write it as the secondary has it, such as mailhost.example.net")
    .optional()
    .meta({
      description: "Name of the key. Left out: the secondary's own.",
      examples: ["mailhost.example.net"],
    }),
  algorithm: keyAlgorithm.meta({ description: "The key's algorithm.", examples: ["hmac-sha512"] }),
  secret: keySecret.optional().meta({
    description:
      "The key's secret, in base64, or the name of an environment variable. Left out: one is generated, which `stack output transferKeys --show-secrets` shows.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
    examples: ["${TRANSFER_SECRET}"],
  }),
});

const secondary = z.strictObject({
  addresses: z
    .array(
      z.string().refine(isAddress, "is no IP address; write the one that it asks from, such as 192.0.2.53"),
    )
    .min(1, "is empty; write the IP addresses that it asks from")
    .meta({
      description:
        "IP addresses at which it is told of changes (NOTIFY), and from which it may copy the zones. They need not be those at which the world asks it: these are its name's.",
      examples: [["192.0.2.53"]],
    }),
  key: z
    .union([z.literal(false), transferKey])
    .prefault({})
    .meta({
      description:
        "The key that it signs with when it asks (TSIG). false: it cannot, and whoever has its address may copy the zones.",
      examples: [false],
    }),
});

/** Types of records that an owner may have beside the program's; of the others Knot itself makes some, and some are nobody's. */
const ownTypes = [
  "A",
  "AAAA",
  "CAA",
  "CNAME",
  "DS",
  "HTTPS",
  "MX",
  "NAPTR",
  "NS",
  "SRV",
  "SSHFP",
  "SVCB",
  "TLSA",
  "TXT",
];
const ownLine = new RegExp(
  `^(@|[\\w*.-]+)\\s+(\\d+\\s+)?(IN\\s+)?(${ownTypes.join("|")})\\s+("([^"\\\\\\r\\n]|\\\\.)*"|[^"();\\r\\n])+$`,
);

const hostedZones = z
  .strictObject({
    name: domainText("is no name of a server; write one such as ns1.example.org")
      .optional()
      .meta({
        description: "The host's name as a nameserver, in the zone of its own name. Left out: `ns1` there.",
        examples: ["ns1.example.org"],
      }),
    secondaries: z
      .record(domainText("is no name of a server; write the secondary's, such as ns2.example.net"), secondary)
      .meta({
        description:
          "Nameservers elsewhere that copy the zones, each by its name: where the host is away they answer. `{}` says that there are none.",
        examples: [{ "ns2.example.net": { addresses: ["192.0.2.53"] } }],
      }),
    records: z
      .record(
        domainText("is not a domain name; write a zone, such as example.org"),
        z.array(
          z.string().regex(ownLine, {
            message: `is no record; write a line of a zone file, such as \`www 3600 A 192.0.2.80\`, of the types ${ownTypes.join(", ")}`,
          }),
        ),
      )
      .default({})
      .meta({
        description:
          "Records of yours in a zone, such as those of a web site: lines of a zone file with name (`@` is the zone's own), time to live, type and value.",
        examples: [{ "example.org": ["www 3600 A 192.0.2.80"] }],
      }),
  })
  .meta({ description: "The host as nameserver of the zones that are kept by `host`. It opens port 53." });

/** Where the records go. What a zone's provider cannot do, the plan leaves out: `plan/dnsProvider.ts`. */
export const dns = option({
  key: "dns",
  schema: z
    .strictObject({
      provider: provider.default("cloudflare").meta({
        description:
          "Who keeps the zones that `zones` does not name. `route53`: Amazon Route 53, in the account of the host. `rfc2136`: a nameserver of yours that takes dynamic updates. `host`: the mail host itself is their nameserver. `byHand`: somebody puts the records in, which `stack output dnsZoneFiles` shows; `npm run check` says what is still missing.",
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
      host: hostedZones.optional(),
    })
    .prefault({})
    .meta({
      description:
        "Where the DNS records go. What a Worker would serve, the pages of `clientSetup` and the policy of `mtaSts`, only domains in zones at Cloudflare have.",
      examples: [{ zones: { "example.com": "byHand" } }],
      synonyms: ["nameserver", "dnsProvider"],
    }),
  agree({ provider, zones, rfc2136, host }, settings, report, { parked }) {
    const used = zonesOf(settings, parked as Parameters<typeof zonesOf>[1]);
    const hosted = used.filter((zone) => dnsProviderOf({ provider, zones }, zone) === "host");
    if (hosted.length > 0 && host === undefined)
      report(
        ["host"],
        "is missing; write the zones' secondary nameservers (secondaries: …): where this host is their only one, nobody finds the domains while it is away, and many registries refuse a single one (RFC 2182). `secondaries: {}` says that you want it so",
      );
    else if (hosted.length === 0 && host !== undefined)
      report(["host"], "keeps no zone; write its zones as `example.com: host` under zones, or take it out");
    // Where the stack file has mistakes elsewhere, a zone may have no name.
    else if (host !== undefined && !used.includes(""))
      hostAgrees(host, hosted, settings, (path, message) => report(["host", ...path], message));
    const isUsed = used.some((zone) => dnsProviderOf({ provider, zones }, zone) === "rfc2136");
    if (isUsed && rfc2136 === undefined)
      report(["rfc2136"], "is missing; write the nameserver with its server, key and secret");
    else if (!isUsed && rfc2136 !== undefined)
      report(
        ["rfc2136"],
        "keeps no zone; write its zones as `example.com: rfc2136` under zones, or take it out",
      );
    for (const { name, zone, spf } of settings.domains) {
      const refusal = spf && noMerge[dnsProviderOf({ provider, zones }, zone)];
      if (refusal !== undefined)
        report(
          zones[zone] === undefined ? ["provider"] : ["zones", zone],
          `${refusal.reason}, and domains.${name}.spf is to merge; ${refusal.instead}take that spf out`,
        );
    }
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
  records: (_choice, settings, ttlOf) => nameserverRecords(settings, ttlOf),
  bundles: (_choice, settings) => knot(settings),
});

/** Where no SPF record can stand in one with somebody else's. */
const noMerge: {
  readonly [provider in DnsProvider]?: { readonly reason: string; readonly instead: string };
} = {
  route53: {
    reason: "is route53, where all texts of a name are one owner's",
    instead: "keep the zone by hand (byHand), or ",
  },
  host: { reason: "is host, in whose zones nobody else writes", instead: "" },
};

function hostAgrees(
  { name, secondaries, records }: HostedZones,
  hosted: readonly string[],
  { hostname, hostnameZone, domains }: CoreSettings,
  report: (path: Path, message: string) => void,
): void {
  const own = name ?? `ns1.${hostnameZone}`;
  if (!liesIn(own, hostnameZone))
    report(
      ["name"],
      `is not in ${hostnameZone}, the zone of the host's name; write one such as ns1.${hostnameZone}`,
    );
  else if (domains.some((domain) => domain.name === own))
    report(["name"], `is a mail domain; write a name of its own, such as ns1.${hostnameZone}`);
  for (const other of Object.keys(secondaries))
    if (other === own || other === hostname)
      report(
        ["secondaries", other],
        "is this host itself; write the name of another machine, or take it out",
      );
    else if (
      hosted.some((zone) => liesIn(other, zone)) &&
      writtenAddresses(other, hosted, (zone) => records[zone] ?? []).length === 0
    )
      report(
        ["secondaries", other],
        "lies in a zone of this host, which has no address for it; write one under records, or the name that its provider gives it",
      );
  const keys = Object.entries(secondaries).flatMap(([other, { key }]) =>
    key === false ? [] : [{ other, name: key.name ?? other, ...key }],
  );
  for (const { other, name, secret, algorithm } of keys)
    if (keys.some((key) => key.name === name && (key.secret !== secret || key.algorithm !== algorithm)))
      report(["secondaries", other, "key"], "has the name of another key; write one name for each key");
  for (const [zone, lines] of Object.entries(records)) {
    if (!hosted.includes(zone))
      report(["records", zone], "is no zone that this host keeps; write its records where it is kept");
    for (const [index, line] of lines.entries()) {
      const { name: owner, type } = ownRecord(zone, line);
      if (!liesIn(owner, zone))
        report(["records", zone, index], `has a name outside of ${zone}; write it without its last dot`);
      if (owner === zone && type === "NS")
        report(["records", zone, index], "is a nameserver of the zone itself; write it under secondaries");
    }
  }
  for (const zone of hosted) {
    const above = closestAbove(zone.slice(zone.indexOf(".") + 1), hosted);
    if (above !== undefined)
      report(
        [],
        `keeps both ${above} and ${zone} below it, of which the one above knows nothing; write \`zone: ${above}\` under the domain`,
      );
  }
}
