/** Complaints of other servers, from their message to the owner's; and by what Gmail counts them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckResult } from "../../../check/types.ts";
import { eventually } from "../../eventually.ts";
import { asItCame, mailHost, otherSide, submit } from "../mail.ts";
import { mailhost, onHost, succeed } from "../mailhost.ts";
import { sums } from "../reports.ts";
import { judged } from "../sending.ts";

const peer = await otherSide();

/**
 * Somebody at example.net has called a message of Ann's spam.
 * @param name the message's Message-ID, without brackets
 * @param incidents how many he says that it stands for
 */
async function complain(name: string, incidents: number): Promise<void> {
  const sent = await peer.send({
    from: "fbl@example.net",
    to: "feedback@example.org",
    raw: [
      "From: fbl@example.net",
      "To: feedback@example.org",
      "Subject: A complaint",
      `Date: ${new Date().toUTCString()}`,
      `Message-ID: <about-${name}@example.net>`,
      "MIME-Version: 1.0",
      'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      "Somebody has called this message spam.",
      "--b",
      "Content-Type: message/feedback-report",
      "",
      "Feedback-Type: abuse",
      "User-Agent: Example FBL/1",
      "Version: 1",
      `Incidents: ${incidents}`,
      "",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "From: Ann <ann@example.org>",
      "To: redacted@example.net",
      "Subject: An offer",
      `Message-ID: <${name}@example.org>`,
      "",
      "Buy this.",
      "--b--",
      "",
    ].join("\r\n"),
  });
  assert.ok(sent.accepted, sent.response);
}

test("a complaint names the message and its mailbox, and that it came from whom it says", async () => {
  await complain("offer", 1);
  await eventually("it is kept", 30, async () => {
    const { complaints } = await sums();
    assert.deepEqual(
      complaints.map(({ mailbox, type, name, verified }) => [mailbox, type, name, verified]),
      [["ann@example.org", "abuse", "<offer@example.org>", "example.net"]],
    );
  });
  const { stdout } = await succeed(["reports"]);
  assert.match(stdout, /^ {4}\S+ {2}ann@example\.org {2}abuse, by example\.net {2}<offer@example\.org>$/m);
});

test("when many complain the check says of whom, and what to do", async () => {
  const said = async () => {
    const { stdout } = await mailhost(["check", "--json"]);
    return (JSON.parse(stdout) as readonly CheckResult[])
      .filter(({ item }) => item === "complaints")
      .map(({ right, about, remedy = "" }) => `${right ? "right" : "wrong"} ${about} ${remedy}`);
  };
  /** As if so many more had come. */
  const more = (verified: string) =>
    onHost(
      `python3 -c "import sqlite3; store = sqlite3.connect('/srv/reports/reports.db'); store.executemany('INSERT INTO complaints SELECT taken, type, sender, ?, domain, mailbox, ?, 2 FROM complaints WHERE incidents = 40', [('${verified}', f'<spam-{n}@example.org>') for n in range(20)]); store.commit()"`,
    );
  await complain("spam", 40);
  await eventually("it is kept", 30, async () => (await sums()).complaints.length === 2);
  // Two, whatever number he writes.
  assert.deepEqual(await said(), ["right complaints "]);
  await more("example.net");
  const [first = "", ...none] = await said();
  assert.deepEqual(none, []);
  assert.match(first, /^wrong complaints\.example\.org Stop what people complain about/);
  await more("example.edu");
  const [domain = "", mailbox = "", ...others] = await said();
  assert.deepEqual(others, []);
  assert.match(domain, /^wrong complaints\.example\.org Stop what people complain about/);
  assert.match(mailbox, /^wrong complaints\.ann@example\.org Look for them in its Sent folder/);
  // The others of the story do without; one that is left is no reason to tell anybody.
  await onHost(
    `python3 -c "import sqlite3; store = sqlite3.connect('/srv/reports/reports.db'); store.execute('DELETE FROM complaints WHERE incidents > 1'); store.commit()"`,
  );
  assert.deepEqual(await said(), ["right complaints "]);
});

test("Feedback-ID: one for what has none, under both signatures; what has one keeps it", async () => {
  const host = await mailHost();
  const feedbackIds = async (raw?: string) => {
    const from = "ann@example.org";
    const sent = await submit(host, { from, to: "gmail@example.net", ...(raw && { raw }) });
    const [, messageId = sent.messageId] = /^Message-ID: (.*)$/m.exec(raw ?? "") ?? [];
    const got = (await peer.waitFor(messageId.trim(), 30)) ?? assert.fail("it did not come");
    assert.equal(judged(got), "pass pass+pass pass");
    const [head = ""] = (await asItCame(got)).split(/\r?\n\r?\n/);
    const fields = head.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
    const signatures = fields.filter((field) => /^DKIM-Signature:/i.test(field));
    assert.equal(signatures.length, 2);
    for (const signature of signatures) assert.match(signature, /[;\s]h=[^;]*:\s*feedback-id[:;]/i);
    return fields.filter((field) => /^Feedback-ID:/i.test(field));
  };
  assert.deepEqual(await feedbackIds(), ["Feedback-ID: ann:example.org:mailbox:examplemail"]);
  const own = [
    "From: ann@example.org",
    "To: gmail@example.net",
    "Subject: Mine",
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: <${crypto.randomUUID()}@example.org>`,
    "Feedback-ID: spring:shop:list:others",
    "",
    "Words.",
    "",
  ];
  assert.deepEqual(await feedbackIds(own.join("\r\n")), ["Feedback-ID: spring:shop:list:others"]);
});
