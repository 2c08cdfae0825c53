/** Ten kills of a first deployment at random moments, in five rounds. */
import { after, before, test } from "node:test";
import { killedAndStarted } from "../e2e/killed.ts";
import { nothingLeft, succeed } from "../e2e/mailhost.ts";

before(nothingLeft);
after(nothingLeft);

for (let round = 1; round <= 5; round += 1)
  test(`killed twice at random moments it converges (${round})`, async (t) => {
    if (round > 1) await succeed(["destroy"]);
    // The first moment lies anywhere in a deployment; what goes on after it is killed once more.
    await killedAndStarted(t, [100_000, 50_000], round > 1);
  });
