/** The program that reads reports, given what nobody should send. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { ReportSums } from "../../cli/reportLines.ts";
import type { Weighed } from "../../plan/ramps.ts";

const program = join(import.meta.dirname, "../../files/usr/local/lib/mailhost/reports");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mailhost-reports-"));
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ hostname: "mail.example.org", domains: ["example.org"], keepDays: 400 }),
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(input: string | Buffer, ...words: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    "python3",
    [join(import.meta.dirname, "program.py"), program, folder, join(folder, "config.json"), ...words],
    { input, maxBuffer: 1 << 28 },
  );
  const said = stderr.toString();
  const peak = Number(/^peak (\d+)$/m.exec(said)?.[1]) / 1024;
  return {
    stdout: stdout.toString(),
    said: said
      .replace(/^peak.*$/m, "")
      .trim()
      .split("\n"),
    status,
    peak,
  };
}

/** One LMTP session that brings all of them. */
function take(...messages: readonly Buffer[]) {
  const parts = messages.flatMap((message) => [
    Buffer.from("MAIL FROM:<a@example.net>\r\nRCPT TO:<reports@mail.example.org>\r\nDATA\r\n"),
    Buffer.from(message.toString("latin1").replace(/^\./gm, ".."), "latin1"),
    Buffer.from("\r\n.\r\n"),
  ]);
  const all = Buffer.concat([Buffer.from("LHLO test\r\n"), ...parts, Buffer.from("QUIT\r\n")]);
  const ran = run(all, "lmtp");
  assert.equal(ran.status, 0, ran.said.join("\n"));
  assert.equal(ran.stdout.match(/^250 2\.0\.0 Taken/gm)?.length, messages.length);
  return ran;
}

const sums = (): ReportSums => JSON.parse(run("", "show", "30").stdout) as ReportSums;

function message(content: Buffer, type = "application/gzip", more = ""): Buffer {
  const body = content.toString("base64").replace(/.{76}/g, "$&\r\n");
  return Buffer.from(
    `${more}From: reports@example.net\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${body}\r\n`,
  );
}

const now = Math.floor(Date.now() / 1000);
/** As TLS-RPT writes it. */
const yesterday = {
  "start-datetime": new Date((now - 90_000) * 1000),
  "end-datetime": new Date((now - 3600) * 1000),
};
interface Parts {
  readonly id?: string;
  readonly domain?: string;
  readonly rows?: string;
  readonly begin?: number | string;
  readonly end?: number | string;
}
const row = (ip: string, count: number | string, dkim = "pass", spf = "fail") =>
  `<record><row><source_ip>${ip}</source_ip><count>${count}</count><policy_evaluated><disposition>none</disposition><dkim>${dkim}</dkim><spf>${spf}</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from></identifiers><auth_results><dkim><domain>example.org</domain><selector>a</selector><result>pass</result></dkim></auth_results></record>`;
const xml = ({
  id = "1",
  domain = "example.org",
  rows = row("192.0.2.1", 5),
  begin = now - 90_000,
  end = now - 3600,
}: Parts) =>
  `<?xml version="1.0" encoding="UTF-8"?><feedback><report_metadata><org_name>example.net</org_name><report_id>${id}</report_id><date_range><begin>${begin}</begin><end>${end}</end></date_range></report_metadata><policy_published><domain>${domain}</domain><p>none</p></policy_published>${rows}</feedback>`;
const report = (parts: Parts) => message(gzipSync(xml(parts)));

it("ten thousand rows are right to the row, twice the same report counts once, and 100 MB are enough", () => {
  const count = (index: number) => (index % 7) + 1;
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    row(`192.0.2.${index % 250}`, count(index), index % 2 === 0 ? "pass" : "fail"),
  ).join("");
  const { peak, said } = take(report({ rows }), report({ rows }));
  assert.match(said.join(), /kept: dmarc example\.org, 10000 rows,.*known already/s);
  const expected = Array.from({ length: 10_000 }, (_, index) => count(index)).reduce((sum, one) => sum + one);
  assert.equal(
    sums().dmarc.reduce((sum, { messages }) => sum + messages, 0),
    expected,
  );
  assert.equal(
    sums()
      .dmarc.filter(({ ip, dkim }) => ip === "192.0.2.4" && dkim === "pass")
      .reduce((sum, { messages }) => sum + messages, 0),
    Array.from({ length: 10_000 }, (_, index) => (index % 250 === 4 ? count(index) : 0)).reduce(
      (sum, one) => sum + one,
    ),
  );
  assert.ok(peak < 100, `${peak} MB`);
});

