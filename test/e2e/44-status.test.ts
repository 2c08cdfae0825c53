import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloudStatus } from "../../local/commands/status.ts";
import { mailHost, otherSide, submit } from "./mail.ts";
import { eventually, mailhost, onHost, succeed, world } from "./mailhost.ts";

async function status(): Promise<CloudStatus> {
  return JSON.parse((await succeed(["status", "--json"])).stdout) as CloudStatus;
}

test("a person blocks outgoing port 25, mail waits, and goes when it is open again", async (t) => {
  t.after(() => mailhost(["cloud", "port25", "open"]));
  assert.equal((await status()).port25, "open");
  assert.match((await succeed(["cloud", "port25", "blocked"])).stdout, /^Outgoing port 25 is blocked/);
  assert.equal((await status()).port25, "blocked");
  assert.match((await succeed(["status"])).stdout, /port 25 +blocked on the way out/);

  const peer = await otherSide();
  const to = `late${Date.now()}@example.net`;
  const sent = await submit(await mailHost(), { from: "ann@example.org", to, subject: "port 25" });
  await eventually("Postfix has tried in vain", 60, async () =>
    /Connection timed out/.test(await onHost(`mailq | grep -B2 ${to} || true`)),
  );
  assert.deepEqual(await peer.messages({ to }), []);

  assert.match((await succeed(["cloud", "port25", "open"])).stdout, /^Outgoing port 25 is open/);
  await onHost("postqueue -f");
  assert.ok(await peer.waitFor(sent.messageId, 60), "it did not go when port 25 was open");
});

test("the switch outlives npm stop, and a wrong word is refused", async (t) => {
  t.after(() => mailhost(["cloud", "port25", "open"]));
  await succeed(["cloud", "port25", "blocked"]);
  await succeed(["stop"]);
  const stopped = await mailhost(["status", "--json"]);
  assert.equal(stopped.code, 3);
  assert.equal((JSON.parse(stopped.stdout) as { running: boolean }).running, false);
  assert.match((await mailhost(["cloud", "port25", "open"])).stderr, /npm start/);
  // The check looks for the way out, too, and says what is wrong.
  const started = await mailhost(["start"]);
  assert.equal(started.code, 1);
  assert.match(started.stdout, /port 25/);
  assert.equal((await status()).port25, "blocked");
  assert.match((await mailhost(["cloud", "port25", "shut"])).stderr, /Allowed choices are blocked, open/);
  await succeed(["cloud", "port25", "open"]);
  await onHost("postqueue -f");
  await succeed(["check"]);
});

test("status tells a machine that lost its power, and npm start brings it back", async () => {
  const [before] = (await status()).machines;
  assert.equal(before?.power, "on");
  assert.ok(before.publicIpv4);
  await world("power-cut");
  assert.equal((await status()).machines[0]?.power, "without power");
  assert.match((await succeed(["status"])).stdout, /lost its power: npm start brings it back/);
  await succeed(["start"]);
  assert.deepEqual((await status()).machines[0], before);
});
