/** What waits, as postqueue(1) tells it, in words. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { look } from "../../cli/queue.ts";
import { queueLines, readQueue } from "../../cli/queueLines.ts";

process.env.TZ = "UTC";

const now = 1_795_382_700;
const queued = (id: string, more: object) =>
  JSON.stringify({
    queue_name: "deferred",
    queue_id: id,
    arrival_time: now - 300,
    message_size: 1652,
    forced_expire: false,
    sender: "ann@example.org",
    recipients: [{ address: "zoe@example.net", delay_reason: "connect to x: Connection timed out" }],
    ...more,
  });
const answer = (messages: readonly string[], tries: readonly string[]) =>
  [now, ...messages, "===", ...tries, ""].join("\n");

it("says for whom, since when, why, and when it is tried again; the oldest first", () => {
  const { now: clock, waiting } = readQueue(
    answer(
      [
        queued("Q2", {}),
        queued("Q1", {
          arrival_time: now - 200_000,
          sender: "MAILER-DAEMON",
          recipients: [
            { address: "x@example.net", delay_reason: "\u001b[31mfull" },
            { address: "y@example.net", delay_reason: "\u001b[31mfull" },
          ],
        }),
        queued("Q3", {
          queue_name: "active",
          arrival_time: now - 5,
          recipients: [{ address: "z@example.net" }],
        }),
        queued("Q4", { queue_name: "hold", arrival_time: now }),
      ],
      [`Q2 ${now + 420}.5`, `Q1 ${now - 10}.0`],
    ),
  );
  assert.deepEqual(queueLines(waiting, clock), [
    "Q1  from (a notice), 1.7 kB, since 2026-11-20 13:51:40 (2 days)",
    "  x@example.net, y@example.net: full",
    "  tried again with the next run of the queue, in some minutes",
    "Q2  from ann@example.org, 1.7 kB, since 2026-11-22 21:20:00 (5 minutes)",
    "  zoe@example.net: connect to x: Connection timed out",
    "  tried again at 2026-11-22 21:32:00, or soon after (in 7 minutes)",
    "Q3  from ann@example.org, 1.7 kB, since 2026-11-22 21:24:55 (5 seconds)",
    "  z@example.net",
    "  it is being tried now",
    "Q4  from ann@example.org, 1.7 kB, since 2026-11-22 21:25:00 (0 seconds)",
    "  zoe@example.net: connect to x: Connection timed out",
    "  held: it is not tried until somebody lets it go (postsuper -H on the host)",
  ]);
});

it("says that nothing waits", () => {
  const { now: clock, waiting } = readQueue(answer([], []));
  assert.deepEqual(queueLines(waiting, clock), ["Nothing waits."]);
});

it("is asked for without a mistake where a message goes away meanwhile", () => {
  const folder = mkdtempSync(join(tmpdir(), "queue-"));
  try {
    for (const id of ["Q1", "Q2"]) writeFileSync(join(folder, id), "");
    const meanwhile = look
      .replace("postqueue -j", "true")
      .replace("/var/spool/postfix/deferred", folder)
      .replace("-type f", `-type f -exec rm -f ${folder}/Q1 ${folder}/Q2 ';'`);
    assert.match(execFileSync("sh", ["-c", meanwhile], { encoding: "utf8", stdio: "pipe" }), /^\d+\n===\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