const hostile: Readonly<Record<string, Buffer>> = {
  "a gzip that unpacks to 200 MB": message(gzipSync(Buffer.alloc(200 << 20, "x"))),
  "XML of 40 MB in one text": report({
    rows: `<record><row><source_ip>${"1".repeat(40 << 20)}</source_ip></row></record>`,
  }),
  "entities that grow": message(
    gzipSync(
      `<!DOCTYPE a [<!ENTITY a "${"x".repeat(1000)}"><!ENTITY b "${"&a;".repeat(1000)}">]><feedback>&b;</feedback>`,
    ),
  ),
  "an entity that reads a file": message(
    gzipSync(
      '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><feedback><report_metadata><org_name>&f;</org_name></report_metadata></feedback>',
    ),
  ),
  "a foreign domain": report({ domain: "example.com" }),
  "a domain that only looks like ours": report({ domain: "example.org.example.com" }),
  "no number of messages": report({ rows: row("192.0.2.1", "many") }),
  "a negative number": report({ rows: row("192.0.2.1", "-5") }),
  "a number beyond all mail": report({ rows: row("192.0.2.1", "99999999999999999999") }),
  "no address": report({ rows: row("localhost", 1) }),
  "a day in ten years": report({ begin: now + 1e8, end: now + 1e8 + 86_400 }),
  "a stretch of years": report({ begin: 1_300_000_000, end: now }),
  "an end before its begin": report({ begin: now, end: now - 90_000 }),
  "more rows than anybody sends": report({ rows: row("192.0.2.1", 1).repeat(60_000) }),
  "nesting without end": message(gzipSync("<a>".repeat(100_000))),
  "half a gzip": message(gzipSync(xml({})).subarray(0, 100)),
  "a zip that is none": message(Buffer.from("PK\u0003\u0004 and nothing"), "application/zip"),
  "JSON without end": message(Buffer.from('{"a":'.repeat(100_000)), "application/json"),
  "JSON of other things": message(gzipSync('{"policies": 5}')),
  "TLS sessions that are no number": message(
    gzipSync(
      JSON.stringify({
        "organization-name": "x",
        "report-id": "x",
        "date-range": yesterday,
        policies: [
          {
            policy: { "policy-domain": "example.org", "policy-type": "sts" },
            summary: { "total-successful-session-count": "all", "total-failure-session-count": {} },
          },
        ],
      }),
    ),
  ),
  "an encoding that is none": message(gzipSync(xml({}).replace("UTF-8", "UTF-9"))),
  "a name of half a character": message(
    gzipSync(
      `{"organization-name":"\\ud800","report-id":"x","date-range":{"start-datetime":"x","end-datetime":"x"},"policies":[]}`,
    ),
  ),
  "names that are long, again and again": message(
    gzipSync(`${"<n".padEnd(200_000, "n")}>`.repeat(10) + "<leaf></leaf>".repeat(20_000)),
  ),
  "a message in a message in a message": Buffer.from(
    `${"Content-Type: message/rfc822\r\n\r\n".repeat(1200)}Subject: x\r\n\r\nx`,
  ),
  "two million empty lines": Buffer.from(`Subject: x\r\n\r\n${"\n".repeat(2_000_000)}`),
  "an address with an interface": report({ rows: row("fe80::1%eth0", 1) }),
  "a letter": Buffer.from("Subject: Hello\r\n\r\nIs anybody there?\r\n"),
  "no message at all": Buffer.from("\u0000\u0001\u0002"),
};

for (const [what, bytes] of Object.entries(hostile))
  it(`refused: ${what}`, () => {
    const { said, peak } = take(bytes, report({ id: "after it" }));
    assert.match(said.slice(0, -1).join("\n"), /is in \/srv\/reports\/others$/);
    assert.match(said.at(-1) ?? "", /kept: dmarc example\.org, 1 rows/);
    assert.deepEqual([sums().others, readdirSync(join(folder, "others")).length], [1, 1]);
    assert.ok(peak < 100, `${peak} MB`);
  });

