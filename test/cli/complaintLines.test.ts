import assert from "node:assert/strict";
import { it } from "node:test";
import type { Complaint } from "../../check/complaints.ts";
import { complaintLines } from "../../cli/complaintLines.ts";
import type { DeliverySums } from "../../cli/deliveryLines.ts";
import { complaint as aComplaint } from "../check/fixtures.ts";

const taken = Date.parse("2026-11-21T12:00:00Z") / 1000;
const complaint = (more: Partial<Complaint> = {}) => aComplaint({ taken, ...more });
const sent = (delivered: number): DeliverySums => ({
  since: taken,
  days: [
    { domain: "example.org", day: "2026-11-20", sent: delivered, delivered, deferred: 0, bounced: 0 },
    { domain: "example.com", day: "2026-11-20", sent: 5, delivered: 5, deferred: 0, bounced: 0 },
  ],
  failures: [],
});

it("nobody complains: nothing is said", () => {
  assert.deepEqual(complaintLines([], sent(10)), []);
});

it("each complaint names the mailbox and the message, and the rate counts what came from whom it says", () => {
  const all = [
    complaint(),
    complaint({ mailbox: "bob@example.org", name: "<m2@example.org>", incidents: 2 }),
    complaint({ type: "not-spam", name: "<m3@example.org>" }),
    complaint({ verified: "", name: "<m4@example.org>" }),
  ];
  assert.deepEqual(complaintLines(all, sent(10_000)), [
    "Who has complained about what was sent",
    "  example.org: 2 complaints from whom they say, 0.02 % of what was delivered",
    "    2026-11-21  ann@example.org  abuse, by example.net  <m1@example.org>",
    "    2026-11-21  bob@example.org  abuse, by example.net  <m2@example.org>",
    "    2026-11-21  ann@example.org  not-spam, by example.net  <m3@example.org>",
    "    2026-11-21  ann@example.org  abuse, by somebody as Example FBL/1  <m4@example.org>",
    "",
  ]);
});

it("above what large receivers bear it is said, and without a number of messages there is no rate", () => {
  const [, above] = complaintLines([complaint()], sent(999));
  const [, at] = complaintLines([complaint()], sent(1000));
  assert.match(above ?? "", /0\.10 % of what was delivered\. More than 0\.1 % is too much/);
  assert.doesNotMatch(at ?? "", /too much/);
  const [, none] = complaintLines([complaint()], sent(0));
  assert.equal(none, "  example.org: 1 complaint from whom they say");
});

it("a thousand complaints are not a thousand lines", () => {
  const all = Array.from({ length: 1000 }, (_, index) => complaint({ name: `<${index}@example.org>` }));
  const lines = complaintLines(all, sent(10));
  assert.ok(lines.includes("    and 980 more"));
  assert.ok(lines.length < 30);
});
