/** Everything is switched on by one `up`, under mail that waits and people who are logged in. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "../../eventually.ts";
import { bringSignature } from "../clamav.ts";
import { everything, largerMachine, morePeople, putInByHand, remember } from "../everything.ts";
import { footprint } from "../footprint.ts";
import { killedAndStarted } from "../killed.ts";
import { imap, mailHost, otherSide } from "../mail.ts";
import {
  keepInStack,
  mailhost,
  nothingLeft,
  previewSteps,
  stackOutput,
  stackText,
  succeed,
  up,
  withoutUpdates,
  withStack,
} from "../mailhost.ts";
import {
  cameOnce,
  forwarded,
  judged,
  port25,
  queueIsEmpty,
  sendMany,
  smarthost,
  useRelay,
  waiting,
} from "../sending.ts";

after(() => port25(false));

test("the host as it is without them; killed at random moments it converges, to every resource that its preview has shown", async (t) => {
  await nothingLeft();
  keepInStack(morePeople);
  keepInStack(largerMachine);
  // In its first half, which has most to lose; test/long/kills.test.ts has ten kills, anywhere.
  await killedAndStarted(t, [45_000, 15_000]);
  await withoutUpdates();
  remember({ footprint: [...(await footprint())], stackFile: stackText() });
});

test("a stranger's mail that an alias leads outside passes there, and its bounce comes back", async () => {
  const [host, peer] = [await mailHost(), await otherSide()];
  const got = await forwarded("forwarded");
  assert.match(got.envelope.from, /^SRS0=[\w+/]{6}=\w\w=example\.net=zoe@mail\.example\.org$/);
  assert.equal(judged(got), "pass pass+pass pass");
  assert.deepEqual(got.verdict.arc, { result: "pass", instance: 1 });
  assert.equal(got.client.address, host.publicIp);

  const bounce = { from: "mailer-daemon@example.net", envelopeFrom: "", to: got.envelope.from };
  const back = await peer.send({ ...bounce, subject: "bounce" });
  assert.ok(back.accepted, back.response);
  const come = await peer.waitFor(back.messageId, 30);
  assert.deepEqual(come?.envelope, { from: "", to: ["zoe@example.net"] });
});

test("a forged address of this kind leads nowhere", async () => {
  const [host, peer] = [await mailHost(), await otherSide()];
  for (const to of [
    "SRS0=aaaaaa=JK=example.net=zoe@mail.example.org",
    "SRS0=JK=example.net=zoe@mail.example.org",
    "SRS1=aaaaaa=example.net==aaaaaa=JK=example.net=zoe@mail.example.org",
  ]) {
    const refused = await peer.send({ from: "zoe@example.net", to, host: host.publicIp });
    assert.equal(refused.code, 550, `${to}: ${refused.response}`);
  }
});

test("everything on by one up: what waited goes by the relay, who is suspended is out at once", async (t) => {
  const relay = await smarthost();
  // The records first, as an owner would who knows that others remember the old ones for a while.
  await withStack(
    (stack) => useRelay(stack, relay, { use: false }),
    async () => {
      await up();
      const subjects = await sendMany("ready", 2);
      await queueIsEmpty(30);
      await cameOnce(subjects, (await mailHost()).publicIp);
    },
  );
  await port25(true);
  const stuck = await sendMany("stuck", 20);
  assert.equal(await waiting(), 20);
  const inTheMiddle = await imap(await mailHost(), "erin@example.org");

  keepInStack(await everything());
  const shown = await succeed(["pulumi", "preview", "--diff"]);
  assert.ok(!(shown.stdout + shown.stderr).includes(relay.password));
  const ran = await up();
  t.diagnostic(`up that switches everything on: ${ran.seconds.toFixed(1)} s`);

  await eventually("the session ends", 10, async () => !inTheMiddle.usable);
  const more = await sendMany("meanwhile", 10);
  await queueIsEmpty(60);
  await cameOnce([...stuck, ...more], relay.address);
  await port25(false);
});

test("the records of a zone that is kept by hand are missing until somebody has put them in", async () => {
  const { dnsZoneFiles } = (await stackOutput()) as { dnsZoneFiles: Readonly<Record<string, string>> };
  assert.deepEqual(Object.keys(dnsZoneFiles), ["example.net"]);
  const { code, stdout } = await mailhost(["check"]);
  assert.notEqual(code, 0);
  assert.match(stdout, /TXT old\.example\.net is missing/);
  assert.match(stdout, /Put into the zone example\.net, .*: old\.example\.net\. 3600 IN TXT "v=spf1 -all"/);
  assert.equal((await putInByHand()).length, 4);
});

test("with everything on the preview is empty, and the check finds all right", async () => {
  assert.deepEqual(await previewSteps(), []);
  await bringSignature();
  await succeed(["check"]);
});
