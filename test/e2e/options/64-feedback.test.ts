/** A complaint of another server's, from its message to `npm run reports`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../eventually.ts";
import { otherSide } from "../mail.ts";
import { succeed } from "../mailhost.ts";
import { sums } from "../reports.ts";

test("a complaint names the message and its mailbox, and that it came from whom it says", async () => {
  const peer = await otherSide();
  const sent = await peer.send({
    from: "fbl@example.net",
    to: "feedback@example.org",
    raw: [
      "From: fbl@example.net",
      "To: feedback@example.org",
      "Subject: A complaint",
      `Date: ${new Date().toUTCString()}`,
      "Message-ID: <complaint@example.net>",
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
      "",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "From: Ann <ann@example.org>",
      "To: redacted@example.net",
      "Subject: An offer",
      "Message-ID: <offer@example.org>",
      "",
      "Buy this.",
      "--b--",
      "",
    ].join("\r\n"),
  });
  assert.ok(sent.accepted, sent.response);
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
