/** `npm run check` on a real host: all right as it is, and every fault that is put in is seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runCheck } from "../../../check/run.ts";
import { stackAsItIs } from "../../../check/stack.ts";
import type { CheckResult, CheckTarget } from "../../../check/types.ts";
import { cloudPaths } from "../../../local/paths.ts";
import { Stack } from "../../../local/stack.ts";
import { localSurroundings } from "../../../local/surroundings.ts";
import { eventually } from "../../eventually.ts";
import { doAll, rounds, trustedAuthority } from "../faults.ts";
import { count, mailHost } from "../mail.ts";
import { cloudFolder, cloudInfo, mailhost, succeed } from "../mailhost.ts";

async function results(...args: string[]): Promise<{ code: number; lines: CheckResult[] }> {
  const { code, stdout } = await mailhost(["check", "--json", ...args]);
  return { code, lines: JSON.parse(stdout) as CheckResult[] };
}

let known: Promise<CheckTarget> | undefined;

/** What the command looks at. No fault changes it, so the engine is asked once. */
function target(): Promise<CheckTarget> {
  known ??= (async () => {
    const info = cloudInfo();
    const paths = cloudPaths({ ...process.env, MAILHOST_CLOUD: cloudFolder });
    const stack = await Stack.open(paths, info, () => undefined);
    const found = await stackAsItIs("dev", {
      ...(await localSurroundings(stack, info)),
      pulumi: async (args) => (await succeed(["pulumi", ...args])).stdout,
      trustedCas: [info.issuerCa, trustedAuthority.ca],
    });
    assert.ok(found.kind === "host");
    return found.target;
  })();
  return known;
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

for (const { faults, items, settle = "true", patience } of rounds) {
  test(`seen, and only what is wrong: ${faults.map(({ name }) => name).join("; ")}`, async () => {
    const where = await target();
    try {
      await doAll([...faults.map(({ put }) => put), settle]);
      const found = await runCheck({ ...where, ...(patience !== undefined && { patience }) }, items);
      const wrong = found.filter(({ right }) => !right);
      const own = wrong.filter(({ cause }) => cause === undefined);
      const patterns = faults.flatMap(({ seen }) => seen);
      const lines = own.map(({ text }) => text).join("\n");
      for (const pattern of patterns) {
        assert.ok(
          own.some(({ text }) => pattern.test(text)),
          `${pattern} is not among:\n${lines}`,
        );
      }
      for (const { text, remedy } of own) {
        assert.ok(
          patterns.some((pattern) => pattern.test(text)),
          `not of these faults: ${text}\namong:\n${lines}`,
        );
        assert.ok(remedy, `no remedy: ${text}`);
      }
      // What is folded away follows from one of the lines above.
      const told = new Set(own.map(({ about }) => about));
      for (const { about, cause } of wrong)
        assert.ok(cause === undefined || told.has(cause), `${about}: ${cause}`);
    } finally {
      await doAll([...faults.map(({ mend }) => mend).toReversed(), settle]);
    }
  });
}

test("all is right again", async () => {
  // Where Redis was away, rspamd asks it again after some seconds only, and asks its clients to come again until then.
  await eventually("rspamd asks Redis again", 60, async () => {
    await succeed(["check"]);
    return true;
  });
});
