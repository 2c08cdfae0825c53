/** What other servers report, from a message that comes in to `npm run reports`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../eventually.ts";
import { mailHost, otherSide, submit, unique } from "../mail.ts";
import { onHost, stackOutput, succeed } from "../mailhost.ts";
import { dayThatEnds, dmarcReport, report, sums, tlsReport } from "../reports.ts";
import { answer } from "../sending.ts";

const peer = await otherSide();
const { publicIp } = (await stackOutput()) as { readonly publicIp: string };

const dmarc = (domain: string) =>
  dmarcReport(domain, dayThatEnds(-1), [
    { ip: publicIp, messages: 42, passed: true },
    { ip: "203.0.113.99", messages: 3, passed: false },
  ]);
const tls = tlsReport("example.org", dayThatEnds(-1), 7, { "certificate-expired": 1 });

test("what was sent is told by what became of it: arrived, put off and then arrived, or come back", async (t) => {
  const host = await mailHost();
  const sent = async () => {
    const { days, failures } = (await sums()).deliveries;
    const mine = days.filter(({ domain }) => domain === "example.com");
    const sum = (part: "sent" | "delivered" | "deferred" | "bounced") =>
      mine.reduce((all, day) => all + day[part], 0);
    const bounced = failures.filter(({ domain, status }) => domain === "example.com" && status === "bounced");
    return {
      counts: [sum("sent"), sum("delivered"), sum("deferred"), sum("bounced")],
      bounced: bounced.reduce((all, { deliveries }) => all + deliveries, 0),
      receivers: bounced.map(({ receiver, code }) => [receiver, code]),
    };
  };
  const before = await sent();
  const more = async () => (await sent()).counts.map((count, index) => count - (before.counts[index] ?? 0));
  const write = (to: string) => submit(host, { from: "carol@example.com", to, subject: unique("Counted") });
  t.after(() => answer({ mode: "accept" }));
  await write("one@example.net");
  await eventually("one has arrived", 30, async () => assert.deepEqual(await more(), [1, 1, 0, 0]));
  await answer({ mode: "defer", to: "later@example.net", times: 1 });
  await write("later@example.net");
  await eventually("one is put off", 30, async () => assert.deepEqual(await more(), [2, 1, 1, 0]));
  await onHost("postqueue -f");
  await eventually("it has arrived, too", 60, async () => assert.deepEqual(await more(), [2, 2, 1, 0]));
  await answer({ mode: "reject", to: "gone@example.net", text: "5.1.1 Nobody here" });
  await write("gone@example.net");
  await eventually("one has come back", 30, async () => assert.deepEqual(await more(), [3, 2, 1, 1]));
  const { receivers } = await sent();
  assert.ok(receivers.some(([receiver, code]) => receiver === "example.net" && code === "5.1.1"));
  const { stdout } = await succeed(["reports"]);
  assert.match(stdout, /^What became of what was sent \(the host's log, since \d{4}-\d\d-\d\d\)$/m);
  assert.match(stdout, /^ {4}bounced at example\.net: \d+, no such address \(5\.1\.1\)$/m);
});

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
