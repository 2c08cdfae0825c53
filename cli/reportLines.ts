/** What the program on the host (files/usr/local/lib/mailhost/reports) has summed up, in words. */

import type { Complaint } from "../check/complaints.ts";

/** Its JSON. */
export interface ReportSums {
  readonly days: number;
  /** Who has reported, and how often. */
  readonly reports: readonly {
    readonly kind: "dmarc" | "tls";
    readonly domain: string;
    readonly sender: string;
    readonly reports: number;
    /** The domain that they came from, as DMARC found; empty: anybody may have sent them. */
    readonly verified: string;
    /** Seconds since 1970. */
    readonly begins: number;
    readonly ends: number;
  }[];
  readonly dmarc: readonly {
    readonly domain: string;
    readonly ip: string;
    /** Whether a signature, and the envelope sender, were found to be aligned with the header From. */
    readonly dkim: "pass" | "fail";
    readonly spf: "pass" | "fail";
    readonly disposition: string;
    readonly header_from: string;
    readonly dkim_domain: string;
    readonly spf_domain: string;
    readonly messages: number;
    /** 0: anybody may have said so. */
    readonly authentic: 0 | 1;
  }[];
  readonly tls: readonly {
    readonly domain: string;
    readonly policy: string;
    /** Empty: it went well. */
    readonly failure: string;
    readonly sessions: number;
    readonly authentic: 0 | 1;
  }[];
  /** Messages that somebody has complained about, the newest first. */
  readonly complaints: readonly Complaint[];
  /** Messages to the reports' addresses that were none. */
  readonly others: number;
}

/** One address that has sent as a domain. */
interface Source {
  readonly ip: string;
  readonly messages: number;
  readonly passed: number;
  readonly signed: number;
}

/** Most addresses of a domain that are shown one by one. */
const mostSources = 15;
const mostSenders = 8;
const barLength = 10;

/** The whole, line by line. @param own addresses of the host */
export function reportLines(sums: ReportSums, own: readonly string[]): string[] {
  const domains = [...new Set(sums.reports.map(({ domain }) => domain))].toSorted();
  const others =
    sums.others === 0
      ? []
      : [
          `${counted(sums.others, "message")} to these addresses held no report that could be kept: /srv/reports/others on the host.`,
        ];
  if (domains.length === 0)
    return [
      `No report has come in ${sums.days} days. Large receivers send one a day to who has sent them mail.`,
      ...others,
    ];
  return [...domains.flatMap((domain) => domainLines(domain, sums, own)), ...others];
}

