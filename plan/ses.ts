/**
 * Amazon SES as the relay: what it has to know of each domain, and what the DNS has to say of SES. Sources: Amazon SES
 * developer guide, "Provide your own DKIM authentication token (BYODKIM)", "Using a custom MAIL FROM domain",
 * "Amazon SES header fields", "Using the Amazon SES SMTP interface".
 */
import type { Domain, Settings } from "../settings/types.ts";
import type { DkimSelector } from "./dkim.ts";
import type { DnsRecord } from "./types.ts";

/** Label of the sub-domain that SES sends from, in the envelope. */
export const BOUNCE_LABEL = "bounce";

/** A domain that SES sends for. */
export interface SesDomain {
  readonly domain: string;
  /** The domain's own RSA key, which SES signs with as well: the key record that stands in the DNS holds for both. */
  readonly dkim: DkimSelector;
  /** Domain of SES's envelope senders. Nobody has mail there, and SES alone gets its bounces. */
  readonly mailFrom: string;
}

/** Where SES takes mail after a login. */
export function sesEndpoint(region: string): string {
  return `email-smtp.${region}.amazonaws.com`;
}

/** The domains that SES has to know, whether mail goes there already or not; none where it is not the relay. */
export function sesDomains(settings: Settings, keys: readonly DkimSelector[]): readonly SesDomain[] {
  return chosen(settings).map(({ name }) => {
    const dkim = keys.find(
      (key) => key.domain === name && key.algorithm === "rsa" && key.state === "signing",
    );
    if (dkim === undefined) throw new Error(`no RSA key for ${name}`);
    return { domain: name, dkim, mailFrom: `${BOUNCE_LABEL}.${name}` };
  });
}

/** Whether SES is to send for a domain: what DMARC then looks at is another envelope sender. */
export function isSentBySes(settings: Settings, domain: string): boolean {
  return chosen(settings).some(({ name }) => name === domain);
}

/**
 * The records of the envelope senders' domains. SES wants exactly one MX, which is where its bounces go. A domain's own
 * SPF record needs no word of SES: receivers ask for the one of the envelope sender.
 */
export function sesRecords(settings: Settings, ttlOf: (domain: Domain) => number): readonly DnsRecord[] {
  return chosen(settings).flatMap((domain) => {
    const shared = {
      zone: domain.zone,
      name: `${BOUNCE_LABEL}.${domain.name}`,
      ttl: ttlOf(domain),
    };
    return [
      {
        ...shared,
        type: "MX" as const,
        priority: 10,
        content: `feedback-smtp.${settings.region}.amazonses.com`,
        why: "Amazon SES: bounces of what it sends for this domain go to it",
      },
      {
        ...shared,
        type: "TXT" as const,
        content: "v=spf1 include:amazonses.com -all",
        why: "SPF: envelope senders of this name are Amazon SES's alone",
      },
    ];
  });
}

/**
 * A DKIM key as SES takes it: the base64 of its DER, which is what stands between the PEM's first and last line.
 * @param pem PKCS#8
 */
export function sesPrivateKey(pem: string): string {
  const body = /^-----BEGIN PRIVATE KEY-----\n([\s\S]+)\n-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1];
  if (body === undefined) throw new Error("the DKIM key is no PKCS#8 PEM");
  return body.replaceAll("\n", "");
}

/** What the login at SES may do, as an IAM policy: send as these identities, and nothing else. */
export function sesPolicy(identityArns: readonly string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "ses:SendRawEmail", Resource: identityArns }],
  });
}

function chosen({ domains, options }: Settings): readonly Domain[] {
  const { host, domains: names } = options.relay;
  if (host !== "ses") return [];
  return names === undefined ? domains : domains.filter(({ name }) => names.includes(name));
}
