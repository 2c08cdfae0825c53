/** `npm run check` on a real host: all right as it is, and every fault that is put in is seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckResult } from "../../../check/types.ts";
import { rounds } from "../faults.ts";
import { count, mailHost } from "../mail.ts";
import { mailhost, onHost, succeed } from "../mailhost.ts";

async function results(...args: string[]): Promise<{ code: number; lines: CheckResult[] }> {
  const { code, stdout } = await mailhost(["check", "--json", ...args]);
  return { code, lines: JSON.parse(stdout) as CheckResult[] };
}

test("all is right, in plain words", async () => {
  const { stdout } = await succeed(["check"]);
  assert.match(stdout, /\n\d\d right, 0 wrong\n$/);
  assert.match(stdout, /✓ mail of example\.com is judged SPF pass, DKIM \S+ pass, DKIM \S+ pass, DMARC pass/);
});

test("on a real cloud there is nobody on the other side: the host's own mail goes round, out and in", async () => {
  const { code, lines } = await results("--peer", "none");
  const texts = lines.map(({ text }) => text);
  assert.equal(code, 0, texts.join("\n"));
  for (const [domain, login] of [
    ["example.org", "ann@example.org"],
    ["example.com", "carol@example.com"],
  ] as const) {
    const came = `mail that comes to port 25 reaches ${login}`;
    assert.ok(
      texts.some((text) => text.startsWith(came)),
      texts.join("\n"),
    );
    assert.ok(texts.includes(`mail to ${domain} has its DKIM and DMARC checked`));
    assert.ok(
      texts.some((text) => text.startsWith(`mail of ${domain} is judged SPF pass`) && /stranger/.test(text)),
    );
  }
});

test("it leaves nothing in the mailboxes", async () => {
  const host = await mailHost();
  for (const address of Object.keys(host.credentials)) {
    for (const folder of ["INBOX", "Junk"]) {
      const subject = "A test message of the mail host's check";
      assert.equal(await count(host, address, subject, { folder, expected: 0 }), 0);
    }
  }
});

test("one domain alone; one that is not there", async () => {
  const { code, lines } = await results("--domain", "example.com");
  assert.equal(code, 0);
  assert.ok(lines.some(({ text }) => text.includes("mail of example.com")));
  assert.ok(!lines.some(({ text }) => text.includes("mail of example.org")));
  const unknown = await mailhost(["check", "--domain", "example.edu"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /The stack has no domain example\.edu\. It has: example\.com, example\.org\./);
});

for (const faults of rounds) {
  test(`seen: ${faults.map(({ name }) => name).join("; ")}`, async () => {
    try {
      for (const { put } of faults) await onHost(put);
      const { code, lines } = await results();
      assert.equal(code, 1);
      const wrong = lines.filter(({ right }) => !right);
      for (const pattern of faults.flatMap(({ seen }) => seen)) {
        const found = wrong.find(({ text }) => pattern.test(text));
        assert.ok(found, `${pattern} is not among:\n${wrong.map(({ text }) => text).join("\n")}`);
        assert.ok(found.remedy, `no remedy: ${found.text}`);
      }
    } finally {
      for (const { mend } of faults.toReversed()) await onHost(mend);
    }
  });
}

test("all is right again", async () => {
  await succeed(["check"]);
});