it("five hundred more, damaged at random, crash nothing, and what is true beside them is kept", () => {
  const good = [xml({ id: "good" }), JSON.stringify({ policies: [{}] })];
  const damaged = fc.sample(
    fc
      .tuple(
        fc.constantFrom(...good),
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 30 }),
      )
      .map(([text, packed, changes]) => {
        const bytes = packed ? gzipSync(text) : Buffer.from(text);
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        return message(bytes, packed ? "application/gzip" : "text/xml");
      }),
    500,
  );
  const { peak } = take(...damaged, report({ id: "the last", rows: row("192.0.2.77", 77) }));
  assert.deepEqual(
    sums()
      .dmarc.filter(({ ip }) => ip === "192.0.2.77")
      .map(({ messages }) => messages),
    [77],
  );
  assert.ok(readdirSync(join(folder, "others")).length <= 200, "not more than a person reads");
  assert.ok(peak < 100, `${peak} MB`);
});

it("a report of nothing, two policies of one kind, and the host's own name are taken as they are", () => {
  const policy = (good: number, bad: number) => ({
    policy: { "policy-domain": "example.org", "policy-type": "tlsa" },
    summary: { "total-successful-session-count": good, "total-failure-session-count": bad },
    "failure-details": [{ "failed-session-count": bad }],
  });
  const tls = gzipSync(
    JSON.stringify({
      "organization-name": "x",
      "report-id": "x",
      "date-range": yesterday,
      policies: [policy(5, 1), policy(7, 2)],
    }),
  );
  const { said } = take(report({ rows: "" }), message(tls));
  assert.match(said[0] ?? "", /kept: dmarc example\.org, 0 rows/);
  assert.deepEqual(
    sums().tls.map(({ failure, sessions }) => [failure, sessions]),
    [
      ["", 12],
      ["other", 3],
    ],
  );
});

it("whether a report came from whom it says is taken from this host's own line alone", () => {
  const authentic = (lines: string) => {
    take(message(gzipSync(xml({ id: lines.slice(0, 60) })), "application/gzip", lines));
    return sums().reports.filter(({ verified }) => verified === "example.net").length;
  };
  assert.equal(authentic("Authentication-Results: mail.example.org; dkim=pass; dmarc=fail (p=none)\r\n"), 0);
  assert.equal(authentic("Authentication-Results: evil.example; dmarc=pass\r\n"), 0);
  assert.equal(
    authentic(
      'Authentication-Results: mail.example.org; spf=pass smtp.mailfrom="; dmarc=pass"@evil.example\r\n',
    ),
    0,
  );
  assert.equal(
    authentic(
      "Authentication-Results: mail.example.org; spf=pass (a; dmarc=pass) smtp.mailfrom=dmarc=pass@evil.example\r\n",
    ),
    0,
  );
  assert.equal(authentic("Authentication-Results: mail.example.org; dmarc=pass (policy=none)\r\n"), 1);
});

/** A row whose signature and envelope sender were found to be whose, and how. */
const judged = (ip: string, count: number, aligned: "pass" | "fail", dkim: string, spf: string) => {
  const result = (kind: string, words: string) => {
    const [domain, word] = words.split(" ");
    return word === undefined ? "" : `<${kind}><domain>${domain}</domain><result>${word}</result></${kind}>`;
  };
  const signatures = dkim.split(", ").map((words) => result("dkim", words));
  return `<record><row><source_ip>${ip}</source_ip><count>${count}</count><policy_evaluated><dkim>${aligned}</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from></identifiers><auth_results>${signatures.join("")}${result("spf", spf)}</auth_results></record>`;
};
const whole = "Authentication-Results: mail.example.org; dmarc=pass\r\n";
/** From another sender, as this host has found it. */
const from = (sender: string, content: Buffer, found = whole) =>
  message(content, "application/gzip", `${found}From: reports@${sender}\r\n`);

