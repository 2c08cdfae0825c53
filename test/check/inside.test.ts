import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Complaint } from "../../check/complaints.ts";
import type { InsideItem } from "../../check/inside.ts";
import { clock } from "../../check/items/clock.ts";
import { complaints } from "../../check/items/complaints.ts";
import { files } from "../../check/items/files.ts";
import { firewall } from "../../check/items/firewall.ts";
import { listed } from "../../check/items/listed.ts";
import { passwords } from "../../check/items/passwords.ts";
import { policies } from "../../check/items/policies.ts";
import { queue } from "../../check/items/queue.ts";
import { removed } from "../../check/items/removed.ts";
import { renewal } from "../../check/items/renewal.ts";
import { resources } from "../../check/items/resources.ts";
import { services } from "../../check/items/services.ts";
import { updates } from "../../check/items/updates.ts";
import { viruses } from "../../check/items/viruses.ts";
import { outgoingWay } from "../../check/items/wayout.ts";
import { fromOutside } from "../../check/outside.ts";
import type { CheckTarget } from "../../check/types.ts";
import { settingsWith } from "../options/settings.ts";
import { complaint as aComplaint, target, texts } from "./fixtures.ts";

// What the commands print was written by hand, in the form they have on Debian 13; that they print it there is for the
// end-to-end tests.

function judged(item: InsideItem, output: string, where: Partial<CheckTarget> = {}): string[] {
  return texts(item.judge(output, fromOutside(target(where))));
}

const someFile = { path: "/etc/a", owner: "root", group: "root", mode: "0644", content: "" };
const someSecretFile = { ...someFile, needs: [], content: () => "" };
const facts = { sha256: "aa", owner: "root", group: "root", mode: "0644" };

test("files: as deployed, changed, gone, with another mode, cut off, waiting", () => {
  const file = (path: string, found: typeof facts | null) => ({
    bundle: "postfix",
    path,
    asDeployed: found === facts,
    expected: facts,
    found,
  });
  const status = (list: unknown[], pending: string[] = [], unconfirmed: string[] = []) =>
    JSON.stringify({ files: list, pending, unconfirmed });
  const bundles = [{ name: "postfix", units: [], ports: [], files: [someFile], secretFiles: [] }];
  assert.deepEqual(judged(files, status([file("/etc/a", facts)]), { bundles }), [
    "right: all 1 deployed files are as deployed",
  ]);
  const list = [
    file("/etc/a", { ...facts, sha256: "bb" }),
    file("/etc/b", null),
    file("/etc/c", { ...facts, mode: "0666" }),
    file("/etc/d", facts),
  ];
  assert.deepEqual(judged(files, status(list, ["dovecot"], ["ssh"]), { bundles }), [
    "wrong: /etc/a was changed by hand",
    "wrong: /etc/b is gone",
    "wrong: /etc/c belongs to root:root with mode 0666, not root:root with 0644",
    "wrong: the last deployment of dovecot was cut off",
    "wrong: the deployment of ssh waits for a proof, and is taken back without one",
  ]);
  assert.deepEqual(judged(files, status([]), { bundles }), ["wrong: postfix is not deployed on the host"]);
  const secret = [
    { name: "accounts", units: [], ports: [], files: [someFile], secretFiles: [someSecretFile] },
  ];
  const plain = { ...file("/etc/d", facts), bundle: "accounts" };
  assert.deepEqual(judged(files, status([plain]), { bundles: secret }), [
    "wrong: accounts (its secret files) is not deployed on the host",
  ]);
  const [changed] = files.judge(status(list), fromOutside(target({ bundles })));
  assert.match(changed?.remedy ?? "", /`pulumi up --replace 'urn:pulumi:dev::\S+::host-postfix-files'`/);
});

const rules = `table inet filter {
\tset banned {
\t\ttype ipv4_addr
\t\tsize 1024
\t\tflags dynamic,timeout
\t}
\tchain input {
\t\ttype filter hook input priority filter; policy drop;
\t\ttcp dport { 22, 25 } accept
\t}
}
`;

