/** Outgoing port 25 shut over a stop and a start of the whole cloud. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mailhost, onHost, succeed } from "../e2e/mailhost.ts";
import { cloudStatus } from "../e2e/status.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

test("the switch outlives npm stop, and a wrong word is refused", async () => {
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
  // The host is up all the same, and whoever started it wants to know how to go on.
  assert.match(started.stdout, /npm run mail -- send.*Not all is right with it/s);
  assert.equal((await cloudStatus()).port25, "blocked");
  assert.match((await mailhost(["cloud", "port25", "shut"])).stderr, /Allowed choices are blocked, open/);
  await succeed(["cloud", "port25", "open"]);
  await onHost("postqueue -f");
  await succeed(["check"]);
});
