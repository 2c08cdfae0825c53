import { brought } from "../options/list.ts";
import { addressParts, liesIn } from "../settings/names.ts";
import type { Domain, Settings } from "../settings/types.ts";
import { type DkimSelector, dkimSelectors, domainOfHost } from "./dkim.ts";
import { dnsChallenge } from "./dnsChallenge.ts";
import type { Ramps } from "./ramp.ts";
import { dmarcNow, sinceWhen } from "./ramps.ts";
import { relaySpf } from "./relay.ts";
import type { KeyRotation } from "./rotation.ts";
import { isSentBySes } from "./ses.ts";
import { ownSpf } from "./spf.ts";
import { tlsaName, tlsaText, tlsKeys } from "./tlsKey.ts";
import type { DnsRecord } from "./types.ts";
import { webmail, zoneOfName } from "./webmail.ts";

/** Days after `since` in which a mistake should be forgotten soon. */
const newDays = 14;

/**
 * All DNS records of a stack. Records of the domains' own names that are not about mail, such as a web site's A,
 * are never among them.
 * @param today YYYY-MM-DD: records live 300 seconds in a domain's first 14 days, 3600 after. So one later
 *   `pulumi up` shows them all changed.
 * @param rotation the keys' state. @default that in which a stack begins
 * @param ramps where the policies stand that ramp. @default where they begin
 */
export function dnsRecords(
  settings: Settings,
  today: string,
  rotation: KeyRotation = {},
  ramps: Ramps = {},
): readonly DnsRecord[] {
  const dkim = dkimSelectors(settings, rotation);
  return [
    ...hostRecords(settings, today, dkim),
    ...tlsaRecords(settings, today, rotation),
    ...caaRecords(settings, today),
    ...settings.domains.flatMap((domain) => domainRecords(settings, domain, today, dkim, ramps)),
    ...reportAuthorisations(settings, today),
    ...brought(settings, (option, value) =>
      option.records?.(value, settings, (domain) => ttlOf(domain, today), ramps),
    ),
  ];
}

/** Whether a record tells the world to send mail here, or how: it is published when somebody is there to take it. */
export function asksForMail({ domains }: Settings, { type, name }: DnsRecord): boolean {
  return type === "TLSA" || (type === "MX" && domains.some((domain) => domain.name === name));
}

type Draft = Omit<DnsRecord, "zone" | "ttl">;

function hostRecords(settings: Settings, today: string, dkim: readonly DkimSelector[]): DnsRecord[] {
  const { hostname: name, network, hostnameZone: zone } = settings;
  const home = domainOfHost(settings);
  const drafts: Draft[] = [
    {
      name,
      type: "A",
      content: { fact: "publicIpv4", text: (address) => address },
      why: "Address of the mail host, to which its PTR points back",
    },
    ...(network.ipv6 ? [ipv6Address(name)] : []),
    {
      name,
      type: "TXT",
      content: ownSpf({ own: ["a", ...relaySpf(settings, name)] }),
      why: "SPF: bounces have no sender, so receivers judge the host's own name by its address",
    },
    ...dkimKeys(dkim, settings, home, name, "what the machine itself sends", today),
    {
      name: `_dmarc.${name}`,
      type: "TXT",
      // Only this program sends as the host's name, always signed and from its address, so there is nobody whose
      // mail the strictest policy could hurt. Without it the zone's policy would hold (RFC 7489 section 6.6.3),
      // which may be another owner's or none.
      content: dmarcPolicy("reject", home.dmarc.reportsTo),
      why: "DMARC: only the machine itself sends as this name, so anything else is forged",
    },
  ];
  return drafts.map((draft) => ({ ...draft, zone, ttl: ttlOf(home, today) }));
}