test("firewall: the same rules, one more, one less, none", () => {
  const beside = (running: string) => `${running}=deployed=\n${rules}`;
  assert.deepEqual(judged(firewall, beside(rules)), ["right: the firewall's rules are as deployed"]);
  const learned = rules.replace(
    "flags dynamic,timeout\n",
    "flags dynamic,timeout\n\t\telements = { 192.0.2.1 expires 9s,\n\t\t\t     192.0.2.2 expires 8s }\n",
  );
  assert.deepEqual(judged(firewall, beside(learned)), ["right: the firewall's rules are as deployed"]);
  const banned = rules.replaceAll("dynamic,timeout", "interval,timeout").replace("filter {", "bans {");
  const held = banned.replace("timeout\n", "timeout\n\t\telements = { 192.0.2.1 timeout 10m expires 9s }\n");
  // Whichever table was loaded last stands last.
  assert.deepEqual(judged(firewall, `${held}${rules}=deployed=\n${rules}${banned}`), [
    "right: the firewall's rules are as deployed",
  ]);
  assert.deepEqual(judged(firewall, beside(rules.replace("{ 22, 25 }", "{ 22, 25, 143 }"))), [
    'wrong: the running firewall has "tcp dport { 22, 25, 143 } accept" and lacks "tcp dport { 22, 25 } accept"',
  ]);
  assert.deepEqual(judged(firewall, beside(rules.replace("policy drop", "policy accept"))), [
    'wrong: the running firewall has "type filter hook input priority filter; policy accept;" and lacks "type filter hook input priority filter; policy drop;"',
  ]);
  assert.deepEqual(judged(firewall, beside("")), ["wrong: the firewall is off: the host has no rules"]);
  assert.deepEqual(judged(firewall, `${rules}=deployed=\n`), ["wrong: the deployed firewall has no rules"]);
});

const units = [
  { name: "postfix.service", reload: [], restart: [] },
  { name: "mailhost-certificate.timer", reload: [], restart: [] },
];
const bundles = [{ name: "all", units, ports: [] }];

function shown(postfix: string, enabled = "enabled"): string {
  return `Id=postfix.service\nActiveState=${postfix}\nUnitFileState=${enabled}\n\nId=mailhost-certificate.timer\nActiveState=active\nUnitFileState=enabled\n\n=failed=\n`;
}

test("services: running, down, not enabled, unknown, others failed", () => {
  assert.deepEqual(judged(services, shown("active"), { bundles }), [
    "right: all 2 services of the plan run",
    "right: no unit of the machine has failed",
  ]);
  assert.deepEqual(
    judged(services, `${shown("failed")}postfix.service loaded failed failed Postfix\n`, { bundles }),
    ["wrong: postfix.service is failed", "right: no unit of the machine has failed"],
  );
  assert.deepEqual(
    judged(services, `${shown("active", "disabled")}man-db.service loaded failed failed Daily\n`, {
      bundles,
    }),
    ["wrong: postfix.service runs, but is not started at boot", "wrong: man-db.service has failed"],
  );
  // One that ran once, and one whose condition does not hold (no clock of its own in a container).
  const once =
    "Id=postfix.service\nType=oneshot\nActiveState=inactive\nResult=success\nConditionResult=yes\n\n";
  const unfit =
    "Id=mailhost-certificate.timer\nActiveState=inactive\nResult=success\nConditionResult=no\nConditionTimestampMonotonic=5\n\n";
  assert.deepEqual(judged(services, `${once}${unfit}=failed=\n`, { bundles }), [
    "right: all 2 services of the plan run",
    "right: no unit of the machine has failed",
  ]);
  const stopped = unfit.replace("Monotonic=5", "Monotonic=0");
  assert.deepEqual(
    judged(services, `${once.replace("success", "exit-code")}${stopped}=failed=\n`, { bundles }),
    [
      "wrong: postfix.service is inactive",
      "wrong: mailhost-certificate.timer is inactive",
      "right: no unit of the machine has failed",
    ],
  );
  assert.deepEqual(judged(services, "=failed=\n", { bundles }), [
    "wrong: postfix.service is unknown",
    "wrong: mailhost-certificate.timer is unknown",
    "right: no unit of the machine has failed",
  ]);
});

