/**
 * Five hundred messages in the queue, a relay switched on under them and off again, while more come: each is delivered
 * once, and passes SPF, every DKIM signature and DMARC at the other side, wherever it came from.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mailHost } from "../e2e/mail.ts";
import { up, withStack } from "../e2e/mailhost.ts";
import {
  answer,
  delivered,
  enqueue,
  port25,
  queueIsEmpty,
  smarthost,
  useRelay,
  waiting,
} from "../e2e/sending.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

const many = 500;

ownCloud();

test(`${many} messages that wait, and a relay switched on and off under load`, {
  timeout: 1_200_000,
}, async () => {
  const { publicIp } = await mailHost();
  const relay = await smarthost();
  await withStack(
    (stack) => useRelay(stack, relay, { use: false }),
    async () => {
      await up();
    },
  );

  await port25(true);
  await enqueue("blocked", many);
  assert.equal(await waiting(), many);
  await withStack(
    (stack) => useRelay(stack, relay),
    async () => {
      await Promise.all([up(), enqueue("on", 100)]);
      await queueIsEmpty(400);
      assert.deepEqual(await delivered("blocked", many), { [relay.address]: many });
      assert.deepEqual(await delivered("on", 100), { [relay.address]: 100 });
    },
  );

  await answer({ mode: "defer" });
  await enqueue("deferred", many);
  await eventually("all wait", 120, async () => (await waiting()) === many);
  await port25(false);
  await withStack(
    (stack) => useRelay(stack, relay, { use: false }),
    async () => {
      const load = enqueue("off", 100);
      await answer({ mode: "accept" });
      await Promise.all([up(), load]);
      await queueIsEmpty(400);
    },
  );
  const deferred = await delivered("deferred", many);
  const off = await delivered("off", 100);
  // Some went before the switch, by the relay; none is missing, none came twice.
  assert.deepEqual(
    Object.keys({ ...deferred, ...off }).every((address) => [publicIp, relay.address].includes(address)),
    true,
  );
  assert.equal(deferred[publicIp] !== undefined || off[publicIp] !== undefined, true);
  await up();
});
