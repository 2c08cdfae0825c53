import { z } from "zod";
import { type DnsChoice, type DnsProvider, dnsProviderOf } from "../plan/dnsProvider.ts";
import { domainText } from "../settings/hostName.ts";
import { keyAlgorithm, keySecret } from "./dns.ts";
import { option } from "./option.ts";

/** Why the host could not answer in such a zone by itself, or not without a key to all of it. */
const unfit: { readonly [provider in Exclude<DnsProvider, "rfc2136">]: string } = {
  cloudflare:
    "Cloudflare, whose tokens are for whole zones: the host would hold one that can change every record",
  route53: "Route 53, where the host has no rights: it has none in the AWS account at all",
  host: "the host itself, whose nameserver takes no updates",
  byHand: "kept by hand, and an answer has to be there within a minute",
};

/** How the host shows the certificate authority that its name is its own: the request is `plan/services/certbot.ts`. */
export const dnsChallenge = option({
  key: "dnsChallenge",
  schema: z
    .union([
      z.literal(false),
      z.strictObject({
        key: domainText(
          "is no name of a key; write it as the server has it, such as challenge.mail.example.net",
        ).meta({
          description:
            "Name of a key (TSIG) of which the server takes TXT records of `_acme-challenge.<hostname>`, and nothing else.",
          examples: ["challenge.mail.example.net"],
        }),
        algorithm: keyAlgorithm.meta({ description: "The key's algorithm.", examples: ["hmac-sha512"] }),
        secret: keySecret.meta({
          description:
            "The key's secret, in base64, or the name of an environment variable. The host has it.",
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
          examples: ["${CHALLENGE_SECRET}"],
        }),
      }),
    ])
    .default(false)
    .meta({
      description:
        "Whether the host's certificate comes by the DNS (dns-01) in place of port 80, which then stays shut: with a key for that one name. For a host whose zone is kept by `rfc2136`.",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
      examples: [{ key: "challenge.mail.example.net", secret: "${CHALLENGE_SECRET}" }],
      synonyms: ["dns01", "dns-01"],
    }),
  agree(own, { hostname, hostnameZone }, report, others) {
    if (own === false) return;
    const { dns, web } = others as { readonly dns?: DnsChoice; readonly web?: unknown };
    if (dns !== undefined && hostnameZone !== "") {
      const provider = dnsProviderOf(dns, hostnameZone);
      if (provider !== "rfc2136")
        report(
          [],
          `wants the zone ${hostnameZone} at a nameserver that gives the host a key for _acme-challenge.${hostname} alone (rfc2136), and it is ${unfit[provider]}; give the host a name in a zone that is kept by rfc2136, or take this out: port 80 is open then`,
        );
      else if (dns.rfc2136?.key === own.key)
        report(
          ["key"],
          `is the key that may change all of ${hostnameZone}, which the host is not to have; make one at the nameserver for the TXT records of _acme-challenge.${hostname} alone`,
        );
      else if (dns.rfc2136?.secret === own.secret)
        report(
          ["secret"],
          `is that of dns.rfc2136, which the host is not to have; make another key at the nameserver`,
        );
    }
    if (web !== undefined && web !== false)
      report(
        [],
        "shuts port 80, and webmail (mailhost:web) leads browsers from there to HTTPS; take out one of the two",
      );
  },
});
