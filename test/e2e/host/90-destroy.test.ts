import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../../../check/dns.ts";
import { leftovers } from "../leftovers.ts";
import {
  cloudFolder,
  cloudInfo,
  eventually,
  gitStatus,
  mailhost,
  removeCheckout,
  succeed,
  world,
} from "../mailhost.ts";

test("the daemon killed with -9: the next start works", async () => {
  process.kill(cloudInfo().pid, "SIGKILL");
  await succeed(["start"]);
});

test("npm run destroy says what is kept, and how to remove it; the next npm start works", async (t) => {
  // The start after it meets a DNS that publishes late: longer than AWS asks for a name before it refuses it.
  const { resolver } = cloudInfo();
  const [address] = (await ask(resolver, "mail.example.org", "A")).answers;
  assert.ok(address?.type === "A");
  const reverse = `${address.data.split(".").reverse().join(".")}.in-addr.arpa`;
  await world("cloudflare?publishAfter=8000");
  const ran = await succeed(["destroy"]);
  assert.match(ran.stdout, /server-address/);
  assert.match(ran.stdout, /server-data/);
  assert.match(ran.stdout, /--everything/);
  const starting = succeed(["start"]);
  await eventually("the address has its reverse name", 80, async () => {
    return (await ask(resolver, reverse, "PTR")).answers.length === 1;
  });
  // The MX records come last, and the check does not wait for them.
  await world("cloudflare?publishAfter=0");
  const again = await starting;
  t.diagnostic(`npm start after npm run destroy: ${again.seconds.toFixed(1)} s`);
  assert.ok(again.seconds < 90, `took ${again.seconds} s`);
  assert.equal(gitStatus(), "");
});

test("npm run destroy -- --everything leaves nothing at all", async () => {
  const slot = Number(readFileSync(join(cloudFolder, "slot"), "utf8"));
  await succeed(["destroy", "--everything"]);
  assert.equal(leftovers(slot), "");
  assert.equal(existsSync(cloudFolder), false);
  const again = await mailhost(["destroy", "--everything"]);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /nothing to destroy/i);
  removeCheckout();
});
