/** Lines of the log put together to messages: true ones, recorded on a host of the local cloud, and such as strangers would write. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DeliverySums } from "../../../cli/deliveryLines.ts";
import { isMail } from "../../../cli/logs.ts";
import { eventOf } from "../../../cli/messages/events.ts";
import { type Entry, journalSearch, readEntry } from "../../../cli/messages/journal.ts";
import { Messages, passingOn, toMailbox } from "../../../cli/messages/messages.ts";
import { traced } from "../../../cli/messages/trace.ts";
import { messageLine, traceLines } from "../../../cli/messages/words.ts";

process.env.TZ = "UTC";

/** `journalctl -o json` of a host of default settings: cursors and boot ids are left out. */
const recorded = readFileSync(join(import.meta.dirname, "journal.jsonl"), "utf8")
  .split("\n")
  .flatMap((line) => readEntry(line) ?? []);

function told(entries: readonly Entry[]): readonly string[] {
  const messages = new Messages();
  for (const entry of entries) messages.take(entry);
  return messages.all().map(messageLine);
}

describe("the recorded log", () => {
  const lines = told(recorded);
  const of = (id: string) => lines.find((line) => line.endsWith(`; ${id})`)) ?? assert.fail(id);

  it("is a line for each message, with its whole story", () => {
    for (const [id, line] of [
      [
        "4jXhmg5nySzyTV",
        "zoe@example.net → bob@example.org: in INBOX  (spam score -0.9 of 15: no spam; from mx.example.net [198.18.120.8]; ",
      ],
      ["4jXhmg6kM1zyTV", "zoe@example.net → ann@example.org, bob@example.org: in INBOX  ("],
      ["4jXhmh0Yx2zyTT", "zoe@example.net → ann+shop@example.org: in INBOX  ("],
      // Here Dovecot has spoken after Postfix.
      ["4jXhmh1VQtzyTT", "zoe@example.net → carol@example.com: in INBOX  ("],
      [
        "4jXhmh2KRYzyT1",
        "ann@example.org → bob@example.org: in Junk  (spam score 12 of 15: spam, for Junk; ",
      ],
      [
        "4jXhmh3KRjzyTT",
        'zoe@example.net → bob@example.org: refused, "5.7.1 Gtube pattern"  (spam score 15 of 15: refused; ',
      ],
      [
        "4jXhmh65v3zyT1",
        "ann@example.org → zoe@example.net: taken by mx.example.net  (spam score 0 of 15: no spam; login ann@example.org at 203.0.113.1; ",
      ],
      [
        "4jXhmj04ZdzyVG",
        "ann@example.org → bob@example.org: in INBOX; zoe@example.net: taken by mx.example.net  (",
      ],
      [
        "4jXhmj2qPmzyVG",
        'ann@example.org → later@example.net: waits at mx.example.net, "450 4.2.0 Try again later"  (',
      ],
      [
        "4jXhmj62RQzyVN",
        "root@mail.example.org → ann@example.org: in INBOX  (spam score 0 of 15: no spam; written on the host; ",
      ],
      [
        "4jXhmk314CzyVS",
        "zoe@example.net → carol@example.com: absence note sent to zoe@example.net, in INBOX  (",
      ],
      [
        "4jXhmk3v1MzyVS",
        "zoe@example.net → carol@example.com: passed on to zoe@example.net by a filter, in INBOX  (",
      ],
      // It comes around for a sender of the host's own, and is one message still.
      ["4jXhmk4dN4zyVf", "zoe@example.net → zoe@example.net: taken by mx.example.net  ("],
      ["4jXhmk4wk2zyVX", "zoe@example.net → carol@example.com: thrown away by a filter  ("],
      ["4jXhmk5zsHzyVX", "zoe@example.net → carol@example.com: in Archive  ("],
      ["4jXhmk6vcdzyVX", "zoe@example.net → carol@example.com: sent back by a filter  ("],
      [
        "4jXhml0WV0zyVq",
        '(a notice) → zoe@example.net: bounced, "The From header has <postmaster@example.com>, which is no address of carol@example.com"  (',
      ],
    ] as const) {
      assert.match(of(id), /^2026-11-22 \d\d:\d\d:\d\d {2}/);
      assert.equal(of(id).slice(21, 21 + line.length), line);
    }
    assert.equal(lines.length, 21);
    assert.equal(lines.filter((line) => line.includes("4jXhmk5B9VzyVc")).length, 0);
  });

  it("has what was refused before it had a name, too", () => {
    assert.deepEqual(
      lines
        .filter((line) => line.includes("refused") && !line.includes("4jXh"))
        .map((line) => line.slice(21)),
      [
        'zoe@example.net → nobody-here@example.org: refused, "550 5.1.1 <nobody-here@example.org>: Recipient address rejected: User unknown in virtual mailbox table"  (from mx.example.net [198.18.120.8])',
        'zoe@example.net → someone@elsewhere.example: refused, "554 5.7.1 <someone@elsewhere.example>: Relay access denied"  (from mx.example.net [198.18.120.8])',
      ],
    );
  });

  it("says what waits, and what is over", () => {
    const messages = new Messages();
    for (const entry of recorded) messages.take(entry);
    assert.deepEqual(
      messages.all().flatMap(({ isOver, queueIds }) => (isOver ? [] : queueIds)),
      ["4jXhmj2qPmzyVG"],
    );
    // Who follows the log for days keeps what is not over alone.
    for (const message of messages.all()) if (message.isOver) messages.forget(message);
    assert.deepEqual(
      messages.all().map(({ queueIds }) => queueIds),
      [["4jXhmj2qPmzyVG"]],
    );
  });
});

