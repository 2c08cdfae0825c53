/** A large queue for one destination that takes its time: nobody else's mail waits for it, in either direction. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, mailHost, otherSide, submit, unique } from "../e2e/mail.ts";
import { cloudInfo, publish } from "../e2e/mailhost.ts";
import { answer, delivered, enqueue, queueIsEmpty, waiting } from "../e2e/sending.ts";
import { ownCloud } from "./own-cloud.ts";

const messages = 1000;
const slow = "many@slow.example.net";

ownCloud();

test("one slow destination with a large queue holds nobody else's mail", { timeout: 900_000 }, async (t) => {
  const host = await mailHost();
  const peer = await otherSide();
  // A domain of its own at the other side: Postfix counts by domain.
  await publish("slow.example.net", cloudInfo().peer.address);
  await answer({ mode: "slow", to: slow, seconds: 30 });
  await enqueue("slow", messages, slow);
  for (let round = 1; round <= 5; round += 1) {
    assert.ok((await waiting()) > messages / 2, "the destination was not slow");
    const began = performance.now();
    const subject = unique("past the queue");
    const { messageId } = await submit(host, { from: "ann@example.org", to: "yves@example.net", subject });
    assert.ok(await peer.waitFor(messageId, 10), "it waits behind the slow one");
    const out = performance.now() - began;
    assert.ok((await peer.send({ from: "zoe@example.net", to: "bob@example.org", subject })).accepted);
    assert.equal(await count(host, "bob@example.org", subject, { seconds: 10 }), 1);
    const inward = performance.now() - began - out;
    t.diagnostic(`out in ${Math.round(out)} ms, in in ${Math.round(inward)} ms`);
  }
  await answer({ mode: "accept" });
  await queueIsEmpty(600);
  assert.deepEqual(await delivered("slow", messages, slow), { [host.publicIp]: messages });
});
