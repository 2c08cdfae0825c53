/** What other servers report, from a message that comes in to `npm run reports`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { eventually } from "../../eventually.ts";
import { mailHost, otherSide, submit, unique } from "../mail.ts";
import { onHost, stackOutput, succeed } from "../mailhost.ts";

const peer = await otherSide();
const { publicIp } = (await stackOutput()) as { readonly publicIp: string };

interface Sums {
  readonly reports: readonly {
    readonly sender: string;
    readonly domain: string;
    readonly verified: string;
  }[];
  readonly dmarc: readonly { readonly ip: string; readonly messages: number; readonly dkim: string }[];
  readonly tls: readonly { readonly failure: string; readonly sessions: number }[];
  readonly others: number;
}

const sums = async () => JSON.parse((await succeed(["reports", "--json"])).stdout) as Sums;

const seconds = Math.floor(Date.now() / 1000);

const dmarc = (domain: string) =>
  gzipSync(`<?xml version="1.0"?>
<feedback><report_metadata><org_name>example.net</org_name><report_id>${unique("r")}</report_id>
<date_range><begin>${seconds - 90_000}</begin><end>${seconds - 3600}</end></date_range></report_metadata>
<policy_published><domain>${domain}</domain><p>quarantine</p></policy_published>
<record><row><source_ip>${publicIp}</source_ip><count>42</count>
<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
<identifiers><header_from>${domain}</header_from></identifiers></record>
<record><row><source_ip>203.0.113.99</source_ip><count>3</count>
<policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>${domain}</header_from></identifiers></record></feedback>`);

const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const tls = gzipSync(
  JSON.stringify({
    "organization-name": "Example Net",
    "date-range": { "start-datetime": `${day}T00:00:00Z`, "end-datetime": `${day}T23:59:59Z` },
    "report-id": unique("t"),
    policies: [
      {
        policy: { "policy-type": "sts", "policy-domain": "example.org" },
        summary: { "total-successful-session-count": 7, "total-failure-session-count": 1 },
        "failure-details": [{ "result-type": "certificate-expired", "failed-session-count": 1 }],
      },
    ],
  }),
);

async function report(to: string, filename: string, content: Buffer): Promise<void> {
  const sent = await peer.send({
    from: "reports@example.net",
    to,
    raw: [
      "From: reports@example.net",
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

test("reports of both kinds are read, whoever they came from, and summed up in words", async () => {
  await report("dmarc@example.org", "example.net!example.org.xml.gz", dmarc("example.org"));
  await report("tls-reports@example.org", "example.net!example.org.json.gz", tls);
  await eventually("both are there", 30, async () => (await sums()).reports.length === 2);
  const found = await sums();
  assert.deepEqual(
    found.reports.map(({ sender, domain, verified }) => [sender, domain, verified]),
    [
      ["example.net", "example.org", "example.net"],
      ["Example Net", "example.org", "example.net"],
    ],
  );
  assert.deepEqual(
    found.dmarc.map(({ ip, messages, dkim }) => [ip, messages, dkim]),
    [
      [publicIp, 42, "pass"],
      ["203.0.113.99", 3, "fail"],
    ],
  );
  assert.deepEqual(
    found.tls.map(({ failure, sessions }) => [failure, sessions]),
    [
      ["", 7],
      ["certificate-expired", 1],
    ],
  );
  const { stdout } = await succeed(["reports"]);
  assert.match(
    stdout,
    new RegExp(`^ {4}${publicIp.replaceAll(".", "\\.")} +42 +█{10} 100 % +this host$`, "m"),
  );
  assert.match(stdout, /^ {4}203\.0\.113\.99 +3 +░{10} {3}0 % +neither signed by you nor named by SPF/m);
  assert.match(stdout, /^ {4}certificate-expired \(sts\): 1\. /m);
});

test("a report about somebody else's domain, and a letter, are not counted; a person can read them", async () => {
  const before = (await sums()).others;
  await report("dmarc@example.org", "foreign.xml.gz", dmarc("example.net"));
  const host = await mailHost();
  await submit(host, { from: "ann@example.org", to: "dmarc@example.com", subject: "Is this read?" });
  await eventually("both are put aside", 30, async () => (await sums()).others === before + 2);
  assert.equal((await sums()).reports.length, 2);
  assert.match(
    await onHost("journalctl --sync; journalctl -q -o cat -u 'mailhost-reports@*' -n 20"),
    /not kept: it is about 'example\.net', which is not here/,
  );
});

test("nobody outside writes to the reports' own address, and a program that fails loses none", async () => {
  const direct = await peer.send({
    from: "x@example.net",
    to: "reports@mail.example.org",
    subject: "no",
    text: "no",
  });
  assert.ok(!direct.accepted, direct.response);
  await onHost("mv /etc/mailhost/reports.json /root/");
  try {
    await report("dmarc@example.com", "later.xml.gz", dmarc("example.com"));
    await eventually("it waits in the queue", 30, async () =>
      /reports@mail\.example\.org/.test(await onHost("postqueue -p")),
    );
  } finally {
    await onHost("mv /root/reports.json /etc/mailhost/");
  }
  await onHost("postqueue -f");
  await eventually("it has come in", 30, async () => (await sums()).reports.length === 3);
});
