import assert from "node:assert/strict";
import { it } from "node:test";
import { type ReportSums, reportLines } from "../../cli/reportLines.ts";

const nothing: ReportSums = { days: 30, reports: [], dmarc: [], tls: [], complaints: [], others: 0 };
const own = ["198.51.100.1"];

function row(ip: string, messages: number, dkim: "pass" | "fail", spf: "pass" | "fail") {
  return {
    domain: "example.org",
    ip,
    dkim,
    spf,
    disposition: "none",
    header_from: "example.org",
    dkim_domain: "",
    spf_domain: "",
    messages,
    authentic: 1 as const,
  };
}
const from = (kind: "dmarc" | "tls", sender: string, reports: number) => ({
  kind,
  domain: "example.org",
  sender,
  reports,
  verified: sender,
  begins: 0,
  ends: 0,
});

it("no report is no cause for alarm, and letters to the address are named", () => {
  assert.deepEqual(reportLines(nothing, own), [
    "No report has come in 30 days. Large receivers send one a day to who has sent them mail.",
  ]);
  assert.match(
    reportLines({ ...nothing, others: 1 }, own)[1] ?? "",
    /^1 message to these addresses held no report/,
  );
});

it("each sender is told apart by what passes, the busiest first", () => {
  const dmarc = [
    row("203.0.113.1", 2, "pass", "fail"),
    row("203.0.113.1", 2, "fail", "fail"),
    row("198.51.100.1", 996, "pass", "pass"),
    row("203.0.113.2", 7, "pass", "fail"),
    row("203.0.113.3", 5, "fail", "pass"),
    row("203.0.113.4", 3, "fail", "fail"),
  ];
  const lines = reportLines(
    { ...nothing, reports: [from("dmarc", "one.example", 2), from("dmarc", "two.example", 1)], dmarc },
    own,
  );
  assert.deepEqual(lines, [
    "example.org",
    "  Who sends as it (DMARC, 3 reports from one.example, two.example)",
    "    198.51.100.1   996  ██████████ 100 %  this host",
    "    203.0.113.2      7  ██████████ 100 %  signed by you, passed on by others or sent by a relay",
    "    203.0.113.3      5  ██████████ 100 %  a sender that your SPF record names",
    "    203.0.113.1      4  █████░░░░░  50 %  passed on: a part has lost its signature on the way",
    "    203.0.113.4      3  ░░░░░░░░░░   0 %  neither signed by you nor named by SPF: forged, or a service of yours that you have to name",
    "    in all        1015  █████████░  99 %",
    "",
  ]);
});

it("mail of the host itself that does not pass is something to look into", () => {
  const dmarc = [row("198.51.100.1", 9, "pass", "pass"), row("198.51.100.1", 1, "fail", "fail")];
  const text = reportLines({ ...nothing, reports: [from("dmarc", "one.example", 1)], dmarc }, own).join("\n");
  assert.match(text, /90 % {2}this host, and not all of it passes: run `npm run check`/);
});

it("a thousand forgers are not a thousand lines", () => {
  const dmarc = Array.from({ length: 1000 }, (_, index) =>
    row(`10.0.${Math.floor(index / 250)}.${index % 250}`, 1, "fail", "fail"),
  );
  const lines = reportLines({ ...nothing, reports: [from("dmarc", "one.example", 1)], dmarc }, own);
  assert.ok(lines.includes("    and 985 addresses more"));
  assert.ok(lines.length < 25);
});

it("how TLS went: what failed has its name and what to do", () => {
  const tls = [
    { domain: "example.org", policy: "sts", failure: "", sessions: 98, authentic: 1 as const },
    {
      domain: "example.org",
      policy: "sts",
      failure: "certificate-expired",
      sessions: 1,
      authentic: 1 as const,
    },
    { domain: "example.org", policy: "tlsa", failure: "other", sessions: 1, authentic: 1 as const },
  ];
  assert.deepEqual(
    reportLines({ ...nothing, reports: [from("tls", "one.example", 1)], tls }, own).slice(1, -1),
    [
      "  How TLS went (1 report from one.example)",
      "    100 sessions  █████████░  98 %",
      "    certificate-expired (sts): 1. The certificate had expired: run `npm run check`.",
      "    other (tlsa): 1. Run `npm run check`.",
    ],
  );
});

it("what anybody may have sent is left out, and said to be", () => {
  const dmarc = [
    row("198.51.100.1", 5, "pass", "pass"),
    { ...row("203.0.113.9", 1e9, "fail", "fail"), authentic: 0 as const },
  ];
  const reports = [from("dmarc", "one.example", 1), { ...from("dmarc", "two.example", 1), verified: "" }];
  assert.deepEqual(reportLines({ ...nothing, reports, dmarc }, own).slice(1, -1), [
    "  Who sends as it (DMARC, 2 reports from one.example, somebody as two.example)",
    "    198.51.100.1  5  ██████████ 100 %  this host",
    "    in all        5  ██████████ 100 %",
    "    (1000000000 messages of reports that anybody may have sent left out)",
  ]);
});
