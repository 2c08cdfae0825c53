/** DKIM keys that take turns, with the program's clock turned forward. Later files find a host that has other keys. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyPair } from "../../../plan/rotation.ts";
import { mailHost, otherSide, submit, unique } from "../mail.ts";
import { keepInStack, keepStackText, stackText, withFile } from "../mailhost.ts";
import { later, pairs, states, upLater } from "../turns.ts";
import { worldResolver } from "../web.ts";

const peer = await otherSide();

const named = (all: readonly KeyPair[], state: KeyPair["state"]) =>
  all.find((pair) => pair.state === state)?.generation ?? assert.fail(`nothing is ${state}`);

/** What the other side makes of a message's signatures: `pass 20261121r`. */
async function signatures(from: string): Promise<readonly string[]> {
  const sent = await submit(await mailHost(), { from, to: "keys@example.net", subject: unique("keys") });
  const message = (await peer.waitFor(sent.messageId, 60)) ?? assert.fail("it did not come");
  return message.verdict.dkim.map(({ result, selector }) => `${result} ${selector}`).toSorted();
}

const record = async (generation: string, domain: string) =>
  (await worldResolver().resolveTxt(`${generation}r._domainkey.${domain}`))
    .map((parts) => parts.join(""))
    .join();

test("the next pair is known to the world and does not sign", async () => {
  const found = await pairs("example.org");
  assert.deepEqual(states(found), ["signing", "published"]);
  const [now, next] = [named(found, "signing"), named(found, "published")];
  assert.deepEqual(await signatures("ann@example.org"), [`pass ${now}e`, `pass ${now}r`]);
  assert.match(await record(next, "example.org"), /^v=DKIM1; h=sha256; k=rsa; p=[\w+/]{100}/);
});

test("after 90 days it signs, and what the old one has signed can be verified for a week", async () => {
  await upLater(1);
  const [first, second] = await pairs("example.org");
  assert.ok(first !== undefined && second?.seen !== undefined, "the world does not show it");

  // Neither an `up` of something else nor one that fails at the host is a turn.
  await later(91, "up", "--yes", "--skip-preview", "--target", "**::mark-id");
  assert.deepEqual(await pairs("example.org"), [first, second]);
  await withFile(
    "files/etc/rspamd/local.d/dkim_signing.conf",
    (text) => `${text}broken {\n`,
    async () => {
      await assert.rejects(upLater(91), /ended with 1:/);
    },
  );
  assert.deepEqual(await pairs("example.org"), [first, second]);
  assert.deepEqual(await signatures("ann@example.org"), [
    `pass ${first.generation}e`,
    `pass ${first.generation}r`,
  ]);

  const { stdout } = await later(91, "preview", "--diff");
  assert.match(stdout, new RegExp(`\\+.*selector = "${second.generation}r"`));
  await upLater(91);
  const turned = await pairs("example.org");
  assert.deepEqual(states(turned), ["retired", "signing", "published"]);
  assert.equal(named(turned, "signing"), second.generation);
  for (const from of ["ann@example.org", "carol@example.com"]) {
    const signing = named(await pairs(from.split("@")[1] ?? ""), "signing");
    assert.deepEqual(await signatures(from), [`pass ${signing}e`, `pass ${signing}r`]);
  }
  assert.match(await record(first.generation, "example.org"), / p=[\w+/]{100}/);

  await upLater(99);
  assert.deepEqual(states(await pairs("example.org")), ["signing", "published"]);
  await assert.rejects(record(first.generation, "example.org"), /ENOTFOUND|ENODATA/);
});

test("a key that leaked is void at once, while the next one signs", async () => {
  const before = await pairs("example.org");
  const [leaked, next] = [named(before, "signing"), named(before, "published")];
  const text = stackText();
  keepInStack((stack) => stack.setIn(["config", "mailhost:dkim"], stack.createNode({ revoked: [leaked] })));
  try {
    await upLater(100);
    assert.deepEqual(states(await pairs("example.org")), ["retired", "signing", "published"]);
    assert.deepEqual(await signatures("ann@example.org"), [`pass ${next}e`, `pass ${next}r`]);
    await upLater(100);
    assert.deepEqual(states(await pairs("example.org")), ["revoked", "signing", "published"]);
    assert.match(await record(leaked, "example.org"), / p=$/);
  } finally {
    keepStackText(text);
  }
});
