/** What the policies cost a preview, on a machine that does little else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lightPolicies } from "../../local/engine/preview.ts";
import { Laboratory, twoDomains } from "../laboratory.ts";

test("a preview with the policies takes no more than 1.3 times as long", async (t) => {
  // As `npm run preview` starts them.
  const lab = await Laboratory.start(t, { environment: lightPolicies(process.env) });
  for (const name of ["plain", "judged"]) await lab.stack(name, twoDomains());
  const ratios: number[] = [];
  const median = () => ratios.toSorted((one, other) => one - other)[Math.floor(ratios.length / 2)] ?? 0;
  while (ratios.length < 3 || (ratios.length < 7 && median() > 1.3)) {
    // Side by side, so that whatever else runs on the machine slows down both.
    const [plain, judged] = await Promise.all([
      lab.run("preview", "--stack", "plain"),
      lab.run("preview", "--policy-pack", "policy", "--stack", "judged"),
    ]);
    for (const { code, output } of [plain, judged]) assert.equal(code, 0, output);
    t.diagnostic(`${plain.seconds.toFixed(1)} s without, ${judged.seconds.toFixed(1)} s with the policies`);
    ratios.push(judged.seconds / plain.seconds);
  }
  assert.ok(median() <= 1.3, `${median().toFixed(2)} times as long`);
});
