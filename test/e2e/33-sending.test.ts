/** Mail that leaves: forwarded, through a relay, and what becomes of it where the way is closed. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { changesSince, footprint } from "./footprint.ts";
import { mailHost, otherSide, submit } from "./mail.ts";
import { eventually, onHost, previewSteps, succeed, up, withStack } from "./mailhost.ts";
import { answer, judged, port25, queueIsEmpty, smarthost, useRelay, waiting } from "./sending.ts";

const host = await mailHost();
const peer = await otherSide();
const relay = await smarthost();
const began = new Date().toISOString();

after(async () => {
  await port25(false);
  await answer({ mode: "accept" });
});

/** Sends so many at once. @returns their subjects */
async function sendMany(word: string, count: number): Promise<readonly string[]> {
  const subjects = Array.from(
    { length: count },
    (_, index) => `${word} ${index} ${process.pid}-${Date.now()}`,
  );
  const from = ["ann@example.org", "carol@example.com"];
  await Promise.all(
    subjects.map((subject, index) =>
      submit(host, { from: from[index % 2] ?? "", to: "many@example.net", subject }),
    ),
  );
  return subjects;
}

/** Each of these has come once, from that address, and passes all that a receiver asks. */
async function cameOnce(subjects: readonly string[], address: string): Promise<void> {
  const all = await peer.messages({ to: "many@example.net", since: began });
  for (const subject of subjects) {
    const found = all.filter((message) => message.subject === subject);
    assert.deepEqual(
      found.map((message) => `${message.client.address} ${judged(message)}`),
      [`${address} pass pass+pass pass`],
      subject,
    );
  }
}

async function forwarded(subject: string) {
  const sent = await peer.send({ from: "zoe@example.net", to: "friend@example.org", subject });
  assert.ok(sent.accepted, sent.response);
  const found = await peer.waitFor(sent.messageId, 30);
  return found ?? assert.fail("it did not come");
}

test("forwarding, and a relay switched on and off while mail waits", async (t) => {
  const before = await footprint();
  const stack = (more: object) =>
    withStack.bind(undefined, (file) => {
      useRelay(file, relay, more);
      file.setIn(["config", "mailhost:domains", "example.org", "aliases", "friend"], "yves@example.net");
    });

  await stack({ use: false })(async () => {
    await up();

    await t.test(
      "a stranger's mail that an alias leads outside passes there, and its bounce comes back",
      async () => {
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
      },
    );

    await t.test("a forged address of this kind leads nowhere", async () => {
      for (const to of [
        "SRS0=aaaaaa=JK=example.net=zoe@mail.example.org",
        "SRS0=JK=example.net=zoe@mail.example.org",
        "SRS1=aaaaaa=example.net==aaaaaa=JK=example.net=zoe@mail.example.org",
      ]) {
        const refused = await peer.send({ from: "zoe@example.net", to, host: host.publicIp });
        assert.equal(refused.code, 550, `${to}: ${refused.response}`);
      }
    });

    await t.test("where the records are ready for the relay, mail still goes straight", async () => {
      const subjects = await sendMany("ready", 2);
      await queueIsEmpty(30);
      await cameOnce(subjects, host.publicIp);
    });
  });

  await port25(true);
  const stuck = await sendMany("stuck", 20);
  assert.equal(await waiting(), 20);

  await stack({})(async () => {
    const shown = await succeed(["pulumi", "preview", "--diff"]);
    assert.ok(!(shown.stdout + shown.stderr).includes(relay.password));
    await up();

    await t.test("what waited for the blocked port 25 goes through the relay, each once", async () => {
      const more = await sendMany("meanwhile", 10);
      await queueIsEmpty(60);
      await cameOnce([...stuck, ...more], relay.address);
    });

    await t.test("forwarded mail and bounces go through it, too", async () => {
      const got = await forwarded("forwarded by the relay");
      assert.equal(got.client.address, relay.address);
      assert.equal(judged(got), "pass pass+pass pass");
    });

    await t.test("the password is where root alone reads it", async () => {
      assert.match(await onHost("stat -c '%U %a' /etc/postfix/relay-login*"), /^(root 600\n){2}$/);
      const found = await onHost(`grep -rlF '${relay.password}' /etc /usr/local /var/lib/mailhost || true`);
      assert.deepEqual(found.trim().split("\n").sort(), [
        "/etc/postfix/relay-login",
        "/etc/postfix/relay-login.lmdb",
      ]);
    });

    await t.test("a relay that does not prove its name gets neither mail nor password", async () => {
      const change =
        "postconf -P smarthost/unix/smtp_tls_secure_cert_match=other.example.net && postfix reload";
      await onHost(`cp -a /etc/postfix/master.cf /run/master.cf && ${change}`);
      const [subject = ""] = await sendMany("unproven", 1);
      await eventually("it is put off", 30, async () =>
        /Server certificate not verified/.test(await onHost("postqueue -j")),
      );
      await onHost("cp -a /run/master.cf /etc/postfix/ && rm /run/master.cf && postfix reload");
      await queueIsEmpty(30);
      await cameOnce([subject], relay.address);
    });
    assert.deepEqual(await previewSteps(), []);
  });

  await answer({ mode: "defer" });
  const held = await sendMany("held", 20);
  await eventually("all are put off", 30, async () => (await waiting()) === 20);
  await up();
  await port25(false);
  await answer({ mode: "accept" });

  await t.test(
    "and back: what waited goes straight, each once, and no trace of the relay is left",
    async () => {
      const more = await sendMany("after", 10);
      await queueIsEmpty(60);
      await cameOnce([...held, ...more], host.publicIp);
      assert.deepEqual(await changesSince(before), { came: [], went: [] });
      assert.deepEqual(await previewSteps(), []);
    },
  );
});