test("resources: room, a full disk, a disk without inodes left, little memory", () => {
  const output = (root: string, mail: string, available: number, readOnly = "") =>
    `Mounted on Use% IUse%\n/ ${root}\n/srv ${mail}\n=readonly=\n${readOnly}=memory=\nMemTotal:        2000000 kB\nMemAvailable:     ${available} kB\n`;
  assert.deepEqual(judged(resources, output("31% 4%", "2% -", 1000000)), [
    "right: every disk has room (the fullest, /, is 31 % full)",
    "right: memory: 977 MB of 1953 MB are free",
  ]);
  assert.deepEqual(judged(resources, output("31% 97%", "90% 1%", 100000)), [
    "wrong: / has room, but 97 % of its files (inodes) are in use",
    "wrong: /srv is 90 % full",
    "wrong: memory: only 98 MB of 1953 MB are free",
  ]);
  assert.deepEqual(
    judged(resources, output("31% 4%", "2% -", 1000000, "/srv\n"))[1],
    "wrong: /srv cannot be written to: the kernel found errors there",
  );
});

test("clock: right, off, kept by nobody", () => {
  const output = (ahead: number, keeper = "active", synchronised = "yes") =>
    `${Math.round(Date.now() / 1000) + ahead}\n${keeper}\n${synchronised}\n`;
  assert.deepEqual(judged(clock, output(0)), ["right: the host's clock is right"]);
  assert.deepEqual(judged(clock, output(0, "inactive", "no")), ["right: the host's clock is right"]);
  assert.deepEqual(judged(clock, output(-3600)), [
    "wrong: the host's clock is 3600 seconds behind this machine's",
  ]);
  assert.deepEqual(judged(clock, output(300, "active", "no")), [
    "wrong: the host's clock is 300 seconds ahead of this machine's",
    "wrong: no time server keeps the host's clock right",
  ]);
});

test("listed: on no list, the address, a domain, a list that answers nobody here", () => {
  const tests = {
    "2.0.0.127.zen.spamhaus.org": "127.0.0.2 127.0.0.2",
    "2.0.0.127.bl.spamcop.net": "127.0.0.2",
    "dbltest.com.dbl.spamhaus.org": "127.0.1.2",
  };
  const output = (answers: Readonly<Record<string, string>>) =>
    Object.entries({ ...tests, ...answers })
      .map(([name, codes]) => `${name} ${codes}\n`)
      .join("");
  const lists = "zen.spamhaus.org, bl.spamcop.net, dbl.spamhaus.org";
  const address = "1.0.0.127";
  assert.deepEqual(judged(listed, output({ [`${address}.zen.spamhaus.org`]: "" })), [
    `right: the host is on no blocklist (${lists})`,
  ]);
  assert.deepEqual(
    judged(
      listed,
      output({
        [`${address}.zen.spamhaus.org`]: "127.0.0.4 127.0.0.4 127.0.0.10",
        "example.org.dbl.spamhaus.org": "127.0.1.4",
      }),
    ),
    [
      "wrong: 127.0.0.1 is on the blocklist zen.spamhaus.org (127.0.0.4, 127.0.0.10): many servers refuse its mail",
      "wrong: example.org is on the blocklist dbl.spamhaus.org (127.0.1.4): many servers refuse its mail",
    ],
  );
  // As Spamhaus answers a resolver that too many people ask: to every question, its own test's too.
  const refused = "127.255.255.254";
  assert.deepEqual(
    judged(
      listed,
      output({ "2.0.0.127.zen.spamhaus.org": refused, [`${address}.zen.spamhaus.org`]: refused }),
    ),
    [
      "right: the host is on no blocklist (bl.spamcop.net, dbl.spamhaus.org)",
      "not looked at: whether the host is on the blocklist zen.spamhaus.org: it gives the host no answer",
    ],
  );
});

