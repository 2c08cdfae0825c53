import assert from "node:assert/strict";
import { it } from "node:test";
import { type DeliverySums, deliveryLines } from "../../cli/deliveryLines.ts";

const day = (day: string, sent: number, bounced = 0, deferred = 0) => ({
  domain: "example.org",
  day,
  sent,
  delivered: sent - bounced,
  deferred,
  bounced,
});
const since = Date.parse("2026-11-01T12:00:00Z") / 1000;
const nothing: DeliverySums = { since: null, days: [], failures: [] };

it("nothing sent is nothing to worry about", () => {
  assert.deepEqual(deliveryLines(nothing, 7), [
    "What became of what was sent (the host's log)",
    "  Nothing was sent to anybody elsewhere.",
    "",
  ]);
});

it("each day has its line, with the share that came back, and what did not arrive is named", () => {
  const failures: DeliverySums["failures"] = [
    { domain: "example.org", status: "bounced", receiver: "gmail.com", code: "5.1.1", deliveries: 2 },
    { domain: "example.org", status: "deferred", receiver: "slow.example", code: "4.4.1", deliveries: 1 },
    { domain: "example.com", status: "bounced", receiver: "x.example", code: "5.7.1", deliveries: 1 },
  ];
  assert.deepEqual(
    deliveryLines({ since, days: [day("2026-11-20", 98, 0, 3), day("2026-11-21", 102, 2)], failures }, 7),
    [
      "What became of what was sent (the host's log, since 2026-11-01)",
      "  example.org",
      "                     sent  delivered   deferred    bounced",
      "    2026-11-20         98         98          3          0",
      "    2026-11-21        102        100          0          2  2.0 %",
      "    in all            200        198          3          2  1.0 %",
      "    bounced at gmail.com: 2, no such address (5.1.1)",
      "    waiting at slow.example: 1, no way there (4.4.1)",
      "",
    ],
  );
});

it("of more than two weeks a line is a week", () => {
  const days = [day("2026-11-15", 1), day("2026-11-16", 2), day("2026-11-22", 3, 1)];
  assert.deepEqual(deliveryLines({ since, days, failures: [] }, 30).slice(3, 6), [
    "    week of 2026-11-09          1          1          0          0",
    "    week of 2026-11-16          5          4          0          1  20.0 %",
    "    in all                      6          5          0          1  16.7 %",
  ]);
});

it("who is taken for a sender of bulk mail is told; of a few messages a share says nothing", () => {
  const warned = (sent: number, bounced: number) =>
    deliveryLines({ since, days: [day("2026-11-21", sent, bounced)], failures: [] }, 7).some((line) =>
      line.includes("receivers take that for bulk mail"),
    );
  assert.deepEqual([warned(100, 6), warned(100, 5), warned(19, 10)], [true, false, false]);
});

it("every cause has its words, and a hundred receivers are not a hundred lines", () => {
  const codes = [
    "5.1.1",
    "5.1.8",
    "5.2.2",
    "5.2.1",
    "5.2.3",
    "5.3.4",
    "5.3.0",
    "5.4.4",
    "5.6.0",
    "5.7.26",
    "5.0.0",
  ];
  const lines = codes.map((code) =>
    deliveryLines(
      {
        since,
        days: [day("2026-11-21", 1, 1)],
        failures: [{ domain: "example.org", status: "bounced", receiver: "r.example", code, deliveries: 1 }],
      },
      7,
    )[4]?.replace("    bounced at r.example: 1, ", ""),
  );
  assert.deepEqual(lines, [
    "no such address (5.1.1)",
    "the sender's address was not taken (5.1.8)",
    "the mailbox is full (5.2.2)",
    "the mailbox takes no mail (5.2.1)",
    "too large (5.2.3)",
    "too large (5.3.4)",
    "their server has trouble (5.3.0)",
    "no way there (5.4.4)",
    "not in a form that they take (5.6.0)",
    "refused: for what it says, who sends it, or how it is signed (5.7.26)",
    "no reason given (5.0.0)",
  ]);
  const failures = Array.from({ length: 100 }, (_, index) => ({
    domain: "example.org",
    status: "bounced" as const,
    receiver: `r${index}.example`,
    code: "5.1.1",
    deliveries: 1,
  }));
  const many = deliveryLines({ since, days: [day("2026-11-21", 100, 100)], failures }, 7);
  assert.ok(many.includes("    and 90 more elsewhere"));
});
