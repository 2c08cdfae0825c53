/** The example stacks in the first preview of the real engine, under the policies. Needs no local cloud. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { examples, examplesEnvironment, exampleText } from "../../examples.ts";
import { Laboratory } from "../../laboratory.ts";

for (const name of examples)
  test(`${name} can be previewed, and no policy has anything to say`, async (t) => {
    const lab = await Laboratory.start(t, { environment: examplesEnvironment });
    await lab.stack(name, exampleText(name));
    const { code, output } = await lab.run("preview", "--policy-pack", "policy", "--stack", name);
    assert.equal(code, 0, output.slice(-6000));
    assert.match(output, /\+ \d{3} to create/);
    assert.match(output, /✅ mailhost@v/);
    assert.deepEqual(output.match(/.*(\[(advisory|mandatory)\]|warning:|can't run policy).*/g), null);
    for (const secret of Object.values(examplesEnvironment)) assert.ok(!output.includes(secret));
  });