it("what waited in vain comes back, or was deleted", () => {
  const at = 1_795_382_400_000;
  const lines = (...more: readonly (readonly [program: string, text: string])[]) =>
    told(
      [
        ["qmgr", "from=<ann@example.org>, size=7, nrcpt=1 (queue active)"],
        [
          "smtp",
          "to=<x@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to x[192.0.2.1]:25: Connection timed out)",
        ],
        ...more,
        ["qmgr", "removed"],
      ].map(([program, text]) => ({ at, program: `postfix/${program}`, text: `4jXhmg5nySzyTV: ${text}` })),
    ).map((line) => line.slice(21));
  assert.deepEqual(
    lines(
      ["qmgr", "from=<ann@example.org>, status=expired, returned to sender"],
      ["bounce", "sender non-delivery notification: 4jXhmg6kM1zyTV"],
    ),
    [
      'ann@example.org → x@example.net: bounced, "connect to x[192.0.2.1]:25: Connection timed out"  (4jXhmg5nySzyTV)',
    ],
  );
  assert.deepEqual(lines(), [
    'ann@example.org → x@example.net: deleted while it waited, "connect to x[192.0.2.1]:25: Connection timed out"  (4jXhmg5nySzyTV)',
  ]);
});

it("the host's own count of what was sent, and of what failed, is the same", () => {
  const mine = Map.groupBy(
    recorded.flatMap((entry) => eventOf(entry) ?? []).filter((event) => event.kind === "tried"),
    ({ id, to }) => `${id} ${to}`,
  );
  const counted = [...mine.values()]
    .flatMap((tries) => tries.at(-1) ?? [])
    .filter(({ relay }) => !toMailbox.test(relay) && relay !== passingOn && relay !== "none");
  const folder = mkdtempSync(join(tmpdir(), "deliveries-"));
  try {
    const root = join(import.meta.dirname, "../../..");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ domains: ["example.org", "example.com"] }));
    const log = recorded
      .filter(({ program }) => /^postfix\/(qmgr|smtp)$/.test(program))
      .map(({ at, program, text }) => `${(at / 1000).toFixed(6)} mail ${program}[1]: ${text}\n`);
    const { stdout } = spawnSync(
      "python3",
      [
        join(root, "test/reports/program.py"),
        join(root, "files/usr/local/lib/mailhost/deliveries"),
        folder,
        join(folder, "config.json"),
      ],
      { input: log.join(""), encoding: "utf8" },
    );
    const { days } = JSON.parse(stdout) as DeliverySums;
    const sum = (part: "sent" | "delivered" | "bounced") => days.reduce((all, day) => all + day[part], 0);
    // A notice of failure is nobody's mail, which that program does not count.
    const isNotice = (id: string) => recorded.some(({ text }) => text.startsWith(`${id}: from=<>`));
    const own = counted.filter(({ id }) => !isNotice(id));
    assert.ok(own.length >= 5, String(own.length));
    assert.equal(sum("sent"), own.length);
    assert.equal(sum("delivered"), own.filter(({ status }) => status === "sent").length);
    assert.equal(sum("bounced"), own.filter(({ status }) => status === "bounced").length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("the list", () => {
  it("leaves out what was begun and never sent, as whoever looks at a host does", () => {
    const line = (program: string, text: string) =>
      readEntry(
        JSON.stringify({
          __REALTIME_TIMESTAMP: "1795382400000000",
          SYSLOG_IDENTIFIER: program,
          MESSAGE: `4jXkpg0BTMzyT8: ${text}`,
        }),
      ) ?? assert.fail(text);
    const messages = new Messages();
    messages.take(line("postfix/smtpd", "client=unknown[203.0.113.1]"));
    assert.deepEqual(messages.all().map(isMail), [true]);
    messages.take(line("postfix/cleanup", "removed (discarded)"));
    assert.deepEqual(messages.all().map(isMail), [false]);
    for (const entry of recorded) messages.take(entry);
    assert.equal(messages.all().filter(isMail).length, 21);
  });
});

describe("a trace", () => {
  /** As grep finds them. */
  const find = async (words: readonly string[]) =>
    recorded.filter(({ text }) => words.some((word) => text.includes(word)));
  const trace = async (id: string) => {
    const { messages, found } = await traced(id, find);
    return found.map((message) => traceLines(message, messages.told(message), "dev"));
  };

  it("finds all of a message by its queue id: who brought it, why it was judged so, where it is", async () => {
    const [lines = []] = await trace("4jXhmh2KRYzyT1");
    assert.deepEqual(
      lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, "")),
      [
        "Message <bb600b74-2ba0-4e66-813d-f05089e1a6c9@mx.example.net>, queue id 4jXhmh2KRYzyT1",
        "  2026-11-22, from ann@example.org, 720 bytes",
        "",
        "mx.example.net [198.18.120.8] brings it",
        "rspamd: spam score 12 of 15: spam, for Junk",
        "bob@example.org: in Junk",
        'bob@example.org: Dovecot takes it, "250 2.0.0 <bob@example.org> ME1WGYRcA2tnIQAAwX/9vA Saved"',
        "nothing of it is left in the queue",
        "",
        "What weighed in rspamd's verdict (above 0: for spam)",
        "      +6  FORGED_OWN_DOMAIN        calls itself one of this host's domains, and is not",
        "    +3.5  VIOLATED_DIRECT_SPF",
        "    +1.5  DMARC_POLICY_QUARANTINE  DMARC: From is forged, and its domain wants it in Junk [example.org : No valid SPF, No valid DKIM;quarantine]",
        "      +1  R_SPF_FAIL               SPF: the address may not send for the sender's domain [-all]",
        "    -0.1  MIME_GOOD                is put together as it should be [text/plain]",
        "    +0.1  ONCE_RECEIVED",
        "  and 13 that weighed nothing (--all shows them)",
        "",
        "So: bob@example.org: in Junk.",
      ],
    );
  });

  it("finds each of the messages of a Message-ID, with brackets or without", async () => {
    const id = "6e0ba6e4-6108-48ec-b0b6-7e31dbe7ddfb@mx.example.net";
    const heads = (await trace(id)).map(([head]) => head);
    assert.deepEqual(heads, [
      `Message <${id}>, queue id 4jXhmk3v1MzyVS`,
      `Message <${id}>, queue id 4jXhmk4dN4zyVf, then 4jXhmk5B9VzyVc`,
    ]);
    assert.deepEqual(
      (await trace(`<${id}>`)).map(([head]) => head),
      heads,
    );
    // By its second name the same.
    assert.deepEqual(
      (await trace("4jXhmk5B9VzyVc")).map(([head]) => head),
      [heads[1]],
    );
  });

  it("says where it waits yet", async () => {
    const [lines = []] = await trace("4jXhmj2qPmzyVG");
    assert.deepEqual(lines.slice(-2), [
      'So: later@example.net: waits at mx.example.net, "450 4.2.0 Try again later".',
      "It is in the queue yet: npx mailhost queue list",
    ]);
  });

  it("finds nothing where there is nothing, and does not look for ever", async () => {
    assert.deepEqual(await trace("nobody@example.net"), []);
    assert.deepEqual(await trace("4zzzzzzzzzzzzz"), []);
  });
});

