/** Somebody has bob's password and tries what they can with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, mailHost, otherSide, submit } from "../e2e/mail.ts";
import { cloudInfo, onHost } from "../e2e/mailhost.ts";
import { withNeighbours } from "../e2e/neighbour.ts";
import { ownCloud } from "./own-cloud.ts";
import { steal } from "./thief.ts";

const messages = 2000;
/** `mailhost:outgoingLimit` where the stack file says nothing. */
const limit = 300;
const user = "bob@example.org";

ownCloud();

test("2,000 messages with a stolen password: the limit leaves, the owner is told, others' mail flows", {
  timeout: 1_200_000,
}, async (t) => {
  const host = await mailHost();
  const peer = await otherSide();
  const { slot } = cloudInfo();
  // Neighbours are on the host's own side of its public address.
  const inside = (await onHost("hostname -I")).trim().split(" ")[0] ?? "";
  const octets = Array.from({ length: 16 }, (_, index) => 230 + index);
  const waits: number[] = [];
  await withNeighbours(slot, octets, async (addresses) => {
    const began = performance.now();
    let over = false;
    const stealing = steal(slot, {
      host: inside,
      hostname: host.hostname,
      user,
      password: host.credentials[user] ?? "",
      messages,
      addresses,
    }).finally(() => {
      over = true;
    });
    for (let round = 1; !over; round += 1) {
      const subject = `others ${round}`;
      const { messageId } = await submit(host, {
        from: "carol@example.com",
        to: "yves@example.net",
        subject,
      });
      const from = performance.now();
      assert.ok(await peer.waitFor(messageId, 20), "others wait behind the thief");
      waits.push(performance.now() - from);
      // As somebody writes who has much to say, and stays below the same limit.
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    const { taken, refusals } = await stealing;
    t.diagnostic(`${messages} tried in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    assert.equal(taken, limit);
    assert.deepEqual(refusals, {
      [`451 4.7.1 ${user} may write to ${limit} recipients an hour; there is room for this message in some minutes`]:
        messages - limit,
    });
  });
  const told = `${user} has reached its limit of ${limit} recipients`;
  assert.equal(await count(host, "ann@example.org", told), 1);
  const left = (await peer.messages()).filter(({ envelope }) => envelope.from === user);
  assert.ok(left.length > 0 && left.length <= limit, `${left.length} left`);
  assert.ok(waits.length >= 5, "nobody else wrote while the thief did");
  t.diagnostic(
    `${left.length} left; of others ${waits.length}, the slowest there ${Math.max(...waits).toFixed(0)} ms after it was taken`,
  );
});
