/** Reports on the stack's domains, as other servers send them by mail. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Complaint } from "../../check/complaints.ts";
import type { DeliverySums } from "../../cli/deliveryLines.ts";
import { otherSide, unique } from "./mail.ts";
import { succeed } from "./mailhost.ts";

/** What `npm run reports -- --json` says, as far as a test reads it. */
interface Sums {
  readonly reports: readonly {
    readonly sender: string;
    readonly domain: string;
    readonly verified: string;
    /** The last, in seconds. */
    readonly ends: number;
  }[];
  readonly dmarc: readonly { readonly ip: string; readonly messages: number; readonly dkim: string }[];
  readonly tls: readonly { readonly failure: string; readonly sessions: number }[];
  readonly complaints: readonly Complaint[];
  readonly deliveries: DeliverySums;
  readonly others: number;
}

export const sums = async () => JSON.parse((await succeed(["reports", "--json"])).stdout) as Sums;

/** The time that a report is about. */
export interface Span {
  readonly begins: Date;
  readonly ends: Date;
}

/** A day that ends so many hours from now. */
export function dayThatEnds(hours: number): Span {
  const ends = Date.now() + hours * 3_600_000;
  return { begins: new Date(ends - 86_400_000), ends: new Date(ends) };
}

/** Messages from an address, and whether they passed. */
export interface Row {
  readonly ip: string;
  readonly messages: number;
  readonly passed: boolean;
}

/** An aggregate report on DMARC (RFC 7489 appendix C). */
export function dmarcReport(domain: string, { begins, ends }: Span, rows: readonly Row[]): Buffer {
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  const records = rows.map(({ ip, messages, passed }) => {
    const result = passed ? "pass" : "fail";
    return `<record><row><source_ip>${ip}</source_ip><count>${messages}</count>
<policy_evaluated><disposition>none</disposition><dkim>${result}</dkim><spf>${result}</spf></policy_evaluated></row>
<identifiers><header_from>${domain}</header_from></identifiers></record>`;
  });
  return gzipSync(`<?xml version="1.0"?>
<feedback><report_metadata><org_name>example.net</org_name><report_id>${unique("r")}</report_id>
<date_range><begin>${seconds(begins)}</begin><end>${seconds(ends)}</end></date_range></report_metadata>
<policy_published><domain>${domain}</domain><p>quarantine</p></policy_published>
${records.join("\n")}</feedback>`);
}

/** A report on TLS (RFC 8460 section 4.4). @param failures sessions by their result types */
export function tlsReport(
  domain: string,
  { begins, ends }: Span,
  good: number,
  failures: Readonly<Record<string, number>> = {},
): Buffer {
  const details = Object.entries(failures);
  return gzipSync(
    JSON.stringify({
      "organization-name": "Example Net",
      "date-range": { "start-datetime": begins, "end-datetime": ends },
      "report-id": unique("t"),
      policies: [
        {
          policy: { "policy-type": "sts", "policy-domain": domain },
          summary: {
            "total-successful-session-count": good,
            "total-failure-session-count": details.reduce((sum, [, count]) => sum + count, 0),
          },
          "failure-details": details.map(([type, count]) => ({
            "result-type": type,
            "failed-session-count": count,
          })),
        },
      ],
    }),
  );
}

/** Lets the other side send one. @param from its sender's address */
export async function report(
  to: string,
  filename: string,
  content: Buffer,
  from = "reports@example.net",
): Promise<void> {
  const peer = await otherSide();
  const sent = await peer.send({
    from,
    to,
    raw: [
      `From: ${from}`,
      `To: ${to}`,
      `Subject: ${unique("Report")}`,
      `Date: ${new Date().toUTCString()}`,
      `Message-ID: <${unique("report").replace(" ", ".")}@example.net>`,
      "MIME-Version: 1.0",
      "Content-Type: application/gzip",
      `Content-Disposition: attachment; filename="${filename}"`,
      "Content-Transfer-Encoding: base64",
      "",
      content.toString("base64").replace(/.{76}/g, "$&\r\n"),
      "",
    ].join("\r\n"),
  });
  assert.ok(sent.accepted, sent.response);
}
