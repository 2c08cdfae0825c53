/** The program that reads the log, given lines as Postfix writes them, and what others may put into them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { DeliverySums } from "../../cli/deliveryLines.ts";

const program = join(import.meta.dirname, "../../files/usr/local/lib/mailhost/deliveries");
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "mailhost-deliveries-"));
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ domains: ["example.org", "mail.example.org"] }),
  );
});
after(() => rmSync(folder, { recursive: true }));

function sums(...lines: readonly string[]): DeliverySums {
  const { stdout, stderr, status } = spawnSync(
    "python3",
    [join(import.meta.dirname, "program.py"), program, folder, join(folder, "config.json")],
    { input: lines.join("\n"), env: { ...process.env, TZ: "UTC" } },
  );
  assert.equal(status, 0, stderr.toString());
  return JSON.parse(stdout.toString()) as DeliverySums;
}

/** 2026-11-21, in so many days. */
const at = (days: number) => `${1_795_219_200 + days * 86_400}.123456 mail`;
const from = (days: number, id: string, sender: string) =>
  `${at(days)} postfix/qmgr[12]: ${id}: from=<${sender}>, size=2000, nrcpt=1 (queue active)`;
const tried = (days: number, id: string, to: string, relay: string, dsn: string, end: string) =>
  `${at(days)} postfix/smtp[34]: ${id}: to=<${to}>, relay=${relay}, delay=1.2, delays=0.1/0/1/0.1, dsn=${dsn}, status=${end}`;

const google = "aspmx.l.google.com[192.0.2.26]:25";

it("each delivery counts once, on the day of its last try, with what became of it", () => {
  assert.deepEqual(
    sums(
      from(0, "4dABC1", "ann@example.org"),
      tried(0, "4dABC1", "x@gmail.com", google, "2.0.0", "sent (250 2.0.0 OK)"),
      tried(0, "4dABC1", "y@gmail.com", google, "4.2.2", "deferred (host said: 452 4.2.2 full)"),
      from(1, "4dABC1", "ann@example.org"),
      tried(1, "4dABC1", "y@gmail.com", google, "2.0.0", "sent (250 2.0.0 OK)"),
      from(1, "4dABC2", "Bob@Example.org"),
      tried(
        1,
        "4dABC2",
        "z@shop.co.uk",
        "mx.shop.co.uk[2001:db8::1]:25, conn_use=2",
        "5.1.1",
        "bounced (host said: 550)",
      ),
      tried(
        1,
        "4dABC2",
        "z@gmial.example",
        "none",
        "4.4.1",
        "deferred (connect to gmial.example: Connection timed out)",
      ),
    ),
    {
      since: 1_795_219_200.123456,
      days: [
        { domain: "example.org", day: "2026-11-21", sent: 1, delivered: 1, deferred: 0, bounced: 0 },
        { domain: "example.org", day: "2026-11-22", sent: 3, delivered: 1, deferred: 2, bounced: 1 },
      ],
      failures: [
        { domain: "example.org", status: "bounced", receiver: "shop.co.uk", code: "5.1.1", deliveries: 1 },
        {
          domain: "example.org",
          status: "deferred",
          receiver: "gmial.example",
          code: "4.4.1",
          deliveries: 1,
        },
      ],
    },
  );
});

it("notices of failure are nobody's mail, what is passed on is nobody's here, and a relay is a receiver", () => {
  const { days, failures } = sums(
    from(0, "A1", ""),
    tried(0, "A1", "x@gmail.com", google, "5.1.1", "bounced (no)"),
    from(0, "A2", "SRS0=ab1c=XY=example.net=carol@mail.example.org"),
    tried(0, "A2", "x@gmail.com", google, "5.7.1", "bounced (no)"),
    from(0, "A3", "x@example.net"),
    tried(0, "A3", "y@example.com", google, "5.7.1", "bounced (no)"),
    from(0, "A4", "root@mail.example.org"),
    tried(0, "A4", "x@gmail.com", "smtp.relay.example[192.0.2.1]:587", "2.0.0", "sent (250)").replace(
      "postfix/smtp",
      "postfix/smarthost/smtp",
    ),
    // From before the log begins.
    tried(0, "A5", "x@gmail.com", google, "2.0.0", "sent (250)"),
  );
  assert.deepEqual(
    days.map(({ domain, sent, bounced }) => [domain, sent, bounced]),
    [
      ["(passed on)", 1, 1],
      ["mail.example.org", 1, 0],
    ],
  );
  assert.deepEqual(
    failures.map(({ receiver, code }) => [receiver, code]),
    [["google.com", "5.7.1"]],
  );
});

it("what a server answers is not taken for the log's own words", () => {
  const answer =
    "deferred (host said: 450 Q1: to=<a@b.example>, relay=none, delay=1, delays=1/1/1/1, dsn=2.0.0, status=sent (250))";
  const { days } = sums(
    from(0, "Q1", "ann@example.org"),
    tried(0, "Q1", "x@gmail.com", google, "4.7.0", answer),
    `${at(0)} postfix/smtp[34]: ${answer}`,
    "",
    "-- no entries --",
    `${at(0)} postfix/qmgr[12]: \uFFFD\u0007: from=<`,
  );
  assert.deepEqual(days, [
    { domain: "example.org", day: "2026-11-21", sent: 1, delivered: 0, deferred: 1, bounced: 0 },
  ]);
});

it("no log is no trouble", () => {
  assert.deepEqual(sums(), { since: null, days: [], failures: [] });
});
