/** The host checks itself, and tells what changed: by mail, past its own Postfix, and by webhook. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exposedAbove } from "../exposure.ts";
import { count, mailHost, otherSide, received } from "../mail.ts";
import { onHost } from "../mailhost.ts";
import { withWebhook } from "../webhook.ts";

const unit = "mailhost-check.service";
const folder = `/run/systemd/system/${unit}.d`;
const fault = "services.postfix.service";
const wrong = "mail.example.org: 1 newly wrong";
const over = "mail.example.org: 1 no longer wrong";

// Its own program and sandbox; only that the second look follows the first at once is the test's.
before(async () => {
  const [start = ""] = (await onHost(`grep ^ExecStart= /etc/systemd/system/${unit}`)).split("\n");
  await onHost(
    `mkdir -p ${folder}; cat >${folder}/test.conf; systemctl daemon-reload`,
    `[Service]\nExecStart=\n${start} 1\n`,
  );
});
after(() => onHost(`systemctl start postfix; rm -r ${folder}; systemctl daemon-reload`));

/** One run, and that it went well. */
async function day(): Promise<void> {
  await onHost(`systemctl start ${unit} || { journalctl -u ${unit} -n 20 -o cat; exit 1; }`);
}

test("Postfix is stopped: a second address hears of it at once, the owner when it runs again, the webhook when it listens, each once", async () => {
  const [host, peer] = [await mailHost(), await otherSide()];
  const owners = (subject: string, expected: number) => count(host, "ann@example.org", subject, { expected });
  const elsewhere = async () => await peer.messages({ to: "watch@example.net" });
  const [wrongs, overs, others] = [await owners(wrong, 0), await owners(over, 0), (await elsewhere()).length];

  await onHost("systemctl stop postfix");
  // Not every way of telling is there: the unit says so by failing, until it has told them all.
  assert.equal((await onHost(`systemctl start ${unit} || systemctl is-failed ${unit}`)).trim(), "failed");
  const said = await onHost(`journalctl -u ${unit} -n 8 -o cat`);
  assert.match(said, /^not told: webhook: /m);
  assert.doesNotMatch(said, /4d1f|mx\.example\.net/);
  const straight = (await elsewhere()).at(-1);
  assert.equal(straight?.subject, wrong);
  assert.equal(straight?.client.helo, "mail.example.org");
  assert.equal(straight?.verdict.spf.result, "pass");
  assert.equal(straight?.verdict.dmarc.result, "pass");

  await withWebhook(async (taken) => {
    await day();
    assert.deepEqual(
      taken.map(({ asked, body }) => [asked, body.wrong.map(({ about }) => about), body.over]),
      [["POST /hooks/4d1f", [fault], []]],
    );
    assert.match(taken[0]?.body.text ?? "", /WRONG: postfix\.service is inactive\n {6}→ See why: /);

    await onHost("systemctl start postfix");
    assert.equal(await owners(wrong, wrongs + 1), wrongs + 1);
    const [, body = ""] = (await received(host, "ann@example.org", wrong)).split(/\r?\n\r?\n/);
    assert.match(Buffer.from(body, "base64").toString(), /WRONG: postfix\.service is inactive/);

    await day();
    assert.deepEqual(
      taken.slice(1).map(({ body }) => [body.wrong, body.over.map(({ about }) => about)]),
      [[[], [fault]]],
    );
    assert.equal(await owners(over, overs + 1), overs + 1);
    assert.equal(await owners(wrong, wrongs + 1), wrongs + 1);
    assert.equal((await elsewhere()).length, others + 2);
  });
});

test("it is on the clock, and its sandbox is closed", async () => {
  assert.match(await onHost("systemctl show -P NextElapseUSecRealtime mailhost-check.timer"), /\d/);
  assert.equal(await exposedAbove(50, [unit]), "");
  assert.equal((await onHost("stat -c '%U %a' /srv/check/told.json")).trim(), "root 600");
});