const weighed = (asked: { readonly since?: number; readonly relayed?: boolean } = {}): Weighed => {
  const { since = now - 86_400, relayed = false } = asked;
  const question = {
    addresses: ["192.0.2.1", "2001:db8:0::1"],
    dmarc: { "example.org": { since, relayed } },
    tls: { since },
  };
  return JSON.parse(run("", "weigh", JSON.stringify(question)).stdout) as Weighed;
};

it("mail is weighed by whose it is: the domain's own, changed on its way, or a stranger's", () => {
  const rows = [
    judged("192.0.2.1", 100, "pass", "example.org pass", ""),
    judged("198.51.100.7", 10, "pass", "example.org pass", ""),
    // The host's own, by either address.
    judged("192.0.2.1", 1, "fail", "example.org fail", ""),
    judged("2001:db8::1", 2, "fail", "", ""),
    // Somebody whom a name of the domain's knows, and strict alignment does not.
    judged("198.51.100.8", 4, "fail", "shop.example.org pass", ""),
    judged("198.51.100.9", 8, "fail", "", "bounce.example.org pass"),
    // A list that has signed by itself what it changed.
    judged("198.51.100.10", 16, "fail", "lists.example pass, example.org fail", "lists.example pass"),
    // Nobody: the second only ends like the domain.
    judged("203.0.113.9", 32, "fail", "", "example.org fail"),
    judged("203.0.113.8", 64, "fail", "notexample.org pass", ""),
  ];
  take(from("one.example", gzipSync(xml({ rows: rows.join("") }))));
  const { dmarc } = weighed();
  assert.deepEqual(dmarc["example.org"], {
    reporters: [{ reporter: "one.example", passed: 110, failed: 15, altered: 16, strange: 96 }],
    failing: [
      { ip: "198.51.100.9", messages: 8 },
      { ip: "198.51.100.8", messages: 4 },
      { ip: "2001:db8::1", messages: 2 },
    ],
    strangers: [
      { ip: "203.0.113.8", messages: 64 },
      { ip: "203.0.113.9", messages: 32 },
    ],
  });
  // A relay may be any of those that bring the domain's signature broken.
  const [relayed] = weighed({ relayed: true }).dmarc["example.org"]?.reporters ?? [];
  assert.deepEqual([relayed?.failed, relayed?.altered], [31, 0]);
});

it("of what is weighed nothing is forged, one's own, or older than asked", () => {
  const rows = row("192.0.2.1", 5);
  const content = (id: string, end = now - 3600) => gzipSync(xml({ id, rows, begin: end - 86_400, end }));
  take(
    from("one.example", content("a")),
    from("two.example", content("b")),
    from("forged.example", content("c"), "Authentication-Results: mail.example.org; dmarc=fail\r\n"),
    from("example.org", content("d")),
    from("old.example", content("e", now - 2 * 86_400)),
  );
  const names = (since?: number) =>
    weighed(since === undefined ? {} : { since })
      .dmarc["example.org"]?.reporters.map(({ reporter }) => reporter)
      .toSorted();
  assert.deepEqual(names(), ["one.example", "two.example"]);
  assert.deepEqual(names(now - 3 * 86_400), ["old.example", "one.example", "two.example"]);
});

it("sessions are weighed by what MTA-STS asks for, and not by what DANE does", () => {
  const policy = (type: string, good: number, failures: Readonly<Record<string, number>> = {}) => ({
    policy: { "policy-domain": "example.org", "policy-type": type },
    summary: {
      "total-successful-session-count": good,
      "total-failure-session-count": Object.values(failures).reduce((sum, count) => sum + count, 0),
    },
    "failure-details": Object.entries(failures).map(([type, count]) => ({
      "result-type": type,
      "failed-session-count": count,
    })),
  });
  const policies = [
    policy("sts", 50, { "certificate-expired": 2 }),
    policy("no-policy-found", 7, { "sts-policy-fetch-error": 3 }),
    policy("tlsa", 9, { "tlsa-invalid": 4 }),
  ];
  const said = { "organization-name": "x", "report-id": "x", "date-range": yesterday, policies };
  take(from("one.example", gzipSync(JSON.stringify(said))));
  assert.deepEqual(weighed().tls, [
    { reporter: "one.example", failure: "sts-policy-fetch-error", sessions: 3 },
    { reporter: "one.example", failure: "certificate-expired", sessions: 2 },
    { reporter: "one.example", failure: "", sessions: 50 },
  ]);
});

