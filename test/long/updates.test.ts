/**
 * A change of a running host whose `up` is killed at a random moment, ten times: the next `up` converges, and the check
 * finds all right. What changes has a bit of everything: a domain with records and keys, a mailbox, and rules of sshd and
 * of the firewall, which come back by themselves where nobody confirms them.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import type { Document } from "yaml";
import { mailhost, previewSteps, succeed, up, withStack } from "../e2e/mailhost.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

function change(stack: Document): void {
  const set = (path: readonly string[], value: unknown) =>
    stack.setIn(["config", ...path], stack.createNode(value));
  const domain = {
    since: "2026-11-21",
    zone: "example.org",
    mailboxes: { dora: {} },
    aliases: { info: "dora" },
  };
  set(["mailhost:domains", "sub.example.org"], domain);
  set(["mailhost:domains", "example.org", "mailboxes", "erin"], { quota: 1 });
  set(["mailhost:ssh"], { from: ["203.0.113.1/32", "203.0.113.64/26"] });
  set(["mailhost:managesieve"], true);
}

async function killed(t: { diagnostic(text: string): void }): Promise<void> {
  const moment = randomInt(500, 20_000);
  const { code } = await mailhost(["pulumi", "up", "--yes", "--skip-preview"], { killAfter: moment });
  t.diagnostic(`${code === -1 ? "killed" : "done before it was to be killed"} after ${moment} ms`);
}

async function converges(): Promise<void> {
  await up();
  assert.deepEqual(await previewSteps(), []);
  await succeed(["check"]);
}

for (let round = 1; round <= 5; round += 1) {
  test(`an up that changes a running host, and one that changes it back, are killed (${round})`, async (t) => {
    await withStack(change, async () => {
      await killed(t);
      await converges();
    });
    await killed(t);
    await converges();
  });
}