/** The authority that may issue certificates for each name that the host has one for; nobody may issue wildcards. */
function caaRecords(settings: Settings, today: string): DnsRecord[] {
  const { options, acme, hostname } = settings;
  if (!options.caa || acme.caaIdentity === undefined) return [];
  const issuer = `${acme.caaIdentity}; validationmethods=${dnsChallenge(settings) === undefined ? "http-01" : "dns-01"}`;
  const ttl = ttlOf(domainOfHost(settings), today);
  return [hostname, ...(webmail(settings)?.names ?? [])].flatMap((name) => {
    const record = {
      zone: zoneOfName(name, settings) ?? settings.hostnameZone,
      ttl,
      name,
      type: "CAA" as const,
    };
    return [
      {
        ...record,
        content: {
          fact: "acmeAccount" as const,
          text: (account: string) => `0 issue "${issuer}${account === "" ? "" : `; accounturi=${account}`}"`,
        },
        why: "CAA: only the host's own account may have certificates for this name",
      },
      {
        ...record,
        label: "issuewild",
        content: '0 issuewild ";"',
        why: "CAA: nobody may have one certificate for all names below this one",
      },
    ];
  });
}

const tlsaWords = {
  published: "next key of the host, known before it is used",
  signing: "key of the host that senders will meet",
  retired: "key that the host has used, until everybody knows of the next",
} as const;

/** A record for each key that somebody may meet; a void one has none. */
function tlsaRecords(settings: Settings, today: string, rotation: KeyRotation): DnsRecord[] {
  if (!settings.options.dane) return [];
  return tlsKeys(settings, rotation).flatMap(({ name, generation, state }) =>
    state === "revoked"
      ? []
      : {
          zone: settings.hostnameZone,
          ttl: ttlOf(domainOfHost(settings), today),
          name: tlsaName(settings),
          type: "TLSA" as const,
          label: generation,
          content: { fact: name, text: tlsaText },
          why: `DANE: ${tlsaWords[state]}`,
        },
  );
}

function ipv6Address(name: string): Draft {
  return {
    name,
    type: "AAAA",
    content: { fact: "publicIpv6", text: (address) => address },
    why: "IPv6 address of the mail host",
  };
}

function domainRecords(
  settings: Settings,
  domain: Domain,
  today: string,
  dkim: readonly DkimSelector[],
  ramps: Ramps,
): DnsRecord[] {
  const { name, zone } = domain;
  const { policy, climbed } = dmarcNow(domain, ramps);
  const sent = isSentBySes(settings, name);
  const own = [ownMechanism(settings), ...relaySpf(settings, name)];
  const drafts: Draft[] = [
    {
      name,
      type: "MX",
      priority: 10,
      content: settings.hostname,
      why: "Mail for this domain goes to the mail host",
    },
    ...settings.options.secondMx.map(
      (host, index): Draft => ({
        name,
        type: "MX",
        priority: 20 + 10 * index,
        label: host,
        content: host,
        why: "Keeps this domain's mail while the mail host is away",
      }),
    ),
    {
      name,
      type: "TXT",
      content: ownSpf({ ...domain.spf, own }),
      ...(domain.spf && { joins: { ...domain.spf, own } }),
      why: sent
        ? "SPF: only the mail host sends for this domain; Amazon SES sends as bounce. below it"
        : "SPF: only the mail host sends for this domain",
    },
    ...dkimKeys(dkim, settings, domain, name, "this domain's mail", today),
    {
      name: `_dmarc.${name}`,
      type: "TXT",
      content: dmarcPolicy(policy, domain.dmarc.reportsTo, sent ? "r" : "s"),
      why: climbed
        ? `DMARC: ${sinceWhen(climbed)}`
        : "DMARC: what to do with mail that only claims to be from this domain",
    },
  ];
  return drafts.map((draft) => ({ ...draft, zone, ttl: ttlOf(domain, today) }));
}

/** The mail host alone sends for a domain. Whoever else takes mail for it does not, so `mx` would say too much then. */
function ownMechanism({ hostname, options: { secondMx } }: Settings): string {
  return secondMx.length === 0 ? "mx" : `a:${hostname}`;
}

