import assert from "node:assert/strict";
import { test } from "node:test";
import { withCauses } from "../../check/consequences.ts";
import { report } from "../../check/report.ts";
import type { CheckResult } from "../../check/types.ts";

const line = (
  about: string,
  group: CheckResult["group"],
  text: string,
  more: Partial<CheckResult> = {},
): CheckResult => ({
  item: about.split(".")[0] ?? "",
  about,
  group,
  right: false,
  text,
  remedy: `Mend ${about}.`,
  ...more,
});
const unanswered = { unanswered: true } as const;

const results = [
  line("services.rspamd.service", "Inside the host", "rspamd.service is failed"),
  line(
    "tls.smtp",
    "Encryption",
    'port 25 (smtp): no encryption: STARTTLS was answered "454 4.3.0 Try again later"',
    unanswered,
  ),
  line(
    "recipients.relay",
    "Rules",
    'a stranger may send to a@example.net through the host (open relay): "250 2.1.5 Ok"',
  ),
  line(
    "incoming.example.org",
    "Mail",
    'a message from example.net to ann@example.org was not taken: "451 4.7.1 Service"',
    unanswered,
  ),
  line("files", "Inside the host", "/etc/a was changed by hand"),
  line("ports.imaps", "Ports", "port 993 (imaps) refuses connections", unanswered),
];

/** What each line is about, and what brings it. */
function causes(lines: readonly CheckResult[]): (string | undefined)[][] {
  return withCauses(lines).map(({ about, cause }) => [about, cause]);
}

test("what follows from a service that is down is marked, and nothing else", () => {
  assert.deepEqual(causes(results), [
    ["services.rspamd.service", undefined],
    ["tls.smtp", "services.rspamd.service"],
    ["recipients.relay", undefined],
    ["incoming.example.org", "services.rspamd.service"],
    ["files", undefined],
    ["ports.imaps", undefined],
  ]);
});

test("what is behind a closed port gets no answer; another port's trouble is its own", () => {
  assert.deepEqual(
    causes([
      line("ports.imaps", "Ports", "port 993 (imaps) refuses connections", unanswered),
      line("logins.ann@example.org", "Mail", "ann@example.org cannot log in by IMAP", unanswered),
      line("tls.smtp", "Encryption", "port 25 (smtp): no encryption", unanswered),
    ]),
    [
      ["ports.imaps", undefined],
      ["logins.ann@example.org", "ports.imaps"],
      ["tls.smtp", undefined],
    ],
  );
});

test("a record that is wrong is told once, and mail that it leads elsewhere with it", () => {
  assert.deepEqual(
    causes([
      line("records.MX.example.org", "Names", "MX example.org is missing"),
      line("validation.MX.example.org", "Names", "the resolver says: MX example.org is missing"),
      line("incoming.example.org", "Mail", "a message was not taken", unanswered),
      line("incoming.example.com", "Mail", "a message was not taken", unanswered),
    ]),
    [
      ["records.MX.example.org", undefined],
      ["validation.MX.example.org", "records.MX.example.org"],
      ["incoming.example.org", "records.MX.example.org"],
      ["incoming.example.com", undefined],
    ],
  );
  assert.deepEqual(
    causes([
      line("identity.A.mail.example.org", "Names", "mail.example.org has no address"),
      line("incoming.example.com", "Mail", "a message was not taken", unanswered),
    ])[1],
    ["incoming.example.com", "identity.A.mail.example.org"],
  );
});

test("where a zone gets no answers, nothing of its names does; another zone is not meant", () => {
  assert.deepEqual(
    causes([
      line("records.example.com", "Names", "example.com: could not be looked at", unanswered),
      line("validation.example.com", "Names", "example.com: the resolver refuses", unanswered),
      line("web.autoconfig.example.com", "Mail", "it is not to be found", unanswered),
      line("outgoing.example.com", "Mail", "mail of example.com is judged SPF fail"),
      line("outgoing.example.org", "Mail", "mail of example.org is judged SPF temperror", unanswered),
    ]),
    [
      ["records.example.com", "validation.example.com"],
      ["validation.example.com", undefined],
      ["web.autoconfig.example.com", "validation.example.com"],
      ["outgoing.example.com", undefined],
      ["outgoing.example.org", undefined],
    ],
  );
});

test("people read the cause first, and how much follows from it", () => {
  const text = report(withCauses(results), false);
  assert.match(
    text,
    /^Inside the host\n {2}✗ WRONG: rspamd\.service is failed\n {6}→ Mend services\.rspamd\.service\.\n {6}2 other lines follow from this \(Encryption, Mail\)\. Mend it, then check again\.\n/,
  );
  assert.match(text, /\n0 right, 6 wrong, 2 of them in consequence$/);
  assert.doesNotMatch(text, /STARTTLS|was not taken/);
  assert.match(text, /open relay/);
});
