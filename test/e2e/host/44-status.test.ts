import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../eventually.ts";
import { mailHost, otherSide, submit } from "../mail.ts";
import { mailhost, onHost, succeed, world } from "../mailhost.ts";
import { cloudStatus } from "../status.ts";

test("a person blocks outgoing port 25, mail waits, and goes when it is open again", async (t) => {
  t.after(() => mailhost(["cloud", "port25", "open"]));
  assert.equal((await cloudStatus()).port25, "open");
  assert.match((await succeed(["cloud", "port25", "blocked"])).stdout, /^Outgoing port 25 is blocked/);
  assert.equal((await cloudStatus()).port25, "blocked");
  assert.match((await succeed(["status"])).stdout, /port 25 +blocked on the way out/);

  const peer = await otherSide();
  const to = `late${Date.now()}@example.net`;
  const sent = await submit(await mailHost(), { from: "ann@example.org", to, subject: "port 25" });
  await eventually("Postfix has tried in vain", 60, async () =>
    /Connection timed out/.test(await onHost(`mailq | grep -B2 ${to} || true`)),
  );
  assert.deepEqual(await peer.messages({ to }), []);

  // As when a machine is made in a new account.
  const step = "**::host-way-out";
  const again = ["pulumi", "up", "--yes", "--skip-preview", "--target", step, "--replace", step];
  assert.match((await succeed(again)).stdout, /warning: Outgoing port 25 is blocked/);

  assert.match((await succeed(["cloud", "port25", "open"])).stdout, /^Outgoing port 25 is open/);
  await onHost("postqueue -f");
  assert.ok(await peer.waitFor(sent.messageId, 60), "it did not go when port 25 was open");
});

test("status tells a machine that lost its power, and npm start brings it back", async () => {
  const [before] = (await cloudStatus()).machines;
  assert.equal(before?.power, "on");
  assert.ok(before.publicIpv4);
  await world("power-cut");
  assert.equal((await cloudStatus()).machines[0]?.power, "without power");
  assert.match((await succeed(["status"])).stdout, /lost its power: npm start brings it back/);
  await succeed(["start"]);
  assert.deepEqual((await cloudStatus()).machines[0], before);
});
