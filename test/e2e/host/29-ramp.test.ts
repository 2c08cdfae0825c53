/** Policies that ramp by what other servers report, with the program's clock turned forward. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { CheckResult } from "../../../check/types.ts";
import type { Ramps } from "../../../plan/ramp.ts";
import { eventually } from "../../eventually.ts";
import {
  askAnew,
  keepInStack,
  keepStackText,
  mailhost,
  publishAs,
  stackOutput,
  stackText,
  succeed,
  up,
} from "../mailhost.ts";
import { dayThatEnds, dmarcReport, type Row, report, sums, tlsReport } from "../reports.ts";
import { later, upLater } from "../turns.ts";
import { web, worldResolver } from "../web.ts";

const { publicIp } = (await stackOutput()) as { readonly publicIp: string };
const before = stackText();

const policies = async () => {
  const { policyRamps = {} } = (await stackOutput()) as { readonly policyRamps?: Ramps };
  return Object.fromEntries(Object.entries(policyRamps).map(([name, { policy }]) => [name, policy]));
};
const dmarc = async (domain: string) => {
  const [[record = ""] = []] = await worldResolver().resolveTxt(`_dmarc.${domain}`);
  return /p=(\w+)/.exec(record)?.[1];
};
const dmarcSetting = (domain: string, value: string) =>
  keepInStack((stack) => stack.setIn(["config", "mailhost:domains", domain, "dmarc"], value));

after(async () => {
  keepStackText(before);
  await up();
  assert.deepEqual([await dmarc("example.org"), await policies()], ["quarantine", {}]);
});

test("a ramp begins with what is published, and stays there while nothing is known", async () => {
  dmarcSetting("example.org", "none");
  await up("--target", "**::dns-txt:_dmarc.example.org");
  dmarcSetting("example.org", "ramp");
  dmarcSetting("example.com", "ramp");
  keepInStack((stack) => stack.setIn(["config", "mailhost:mtaSts"], "ramp"));
  const { stdout } = await up();
  assert.match(stdout, /example\.org, DMARC: none since [\d-]{10}, 0 of 30 days\. /);
  assert.match(stdout, /MTA-STS: testing since /);
  assert.deepEqual(await policies(), {
    "_dmarc.example.org": "none",
    "_dmarc.example.com": "quarantine",
    "_mta-sts": "testing",
  });
  assert.equal(await dmarc("example.org"), "none");
});

test("after a month a step is taken where reports say that it is safe, and nowhere else", async () => {
  // A second organisation, whose mail comes from the same server.
  await publishAs("MX", "neighbour.org", "10 mx.example.net.");
  await publishAs("TXT", "neighbour.org", '"v=spf1 include:example.net -all"');
  await publishAs("TXT", "_dmarc.neighbour.org", '"v=DMARC1; p=none"');
  await askAnew("org");
  // Of a day that the program's clock will have seen.
  const day = dayThatEnds(36);
  const mail = (domain: string, rows: readonly Row[]) => dmarcReport(domain, day, rows);
  const own = (messages: number, passed: boolean): Row => ({ ip: publicIp, messages, passed });
  const stranger: Row = { ip: "203.0.113.99", messages: 500, passed: false };
  for (const from of ["reports@example.net", "reports@neighbour.org"]) {
    await report("dmarc@example.org", "a.xml.gz", mail("example.org", [own(40, true), stranger]), from);
    await report("dmarc@example.com", "b.xml.gz", mail("example.com", [own(40, true), own(9, false)]), from);
    await report("tls-reports@example.org", "c.json.gz", tlsReport("example.org", day, 50), from);
  }
  await eventually("all six are there", 30, async () => {
    const { reports } = await sums();
    return reports.filter(({ ends }) => ends * 1000 > Date.now()).length === 6;
  });

  const early = await later(29, "preview");
  assert.match(
    early.stdout,
    /example\.org, DMARC: none since [\d-]{10}, 29 of 30 days\. 80 own messages in reports of 2 organisations, none fails\./,
  );
  const { stdout } = await upLater(31);
  assert.match(
    stdout,
    /example\.org, DMARC: from none to quarantine\. 80 own messages .* 1000 messages of strangers fail \(203\.0\.113\.99: 1000\)/,
  );
  assert.match(
    stdout,
    /example\.com, DMARC: quarantine since [\d-]{10}, and not reject yet\. Of 98 own messages 18 fail/,
  );
  assert.match(
    stdout,
    /MTA-STS: from testing to enforce\. 100 sessions in reports of 2 organisations, none failed\./,
  );
  assert.deepEqual(await policies(), {
    "_dmarc.example.org": "quarantine",
    "_dmarc.example.com": "quarantine",
    "_mta-sts": "enforce",
  });
  assert.deepEqual([await dmarc("example.org"), await dmarc("example.com")], ["quarantine", "quarantine"]);
  const policy = (await web("https://mta-sts.example.com/.well-known/mta-sts.txt")).body.toString();
  assert.match(policy, /^mode: enforce$/m);
  const { dnsRecords } = (await stackOutput()) as {
    readonly dnsRecords: Readonly<Record<string, { readonly why: string }>>;
  };
  assert.match(
    dnsRecords["txt:_dmarc.example.org"]?.why ?? "",
    /^DMARC: quarantine since [\d-]{10}: 80 messages, 2 reporters, 0 failed$/,
  );
});

test("`npm run reports` ends with what the ramps say, and the check knows where they stand", async () => {
  const { stdout } = await succeed(["reports"]);
  assert.match(
    stdout,
    /\nPolicies that ramp, as the next `up` after one that ended well would have them\n.*example\.com, DMARC: quarantine/s,
  );
  const { code, stdout: checked } = await mailhost(["check", "--json"]);
  assert.equal(code, 1);
  const wrong = (JSON.parse(checked) as CheckResult[]).filter(({ right }) => !right);
  assert.deepEqual(
    wrong.map(({ about }) => about),
    ["policies._dmarc.example.com"],
  );
  assert.match(wrong[0]?.text ?? "", /example\.com, DMARC: quarantine since .*Of 98 own messages 18 fail/);
});
