/** Everything is switched off again by one `up`: no trace of it is left, and no mail that waited is lost or doubled. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "../../eventually.ts";
import { keptWhileSuspended, remembered } from "../everything.ts";
import { changesSince } from "../footprint.ts";
import { count, imap, mailHost, mxOf } from "../mail.ts";
import { keepStackText, nothingLeft, previewSteps, succeed, up } from "../mailhost.ts";
import { answer, cameOnce, queueIsEmpty, sendMany, waiting } from "../sending.ts";

after(nothingLeft);

test("everything off by one up: what the relay put off goes straight, each once", async (t) => {
  const before = await mailHost();
  const phone = before.credentials["ann@example.org/laptop"] ?? assert.fail("no password for the laptop");
  await (await imap(before, "ann@example.org", phone)).logout();
  await answer({ mode: "defer" });
  const held = await sendMany("held", 20);
  await eventually("all are put off", 30, async () => (await waiting()) === 20);

  keepStackText(remembered().stackFile);
  const ran = await up();
  t.diagnostic(`up that switches everything off: ${ran.seconds.toFixed(1)} s`);
  await answer({ mode: "accept" });
  const more = await sendMany("after", 10);
  await queueIsEmpty(60);
  await cameOnce([...held, ...more], before.publicIp);

  await assert.rejects(imap(before, "ann@example.org", phone), /cannot log in/);
  assert.ok((await count(before, "erin@example.org", keptWhileSuspended)) > 0);
  assert.deepEqual(await mxOf("example.org"), ["10 mail.example.org"]);
});

test("no file, line of a file, package, unit, socket or rule is left of it", async () => {
  assert.deepEqual(await changesSince(new Set(remembered().footprint)), { came: [], went: [] });
  assert.deepEqual(await previewSteps(), []);
  await succeed(["check"]);
});