test("queue: empty, a few, many, ours stuck", () => {
  const now = 1_800_000_000;
  const message = (address: string, age: number, delay_reason = "connection timed out") =>
    JSON.stringify({
      queue_name: "deferred",
      queue_id: "x",
      arrival_time: now - age,
      recipients: [{ address, delay_reason }],
    });
  const output = (...messages: string[]) => [String(now), ...messages, ""].join("\n");
  assert.deepEqual(judged(queue, output()), ["right: the queue is empty"]);
  assert.deepEqual(judged(queue, output(message("x@example.net", 90000), message("ann@example.org", 5))), [
    "right: messages that wait in the queue: 2",
  ]);
  assert.deepEqual(judged(queue, output(...Array<string>(51).fill(message("x@example.net", 1)))), [
    "wrong: messages that wait in the queue: 51",
  ]);
  assert.deepEqual(judged(queue, output(message("ann@example.org", 700))), [
    "wrong: messages for mailboxes here that have waited longer than ten minutes: 1",
  ]);
  const sandbox =
    "host email-smtp.eu-central-1.amazonaws.com[192.0.2.1] said: 454 4.7.1 Amazon SES: Email address is not verified.";
  assert.deepEqual(judged(queue, output(message("x@example.net", 5), message("x@example.net", 5, sandbox))), [
    "wrong: recipients that Amazon SES does not send to: 1",
  ]);
});

test("renewal: on the clock, off, failed", () => {
  const output = (state: string, next: string, result: string) =>
    `ActiveState=${state}\nNextElapseUSecRealtime=${next}\n=last=\nResult=${result}\nExecMainStatus=0\n`;
  const next = "Sat 2026-11-21 13:14:15 UTC";
  assert.deepEqual(judged(renewal, output("active", next, "success")), [
    `right: the certificate's renewal is looked at next on ${next}`,
  ]);
  assert.deepEqual(judged(renewal, output("active\nSubState=running", "", "success")), [
    "right: the certificate's renewal is looked at right now",
  ]);
  assert.deepEqual(judged(renewal, output("active\nSubState=waiting", "", "success")), [
    "wrong: the certificate's renewal is not on the clock (mailhost-certificate.timer)",
  ]);
  assert.deepEqual(judged(renewal, output("inactive", "", "success")), [
    "wrong: the certificate's renewal is not on the clock (mailhost-certificate.timer)",
  ]);
  assert.deepEqual(judged(renewal, output("active", next, "exit-code")), [
    "wrong: the certificate's last renewal failed",
  ]);
});

test("passwords: refused, taken, unknown", () => {
  assert.deepEqual(judged(passwords, "77\n"), ["right: a wrong password is refused"]);
  assert.deepEqual(judged(passwords, "0\n"), ["wrong: a mailbox opens with any password"]);
  assert.deepEqual(judged(passwords, "75\n"), [
    "wrong: whether a wrong password is refused is unknown (doveadm ends with 75)",
  ]);
});

test("way out: greeted, not reached, no address, proven by another side", () => {
  assert.deepEqual(judged(outgoingWay, "open\n"), [
    "right: mail can leave: other servers' port 25 can be reached from the host",
  ]);
  assert.equal(
    judged(outgoingWay, "blocked bash: connect: Connection timed out\n")[0],
    "wrong: mail cannot leave: a large receiver's port 25 does not greet the host (bash: connect: Connection timed out)",
  );
  assert.match(
    judged(outgoingWay, "blocked\n")[0] ?? "",
    /^wrong: mail cannot leave: .* does not greet the host$/,
  );
  assert.match(judged(outgoingWay, "unknown\n")[0] ?? "", /^wrong: whether mail can leave is unknown/);
  assert.deepEqual(judged(outgoingWay, "proven\n"), []);
});

test("way out: where all mail goes through a relay, the relay's port counts", () => {
  const relay = { host: "smtp.relay.example.net", username: "u", password: "p", spf: [] };
  const where = (more: object) => ({ settings: settingsWith({ relay: { ...relay, ...more } }) });
  assert.deepEqual(judged(outgoingWay, "open\n", where({})), [
    "right: mail can leave: the relay smtp.relay.example.net can be reached from the host",
  ]);
  assert.match(
    judged(outgoingWay, "blocked\n", where({}))[0] ?? "",
    /^wrong: mail cannot leave: the relay smtp\.relay\.example\.net, port 587, does not greet the host$/,
  );
  assert.deepEqual(judged(outgoingWay, "open\n", { settings: settingsWith({ relay: "ses" }) }), [
    "right: mail can leave: the relay email-smtp.eu-central-1.amazonaws.com can be reached from the host",
  ]);
  for (const more of [{ use: false }, { domains: ["example.org"] }])
    assert.match(judged(outgoingWay, "blocked\n", where(more))[0] ?? "", /port 25 does not greet/);
});

