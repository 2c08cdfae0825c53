import assert from "node:assert/strict";
import { test } from "node:test";
import { withCauses } from "../../check/consequences.ts";
import { report } from "../../check/report.ts";
import type { CheckResult } from "../../check/types.ts";

const line = (item: string, group: CheckResult["group"], text: string): CheckResult => ({
  item,
  group,
  right: false,
  text,
  remedy: `Mend ${item}.`,
});

const results = [
  { ...line("services", "Inside the host", "rspamd.service is failed"), down: "rspamd.service" },
  line(
    "tls",
    "Encryption",
    'port 25 (smtp): no encryption: STARTTLS was answered "454 4.3.0 Try again later"',
  ),
  line(
    "recipients",
    "Rules",
    'a stranger may send to a@example.net through the host (open relay): "250 2.1.5 Ok"',
  ),
  line(
    "incoming",
    "Mail",
    'a message from example.net to ann@example.org was not taken: "451 4.7.1 Service"',
  ),
  line("files", "Inside the host", "/etc/a was changed by hand"),
  line("ports", "Ports", "port 993 (imaps) refuses connections"),
];

test("what follows from a service that is down is marked, and nothing else", () => {
  assert.deepEqual(
    withCauses(results).map(({ item, cause }) => [item, cause]),
    [
      ["services", undefined],
      ["tls", "rspamd.service"],
      ["recipients", undefined],
      ["incoming", "rspamd.service"],
      ["files", undefined],
      ["ports", undefined],
    ],
  );
});

test("people read the cause first, and how much follows from it", () => {
  const text = report(withCauses(results), false);
  assert.match(
    text,
    /^Inside the host\n {2}✗ WRONG: rspamd\.service is failed\n {6}→ Mend services\.\n {6}2 other lines follow from this \(Encryption, Mail\)\. Mend it, then check again\.\n/,
  );
  assert.match(text, /\n0 right, 6 wrong, 2 of them in consequence$/);
  assert.doesNotMatch(text, /STARTTLS|was not taken/);
  assert.match(text, /open relay/);
});
