import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import type { TestContext } from "node:test";
import { mailhost, previewSteps, stateResources, succeed } from "./mailhost.ts";
import { account } from "./sending.ts";

/**
 * A first deployment that is killed at random moments, and converges to every resource that its preview has shown.
 * @param within so many milliseconds after it is started anew each kill comes
 * @param known resources that the stack has already, as after a `destroy`, which keeps the address and the volume
 */
export async function killedAndStarted(
  t: TestContext,
  within: readonly number[],
  known = false,
): Promise<void> {
  const shown = await succeed(["start", "--preview"]);
  // A file of the host, a record with its reason, and a resource of AWS.
  for (const part of ["virtual_transport = lmtp:", "v=spf1 ", "aws:ec2/instance:Instance"])
    assert.ok(shown.stdout.includes(part), part);
  const planned = (await previewSteps()).map(({ urn }) => urn);
  // As EC2 is: what was just made is not known everywhere at once.
  await account({ visibleAfter: 1500 });
  for (const longest of within) {
    const moment = randomInt(2_000, longest);
    t.diagnostic(`kill -9 after ${moment} ms`);
    const killed = await mailhost(["start"], { killAfter: moment });
    // Without a code it was killed; with one it had failed by itself, or was done before the moment came.
    if (killed.code === 0) t.diagnostic("it was done before");
    else assert.equal(killed.code, -1, `${killed.stdout.slice(-4000)}\n${killed.stderr.slice(-2000)}`);
  }
  const ran = await mailhost(["start"]);
  assert.equal(ran.code, 0, `${ran.stdout.slice(-4000)}\n${ran.stderr.slice(-2000)}`);
  await account({ visibleAfter: 0 });
  assert.deepEqual(await previewSteps(), []);
  if (known) return;
  const ours = (urns: readonly string[]) =>
    urns.filter((urn) => !urn.includes("::pulumi:providers:")).toSorted();
  assert.deepEqual(ours((await stateResources()).map(({ urn }) => urn)), ours(planned));
}