it("where nothing has come in there is nothing to weigh", () => {
  assert.deepEqual(weighed(), {
    dmarc: { "example.org": { reporters: [], failing: [], strangers: [] } },
    tls: [],
  });
});

// ── Complaints ──

interface ArfParts {
  readonly from?: string;
  readonly type?: string;
  readonly original?: string;
  readonly fields?: string;
  readonly lines?: string;
}

/** RFC 5965, as Yahoo and Microsoft send it. */
function arf({
  from: writer = "Ann <ann@example.org>",
  type = "abuse",
  original,
  fields = "",
  lines = "",
}: ArfParts): Buffer {
  const headers =
    original ?? `From: ${writer}\r\nTo: x@example.net\r\nSubject: Secret\r\nMessage-ID: <m1@example.org>\r\n`;
  return Buffer.from(
    `${lines}From: fbl@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSomebody complains.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: ${type}\r\nUser-Agent: Example FBL/1\r\nVersion: 1\r\n${fields}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n${headers}\r\nThe body.\r\n--b--\r\n`,
  );
}

function withFeedback(): void {
  const config = { hostname: "mail.example.org", domains: ["example.org"], keepDays: 400, feedback: true };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
}

it("a complaint says which message of whom, and nothing of what is in it or who has got it", () => {
  withFeedback();
  const { said } = take(arf({ lines: whole }), arf({ lines: whole }), arf({ type: "surprise" }));
  assert.deepEqual(
    said.map((line) => line.replace(/^from \S+: /, "")),
    [
      "kept: complaint abuse about ann@example.org",
      "known already: complaint abuse about ann@example.org",
      "kept: complaint other about ann@example.org",
    ],
  );
  const { complaints, others } = sums();
  assert.deepEqual(
    complaints.map(({ taken: _taken, ...rest }) => rest).toSorted((a, b) => a.type.localeCompare(b.type)),
    ["abuse", "other"].map((type) => ({
      domain: "example.org",
      mailbox: "ann@example.org",
      type,
      sender: "Example FBL/1",
      verified: type === "abuse" ? "example.net" : "",
      name: "<m1@example.org>",
      incidents: 1,
    })),
  );
  assert.equal(others, 0);
  assert.ok(!readFileSync(join(folder, "reports.db")).includes("Secret"));
  assert.ok(!readFileSync(join(folder, "reports.db")).includes("x@example.net"));
});

it("the check is told the same complaints by a word that writes nothing, also before there is a store", () => {
  const told = () => JSON.parse(run("", "complaints", "30").stdout) as ReportSums["complaints"];
  assert.deepEqual(told(), []);
  assert.deepEqual(readdirSync(folder), ["config.json"]);
  // A store from before there were complaints.
  execFileSync("python3", [
    "-c",
    `import sqlite3; sqlite3.connect("${folder}/reports.db").execute("CREATE TABLE x (y)")`,
  ]);
  assert.deepEqual(told(), []);
  withFeedback();
  take(arf({ lines: whole }), arf({ from: "bob@example.org" }));
  assert.equal(told().length, 2);
  const ordered = (all: ReportSums["complaints"]) =>
    all.toSorted((one, other) => one.verified.localeCompare(other.verified));
  assert.deepEqual(ordered(told()), ordered(sums().complaints));
  assert.deepEqual(JSON.parse(run("", "complaints", "0").stdout), []);
});

it("however many complaints anybody sends, the check is told those that come from whom they say", () => {
  withFeedback();
  take(arf({ lines: whole }));
  execFileSync("python3", [
    "-c",
    `import sqlite3
store = sqlite3.connect("${folder}/reports.db")
store.executemany(
    "INSERT INTO complaints SELECT taken + 1, type, sender, '', domain, mailbox, ?, 1 FROM complaints WHERE verified <> ''",
    ((f"<{n}@example.org>",) for n in range(2000)),
)
store.commit()`,
  ]);
  const told = JSON.parse(run("", "complaints", "30").stdout) as ReportSums["complaints"];
  assert.equal(told.length, 2000);
  assert.deepEqual(
    told.slice(0, 2).map(({ verified }) => verified),
    ["example.net", ""],
  );
});