/** What a key is there for, in the words of its record. */
const keyWords = {
  published: (key: string, whose: string) => `next ${key} of ${whose}, known before it signs`,
  signing: (key: string, whose: string) => `${key} that ${whose} is signed with`,
  retired: (key: string) => `${key} that has signed, and stays until its last mail has come`,
  revoked: (key: string) => `${key} that is void, since somebody else may have it`,
} as const satisfies Record<DkimSelector["state"], (key: string, whose: string) => string>;

function dkimKeys(
  all: readonly DkimSelector[],
  { options }: Settings,
  { since }: Domain,
  name: string,
  whose: string,
  today: string,
): Draft[] {
  const isTested = options.dkim.testing && isNew(since, today);
  return all
    .filter(({ domain }) => domain === name)
    .map((key) => ({
      name: key.name,
      type: "TXT",
      // A key without one is revoked (RFC 6376 section 3.6.1).
      content:
        key.state === "revoked"
          ? keyRecord(key, "", isTested)
          : { fact: key.name, text: (publicKey: string) => keyRecord(key, publicKey, isTested) },
      why: `DKIM: ${keyWords[key.state](`${key.algorithm === "rsa" ? "RSA" : "Ed25519"} key`, whose)}`,
    }));
}

/** RFC 6376 section 3.6.1; `h=sha256` because sha1 signatures are void (RFC 8301). */
function keyRecord({ algorithm }: DkimSelector, publicKey: string, isTested: boolean): string {
  return `v=DKIM1; h=sha256; k=${algorithm};${isTested ? " t=y;" : ""} p=${publicKey}`;
}

/**
 * RFC 7489 section 6.3. Alignment is strict: the host signs as the exact domain of From, so nothing of its own
 * needs more, and a subdomain that somebody else runs (a web shop) cannot speak for the domain.
 * @param spf `r` (relaxed) where Amazon SES sends: its envelope senders are of a subdomain, and its SPF should count
 */
function dmarcPolicy(
  policy: ReturnType<typeof dmarcNow>["policy"],
  reportsTo: string,
  spf: "r" | "s" = "s",
): string {
  const { local, domain } = addressParts(reportsTo);
  return `v=DMARC1; p=${policy}; adkim=s; aspf=${spf}; rua=mailto:${uriEncoded(local)}@${domain}`;
}

/** Characters with a meaning in `rua` or in URIs as %XX (RFC 7489 section 6.4, RFC 6068). */
function uriEncoded(local: string): string {
  return local.replace(
    /[^\w.~+=-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * Reports about one organisation's domain go to another's only where that one agrees (RFC 7489 section 7.1). For
 * domains hosted here the owner does. A name above or below the address's own domain needs none.
 */
function reportAuthorisations(settings: Settings, today: string): DnsRecord[] {
  const home = domainOfHost(settings);
  const reported = [
    ...settings.domains.map((domain) => ({ name: domain.name, domain })),
    { name: settings.hostname, domain: home },
  ];
  return reported.flatMap(({ name, domain }) => {
    const receiver = addressParts(domain.dmarc.reportsTo).domain;
    const hosted = settings.domains.find((candidate) => candidate.name === receiver);
    if (!hosted || liesIn(name, receiver) || liesIn(receiver, name)) return [];
    return {
      zone: hosted.zone,
      name: `${name}._report._dmarc.${receiver}`,
      type: "TXT" as const,
      ttl: ttlOf(domain, today),
      content: "v=DMARC1",
      why: "DMARC: this domain agrees to receive reports about the named one",
    };
  });
}

function ttlOf({ since }: Domain, today: string): number {
  return isNew(since, today) ? 300 : 3600;
}

function isNew(since: string, today: string): boolean {
  return (Date.parse(today) - Date.parse(since)) / 86_400_000 < newDays;
}