test("removed: names whose mail is kept, and since when where that is known", () => {
  assert.deepEqual(judged(removed, ""), []);
  assert.deepEqual(judged(removed, "2026-11-21 dave@example.org\nunknown    erin@example.com\n"), [
    "right: the mail of dave@example.org, which was removed on 2026-11-21, is kept on the host, in /srv/mail/example.org/dave",
    "right: the mail of erin@example.com, which was removed, is kept on the host, in /srv/mail/example.com/erin",
  ]);
});

test("viruses: without signatures, without an answer, with old signatures", () => {
  assert.deepEqual(judged(viruses, "No such file or directory\n\n"), [
    "wrong: mail is not looked at for viruses: ClamAV has no signatures",
  ]);
  assert.deepEqual(judged(viruses, "Permission denied\n0\n"), [
    "wrong: mail is not looked at for viruses: clamd does not answer rspamd (Permission denied)",
  ]);
  assert.deepEqual(judged(viruses, "PONG\n8\n"), ["wrong: ClamAV's newest signatures are 8 days old"]);
  assert.deepEqual(judged(viruses, "PONG\n7\n"), [
    "right: ClamAV answers, and its newest signatures are 7 days old",
  ]);
});

test("viruses: where the plan has no ClamAV, nothing is asked", async () => {
  assert.deepEqual(await viruses.look(fromOutside(target({}))), []);
});