it("headers alone are enough, and where the writer is hidden the envelope tells him", () => {
  withFeedback();
  const headersAlone = arf({})
    .toString()
    .replace("Content-Type: message/rfc822", "Content-Type: text/rfc822-headers");
  const hidden = arf({
    original: "Message-ID: <m2@example.org>\r\n",
    fields: "Original-Mail-From: <bob@example.org>\r\nIncidents: 3\r\n",
  });
  take(Buffer.from(headersAlone), hidden);
  assert.deepEqual(
    sums()
      .complaints.map(({ mailbox, incidents }) => [mailbox, incidents])
      .toSorted(),
    [
      ["ann@example.org", 1],
      ["bob@example.org", 3],
    ],
  );
});

it("without mailhost:feedback there are no complaints: such a message is one that a person reads", () => {
  take(arf({ lines: whole }));
  const { complaints, others } = sums();
  assert.deepEqual([complaints, others], [[], 1]);
});

const hostileComplaints: Readonly<Record<string, Buffer>> = {
  "about a foreign domain": arf({ from: "x@example.com" }),
  "about a domain that only looks like ours": arf({ from: "x@notexample.org" }),
  "about an address that is none": arf({ from: '"ann@example.org" <"a b"@example.org>' }),
  "about nobody": arf({ original: "Subject: x\r\n" }),
  "with a number of incidents beyond all mail": arf({ fields: "Incidents: 99999999999\r\n" }),
  "without a type": Buffer.from(
    arf({})
      .toString()
      .replace(/Feedback-Type.*\r\n/, ""),
  ),
  "without the message": Buffer.from(arf({}).toString().replace("message/rfc822", "text/html")),
  "without parts": Buffer.from("Content-Type: multipart/report; report-type=feedback-report\r\n\r\nx"),
  "with a report that is a report that is a report": arf({
    original: "Content-Type: message/rfc822\r\n\r\n".repeat(1200),
  }),
  "with a million headers": arf({ original: "X: y\r\n".repeat(1_000_000) }),
  "with as many headers as lines are read": arf({ original: "X: y\r\n".repeat(199_000) }),
  "with ten thousand parts": Buffer.from(
    `Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n${"--b\r\nContent-Type: text/html\r\n\r\n\r\n".repeat(10_000)}--b--\r\n`,
  ),
};

for (const [what, bytes] of Object.entries(hostileComplaints))
  it(`a complaint ${what} is refused`, () => {
    withFeedback();
    const { said, peak } = take(bytes, report({ id: "after it" }));
    assert.match(said.slice(0, -1).join("\n"), /is in \/srv\/reports\/others$/);
    assert.match(said.at(-1) ?? "", /kept: dmarc example\.org, 1 rows/);
    assert.deepEqual([sums().complaints, sums().others], [[], 1]);
    assert.ok(peak < 100, `${peak} MB`);
  });

it("what a complaint says controls no terminal, and is no longer than a line", () => {
  withFeedback();
  take(
    arf({
      original: `From: ann@example.org\r\nMessage-ID: <\u001b[31m${"x".repeat(5000)}>\r\n`,
      fields: "User-Agent: z\r\n",
    }),
  );
  const [found] = sums().complaints;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  assert.doesNotMatch(found?.name ?? "", /[\u0000-\u001f]/);
  assert.ok((found?.name.length ?? 999) <= 200);
});

it("five hundred complaints, damaged at random, crash nothing, and what is true beside them is kept", () => {
  withFeedback();
  const damaged = fc.sample(
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 30 }).map((changes) => {
      const bytes = Buffer.from(arf({}));
      for (const [place, value] of changes) bytes[place % bytes.length] = value;
      return bytes;
    }),
    500,
  );
  const { peak } = take(...damaged, arf({ from: "true@example.org", lines: whole }));
  assert.equal(sums().complaints.filter(({ mailbox }) => mailbox === "true@example.org").length, 1);
  assert.ok(peak < 100, `${peak} MB`);
});