describe("what strangers write", () => {
  const at = 1_795_382_400_000;
  const postfix = (text: string, program = "smtpd"): Entry => ({ at, program: `postfix/${program}`, text });
  const rspamd = (text: string): Entry => ({
    at,
    program: "rspamd",
    text: `<abc>; proxy; rspamd_task_write_log: ${text}`,
  });
  const verdict = "(default: F (no action): [-1.00/15.00] [])";

  it("steers no terminal", () => {
    const says =
      "NOQUEUE: reject: RCPT from x[192.0.2.1]: 550 5.1.1 <\u001b[2J\u009b31m\u202ea\n2026 b → c: in INBOX>: no";
    const line = JSON.stringify({
      __REALTIME_TIMESTAMP: String(at * 1000),
      SYSLOG_IDENTIFIER: "postfix/smtpd",
      // What is no clean text journald hands over as bytes.
      MESSAGE: [...Buffer.from(says)],
    });
    const [told1 = ""] = told([readEntry(line) ?? assert.fail()]);
    assert.match(told1, /refused, "550 5\.1\.1 <31ma 2026 b → c: in INBOX>: no"/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant.
    assert.doesNotMatch(told1, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it("is not taken for the log's own words", () => {
    const lines = told([
      postfix("Q1QQQQ: client=mx.example.net[192.0.2.1]"),
      postfix("Q1QQQQ: message-id=<Q9QQQQ: removed>", "cleanup"),
      // An address that ends as the line would.
      postfix(
        'Q1QQQQ: from=<"a>, size=1, nrcpt=1 (queue active)"@example.net>, size=7, nrcpt=1 (queue active)',
        "qmgr",
      ),
      // An answer that looks like another delivery.
      postfix(
        "Q1QQQQ: to=<bob@example.com>, relay=mx.example.com[192.0.2.2]:25, delay=1, delays=1/0/0/0, dsn=4.0.0, status=deferred (host mx.example.com[192.0.2.2] said: 450 to=<x@example.com>, relay=none, delay=1, delays=1/1/1/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as Q2QQQQ))",
        "smtp",
      ),
      // A name of a message that would give another one a verdict, and one that would give itself another.
      rspamd(
        `id: <x>, qid: <Q9QQQQ>, ip: 192.0.2.1, from: <a@example.net>, ${verdict}>, qid: <Q1QQQQ>, ip: 192.0.2.1, (default: T (reject): [20.00/15.00] [])`,
      ),
      rspamd(
        `id: <x>, qid: <Q1QQQQ>, ip: 192.0.2.1, from: <"a>, ${verdict}"@example.net>, (default: T (reject): [20.00/15.00] [])`,
      ),
      {
        at,
        program: "dovecot",
        text: "lmtp(bob@example.org)<1><Sess>: sieve: msgid=<x>: stored mail into mailbox 'INBOX'>: discard action: discarded",
      },
      // Who is no daemon of ours tells nothing.
      { at, program: "sshd", text: "Q9QQQQ: removed" },
    ]);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(
      lines[0] ?? "",
      / "a>, size=1, nrcpt=1 \(queue active\)"@example\.net → bob@example\.com: waits at mx\.example\.com, "450 to=/,
    );
    assert.doesNotMatch(lines[0] ?? "", /score/);
  });

  it("is not taken for a delivery of another, or for one message that follows itself", () => {
    const forged = (relay: string) => `"a>, relay=${relay}, dsn=2.0.0, status=sent (x"@example.com`;
    const line = (to: string, answer: string) =>
      postfix(
        `Q1QQQQ: ${to}, relay=mx.example.com[192.0.2.2]:25, delay=1, delays=1/0/0/0, dsn=5.0.0, status=bounced (${answer})`,
        "smtp",
      );
    for (const [entry, to, asked] of [
      [line(`to=<${forged("evil")}>`, "no"), forged("evil")],
      [line(`to=<b@example.com>, orig_to=<${forged("evil")}>`, "no"), "b@example.com", forged("evil")],
      [line(`to=<"a\\">, relay=evil, \\\\"@example.com>`, "no"), '"a\\">, relay=evil, \\\\"@example.com'],
    ] as const)
      assert.deepEqual(eventOf(entry), {
        kind: "tried",
        id: "Q1QQQQ",
        to,
        ...(asked !== undefined && { asked }),
        relay: "mx.example.com[192.0.2.2]:25",
        status: "bounced",
        said: "no",
      });
    const [bounced = ""] = told([
      line(`to=<${forged("127.0.0.1[127.0.0.1]:10026")}>`, "250 2.0.0 Ok: queued as Q1QQQQ"),
    ]);
    assert.match(bounced, /: bounced at mx\.example\.com, "250 2\.0\.0 Ok: queued as Q1QQQQ"/);
  });

  it("leads in no circle", () => {
    const passed = (id: string, next: string) =>
      postfix(
        `${id}: to=<b@example.com>, relay=${passingOn}, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${next})`,
        "smtp",
      );
    assert.equal(told([passed("Q1QQQQ", "Q1QQQQ")]).length, 1);
    const [one = "", ...others] = told([
      passed("Q1QQQQ", "Q2QQQQ"),
      passed("Q2QQQQ", "Q3QQQQ"),
      passed("Q3QQQQ", "Q1QQQQ"),
    ]);
    assert.match(one, /Q1QQQQ/);
    assert.deepEqual(others, []);
    // A second one that leads there.
    told([passed("Q1QQQQ", "Q2QQQQ"), passed("Q3QQQQ", "Q2QQQQ"), passed("Q2QQQQ", "Q1QQQQ")]);
  });

  it("is not taken for sender and recipient of what was refused", () => {
    const start = "NOQUEUE: reject: RCPT from evil.example[192.0.2.66]: ";
    const end = "proto=ESMTP helo=<evil.example>";
    const forged = '"x; from=<boss@bank.example> to=<ann@example.org> proto=SMTP helo=<a>"@y.example';
    const denied = `454 4.7.1 <${forged}>: Relay access denied`;
    for (const [said, from, to] of [
      [denied, "real@evil.example", forged],
      [denied, forged, "bob@example.org"],
      // In words of a list there may be more of the same sign, and quotes that do not pair.
      ["554 5.7.1 Service unavailable; blocked using x.example; see y", forged, forged],
      ['554 5.7.1 of 5" and more', "real@evil.example", "bob@example.org"],
    ] as const)
      assert.deepEqual(eventOf(postfix(`${start}${said}; from=<${from}> to=<${to}> ${end}`)), {
        kind: "refused",
        id: undefined,
        client: { name: "evil.example", address: "192.0.2.66" },
        from,
        to,
        said,
      });
  });

  it("cannot be a command on the host", () => {
    const command = journalSearch({ since: "x'; reboot; '" }, ["a'; reboot; '\"\\"]);
    assert.match(command, /--since 'x'\\''; reboot; '\\'''/);
    assert.match(command, /-e 'a'\\''; reboot; '\\''\\"\\\\'/);
  });

  it("or what is no line at all, is nothing", () => {
    assert.equal(readEntry(""), undefined);
    assert.equal(readEntry("-- No entries --"), undefined);
    // Cut off with the connection.
    assert.equal(readEntry('{"MESSAGE":"abc'), undefined);
    assert.equal(readEntry("{"), undefined);
    assert.equal(readEntry('{"MESSAGE":null,"SYSLOG_IDENTIFIER":"rspamd"}'), undefined);
    assert.deepEqual(told([postfix("warning: x"), postfix("Q1QQQQ: "), rspamd(""), rspamd("id: <")]), []);
  });
});