test("policies: nothing is asked where none ramps, and where one hurts that is wrong", () => {
  assert.deepEqual(judged(policies, ""), []);
  const settings = settingsWith({
    domains: { "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, dmarc: "ramp" } },
  });
  const ramps = (policy: string) => ({
    "_dmarc.example.org": { policy, since: "2026-01-01T00:00:00.000Z", why: "" },
  });
  const seen = (failed: number) =>
    JSON.stringify({
      dmarc: {
        "example.org": {
          reporters: ["one.example", "two.example"].map((reporter) => ({
            reporter,
            passed: 50,
            failed,
            altered: 0,
            strange: 0,
          })),
          failing: [{ ip: "198.51.100.1", messages: failed }],
          strangers: [],
        },
      },
      tls: [],
    });
  const lines = (policy: string, failed: number) =>
    judged(policies, seen(failed), { settings, ramps: ramps(policy) });
  assert.deepEqual(lines("none", 0), [
    "right: example.org, DMARC: from none to quarantine. 100 own messages in reports of 2 organisations, none fails. The next `up` does it",
  ]);
  assert.deepEqual(lines("none", 5), [
    "right: example.org, DMARC: none since 2026-01-01, and not quarantine yet. Of 110 own messages 10 fail (198.51.100.1: 5; seen by one.example, two.example).",
  ]);
  assert.deepEqual(lines("quarantine", 5), [
    "wrong: example.org, DMARC: quarantine since 2026-01-01, and not reject yet. Of 110 own messages 10 fail (198.51.100.1: 5; seen by one.example, two.example).",
  ]);
  assert.deepEqual(lines("reject", 0), ["right: example.org, DMARC: reject since 2026-01-01, the last step"]);
  assert.deepEqual(lines("reject", 5), [
    "wrong: example.org, DMARC: reject since 2026-01-01, the last step. Of 110 own messages 10 fail (198.51.100.1: 5; seen by one.example, two.example).",
  ]);
});

test("updates: they come in, have not for days, wait for a reboot; left to the owner", () => {
  const now = 1_800_000_000;
  const ago = (days: number) => now - days * 86_400;
  assert.deepEqual(judged(updates, `${now}\n${ago(1)}\n`), ["right: security updates come in"]);
  assert.deepEqual(judged(updates, `${now}\n${ago(4)}\n${ago(6)}\nlinux-image-cloud-amd64\n`), [
    "right: security updates come in; one waits for a reboot (linux-image-cloud-amd64)",
  ]);
  assert.deepEqual(judged(updates, `${now}\n${ago(5)}\n${ago(8)}\nlibc6\nlinux-image-cloud-amd64\n`), [
    "wrong: no security update has come in for 5 days",
    "wrong: an update has waited for a reboot for 8 days (libc6, linux-image-cloud-amd64)",
  ]);
  const settings = settingsWith({ upgrades: { security: false } });
  assert.deepEqual(judged(updates, `${now}\n${ago(5)}\n`, { settings }), []);
  assert.deepEqual(judged(updates, `${now}\n${ago(5)}\n${ago(8)}\n`, { settings }), [
    "wrong: an update has waited for a reboot for 8 days",
  ]);
});

describe("complaints", () => {
  const now = Date.parse("2026-11-22T06:00:00Z") / 1000;
  const complaint = (more: Partial<Complaint> = {}) => aComplaint({ taken: now - 3600, ...more });
  const day = (day: string, delivered: number) => ({ domain: "example.org", day, delivered });
  const said = (all: readonly object[], days: readonly object[]) =>
    judged(
      complaints,
      [
        `${now} 2026-11-22`,
        "2026-11-21",
        JSON.stringify(all),
        ...(all.length > 0 ? [JSON.stringify({ days })] : []),
      ].join("\n"),
    );
  /** So many, of two who say it. */
  const both = (count: number, more: object = {}) =>
    Array.from({ length: count }, (_, index) =>
      complaint({ verified: `example.${index % 2 === 0 ? "net" : "edu"}`, ...more }),
    );
  const older = { taken: now - 3 * 86_400, mailbox: "bob@example.org" };

  test("nothing is asked without mailhost:feedback; nobody, few, or few for what is sent are right", () => {
    assert.deepEqual(judged(complaints, ""), []);
    assert.deepEqual(said([], []), ["right: nobody has called mail from here spam in 7 days"]);
    for (const [all, days] of [
      [both(2), [day("2026-11-22", 5)]],
      [both(3, older), [day("2026-11-18", 3000)]],
      [both(3), [day("2026-11-18", 2000), day("2026-11-21", 1000)]],
    ] as const)
      assert.match(said(all, days)[0] ?? "", /^right: messages that were called spam in 7 days: [23], /);
  });

  test("what says something else, or comes from anybody, does not count", () => {
    const types = ["not-spam", "auth-failure", "virus", "other"];
    const all = [...both(50, { verified: "" }), ...types.flatMap((type) => both(50, { type }))];
    assert.deepEqual(said(all, [day("2026-11-22", 10)]), [
      "right: nobody has called mail from here spam in 7 days",
    ]);
  });

  test("more of a week than receivers bear, and many of a day about one mailbox", () => {
    assert.deepEqual(said(both(3, older), [day("2026-11-18", 2999)]), [
      "wrong: 3 messages of example.org were called spam in 7 days, 0.10 % of what was delivered; receivers bear 0.1 % before they refuse",
    ]);
    // A stolen password, in a domain that sends a lot.
    assert.deepEqual(said(both(5), [day("2026-11-18", 90_000), day("2026-11-21", 1000)]), [
      "wrong: 5 messages of ann@example.org were called spam within a day, 0.50 % of what was delivered",
    ]);
    const each = [
      complaint(),
      complaint({ type: "fraud", verified: "example.edu" }),
      complaint({ type: "opt-out" }),
    ];
    assert.deepEqual(said(each, []), [
      "wrong: 3 messages of example.org were called spam in 7 days; receivers bear 0.1 % before they refuse",
      "wrong: 3 messages of ann@example.org were called spam within a day",
    ]);
  });

  test("one who complains says nothing of a mailbox's password, and no number of his own counts", () => {
    const evil = { verified: "evil.example" };
    assert.deepEqual(said([complaint({ ...evil, incidents: 1_000_000 })], [day("2026-11-22", 5)]), [
      "right: messages that were called spam in 7 days: 1, no more than receivers bear",
    ]);
    const other = { type: "auth-failure" };
    assert.deepEqual(said([...both(9, evil), complaint(other)], [day("2026-11-22", 100)]), [
      "wrong: 9 messages of example.org were called spam in 7 days, 9.00 % of what was delivered; receivers bear 0.1 % before they refuse",
    ]);
  });

  test("one domain alone", () => {
    const other = both(9, { domain: "example.com", mailbox: "carol@example.com" });
    const output = [`${now} 2026-11-22`, "2026-11-21", JSON.stringify(other), '{"days":[]}'].join("\n");
    assert.deepEqual(judged(complaints, output, { only: "example.org" }), [
      "right: nobody has called mail from here spam in 7 days",
    ]);
  });
});
