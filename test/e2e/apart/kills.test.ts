import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import { mailhost, nothingLeft, previewSteps, succeed } from "../mailhost.ts";

// KILLS=10 for ten of them, one in every run: each is a whole deployment, killed twice.
const rounds = Number(process.env.KILLS ?? 1);

before(nothingLeft);
after(nothingLeft);

for (let round = 1; round <= rounds; round += 1) {
  test(`up killed at random moments of a first deployment, then up: it converges (${round})`, async (t) => {
    await succeed(["destroy"]);
    // The first moment lies anywhere in a deployment; what goes on after it is killed once more, sooner.
    for (const longest of [45_000, 15_000]) {
      const moment = randomInt(2_000, longest);
      t.diagnostic(`kill -9 after ${moment} ms`);
      const killed = await mailhost(["start"], { killAfter: moment });
      // Without a code it was killed; with one it had failed by itself, or was done.
      assert.equal(killed.code, -1, `${killed.stdout.slice(-4000)}\n${killed.stderr.slice(-2000)}`);
    }
    const ran = await mailhost(["start"]);
    assert.equal(ran.code, 0, `${ran.stdout.slice(-4000)}\n${ran.stderr.slice(-2000)}`);
    assert.deepEqual(await previewSteps(), []);
  });
}