function domainLines(domain: string, sums: ReportSums, own: readonly string[]): string[] {
  const by = (kind: "dmarc" | "tls") =>
    sums.reports.filter((report) => report.kind === kind && report.domain === domain);
  const from = (kind: "dmarc" | "tls") => {
    const all = by(kind);
    const count = all.reduce((sum, { reports }) => sum + reports, 0);
    const names = [...new Set(all.map(({ sender, verified }) => verified || `somebody as ${sender}`))];
    const more = names.length - mostSenders;
    return `${counted(count, "report")} from ${names.slice(0, mostSenders).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  };
  return [
    domain,
    ...(by("dmarc").length > 0
      ? [`  Who sends as it (DMARC, ${from("dmarc")})`, ...dmarcLines(domain, sums, own)]
      : []),
    ...(by("tls").length > 0 ? [`  How TLS went (${from("tls")})`, ...tlsLines(domain, sums)] : []),
    "",
  ];
}

function dmarcLines(domain: string, sums: ReportSums, own: readonly string[]): string[] {
  const all = sums.dmarc.filter((row) => row.domain === domain);
  const rows = all.filter(({ authentic }) => authentic);
  const anybodys = all.filter(({ authentic }) => !authentic).reduce((sum, { messages }) => sum + messages, 0);
  const left =
    anybodys === 0
      ? []
      : [`    (${counted(anybodys, "message")} of reports that anybody may have sent left out)`];
  const sources = [...Map.groupBy(rows, ({ ip }) => ip)]
    .map(([ip, some]): Source => {
      const count = (counted: readonly { readonly messages: number }[]) =>
        counted.reduce((sum, { messages }) => sum + messages, 0);
      return {
        ip,
        messages: count(some),
        passed: count(some.filter(({ dkim, spf }) => dkim === "pass" || spf === "pass")),
        signed: count(some.filter(({ dkim }) => dkim === "pass")),
      };
    })
    .toSorted((a, b) => b.messages - a.messages);
  if (sources.length === 0) return ["    nobody", ...left];
  const total = sources.reduce((sum, { messages }) => sum + messages, 0);
  const passed = sources.reduce((sum, source) => sum + source.passed, 0);
  const width = Math.max(...sources.slice(0, mostSources).map(({ ip }) => ip.length));
  const digits = String(total).length;
  const line = (name: string, source: Omit<Source, "ip">, what: string) =>
    `    ${name.padEnd(width)}  ${String(source.messages).padStart(digits)}  ${bar(source.passed, source.messages)}  ${what}`;
  return [
    ...sources.slice(0, mostSources).map((source) => line(source.ip, source, meaning(source, own))),
    ...(sources.length > mostSources
      ? [`    and ${counted(sources.length - mostSources, "address", "addresses")} more`]
      : []),
    line("in all", { messages: total, passed, signed: 0 }, ""),
    ...left,
  ].map((text) => text.trimEnd());
}

/** What a source is, and what to do about it. */
function meaning({ ip, messages, passed, signed }: Source, own: readonly string[]): string {
  if (own.includes(ip))
    return passed === messages ? "this host" : "this host, and not all of it passes: run `npm run check`";
  if (passed === messages)
    return signed === messages
      ? "signed by you, passed on by others or sent by a relay"
      : "a sender that your SPF record names";
  if (passed > 0) return "passed on: a part has lost its signature on the way";
  return "neither signed by you nor named by SPF: forged, or a service of yours that you have to name";
}

function tlsLines(domain: string, sums: ReportSums): string[] {
  const rows = sums.tls.filter((row) => row.domain === domain && row.authentic);
  const good = rows.filter(({ failure }) => failure === "").reduce((sum, { sessions }) => sum + sessions, 0);
  const bad = rows.filter(({ failure, sessions }) => failure !== "" && sessions > 0);
  const failed = bad.reduce((sum, { sessions }) => sum + sessions, 0);
  return [
    `    ${counted(good + failed, "session")}  ${bar(good, good + failed)}`,
    ...bad.map(
      ({ failure, policy, sessions }) =>
        `    ${failure} (${policy}): ${sessions}. ${remedies[failure] ?? "Run `npm run check`."}`,
    ),
  ];
}

/** RFC 8460 section 4.3. */
const remedies: Readonly<Record<string, string>> = {
  "starttls-not-supported": "Somebody between took STARTTLS away, or port 25 is not this host's.",
  "certificate-host-mismatch": "The certificate has not the host's name: run `npm run check`.",
  "certificate-expired": "The certificate had expired: run `npm run check`.",
  "certificate-not-trusted": "The certificate was not from an authority that they know: run `npm run check`.",
  "tlsa-invalid": "A TLSA record did not name the key: run `npm run check`.",
  "dnssec-invalid": "The zone's signatures were broken: run `npm run check`.",
  "dane-required": "They go by DANE alone and found no TLSA record: is the zone signed?",
  "sts-policy-fetch-error": "The MTA-STS policy could not be read: does the Worker answer?",
  "sts-policy-invalid": "The MTA-STS policy was not as it should be.",
  "sts-webpki-invalid": "The certificate of the MTA-STS policy's own name was not valid.",
};

function bar(part: number, whole: number): string {
  const share = whole === 0 ? 0 : part / whole;
  // Only what is whole looks whole.
  const full = share === 1 ? barLength : Math.min(barLength - 1, Math.round(share * barLength));
  const percent = share === 1 ? 100 : Math.min(99, Math.floor(share * 100));
  return `${"█".repeat(full)}${"░".repeat(barLength - full)} ${String(percent).padStart(3)} %`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
