/** What holds spam off, in both directions, with real senders and a real thief. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "nodemailer";
import { count, imap, type MailHost, mailHost, otherSide, submit } from "./mail.ts";
import { eventually, onHost, up, withStack } from "./mailhost.ts";

const peer = await otherSide();
const unique = (what: string) => `${what} ${process.pid}-${Date.now()}`;

/**
 * A thief with the password of one mailbox, and as many connections as it likes.
 * @returns the envelope recipients of what was taken, and the words of each refusal
 */
async function burst(
  host: MailHost,
  from: string,
  order: { readonly messages: number; readonly recipients: number; readonly subject: string },
): Promise<{ readonly taken: number; readonly refusals: readonly string[] }> {
  const transport = createTransport({
    host: host.publicIp,
    port: 465,
    secure: true,
    pool: true,
    maxConnections: 8,
    auth: { user: from, pass: host.credentials[from] ?? "" },
    tls: { servername: host.hostname, ca: [...host.roots] },
  });
  const names = Array.from({ length: order.recipients }, (_, index) => `victim${index}@${peer.domain}`);
  try {
    const outcomes = await Promise.allSettled(
      Array.from({ length: order.messages }, () =>
        transport.sendMail({ from, to: names, subject: order.subject, text: "Buy.\n" }),
      ),
    );
    return {
      taken: outcomes.filter(({ status }) => status === "fulfilled").length * order.recipients,
      refusals: outcomes.flatMap((outcome) =>
        outcome.status === "rejected" ? [(outcome.reason as Error).message] : [],
      ),
    };
  } finally {
    transport.close();
  }
}

test("a stolen password sends as much as the limit, the owner learns of it, and others send on", async () => {
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:outgoingLimit"], 30),
    async () => {
      await up();
      // What other tests sent in this hour counts, too.
      await onHost(
        "redis-cli -s /run/redis/redis-server.sock --scan --pattern 'mailhost_outgoing_*' | xargs -r redis-cli -s /run/redis/redis-server.sock del",
      );
      const host = await mailHost();
      const subject = unique("stolen");
      const told = (expected: number) =>
        count(host, "ann@example.org", "bob@example.org has reached its limit", { expected });
      const toldBefore = await told(0);
      const { taken, refusals } = await burst(host, "bob@example.org", {
        messages: 40,
        recipients: 3,
        subject,
      });
      assert.equal(taken, 30);
      for (const said of refusals)
        assert.match(
          said,
          /451 4\.7\.1 bob@example\.org may write to 30 recipients an hour; there is room for this message in (60|59) minutes/,
        );
      assert.equal(refusals.length, 30);

      await assert.rejects(
        burst(host, "bob@example.org", { messages: 1, recipients: 31, subject }).then(({ refusals }) => {
          throw new Error(refusals[0]);
        }),
        /554 5\.7\.1 bob@example\.org may write to 30 recipients an hour, not to 31 at once/,
      );

      // The counter outlives its keeper.
      await onHost("systemctl restart redis-server rspamd");
      await assert.rejects(
        submit(host, { from: "bob@example.org", to: `late@${peer.domain}` }),
        /451 4\.7\.1/,
      );

      // Others' mail flows, and to the owner it says so, once.
      await submit(host, { from: "ann@example.org", to: "carol@example.com", subject });
      assert.equal(await count(host, "carol@example.com", subject), 1);
      assert.equal(await told(toldBefore + 1), toldBefore + 1);
    },
  );
  await up();
  const host = await mailHost();
  await submit(host, { from: "bob@example.org", to: "ann@example.org" });
});

/** rspamd's test strings, one for each action; it knows no others than the first unless it is told to. */
const gtube = (letter: string) =>
  `${letter}JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X`;

test("the test strings: refused, marked and in Junk, and let through", async () => {
  const host = await mailHost();
  const path = "/etc/rspamd/override.d/options.inc";
  await onHost(`echo 'gtube_patterns = "all";' >${path} && systemctl restart rspamd`);
  try {
    const send = (letter: string, subject: string) =>
      peer.send({ from: `zoe@${peer.domain}`, to: "bob@example.org", subject, text: gtube(letter) });
    const refused = await send("X", unique("gtube reject"));
    assert.match(refused.response, /^554 5\.7\.1 /);
    for (const [letter, folder] of [
      ["Y", "Junk"],
      ["A", "INBOX"],
    ] as const) {
      const subject = unique(`gtube ${letter}`);
      const sent = await send(letter, subject);
      assert.ok(sent.accepted, sent.response);
      assert.equal(await count(host, "bob@example.org", subject, { folder }), 1);
    }
  } finally {
    await onHost(`rm -f ${path} && systemctl restart rspamd`);
  }
});

/** A message that nobody would write, in the name of somebody at the other side. */
const doubtful = (from: string, subject: string) =>
  `From: ${from}\nTo: bob@example.org\nSubject: ${subject}\n\nBuy.\n`;

test("scores of the stack: who is doubtful comes again, who was written to does not, who is worse is refused", async () => {
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:spam"], { reject: 100, addHeader: 50, greylist: 1 }),
    async () => {
      await up();
      const host = await mailHost();
      const stranger = `stranger${process.pid}@${peer.domain}`;
      const send = (from: string, subject: string) =>
        peer.send({ from, to: "bob@example.org", raw: doubtful(from, subject) });
      const subject = unique("doubtful");
      const first = await send(stranger, subject);
      assert.match(first.response, /^451 4\.7\.1 Please try again in 5 minutes/);
      // Five minutes pass.
      const redis = "redis-cli -s /run/redis/redis-server.sock";
      await onHost(
        `for key in $(${redis} --scan --pattern "rg[bm]*"); do ${redis} set $key $(($(date +%s) - 301)) keepttl; done`,
      );
      const second = await send(stranger, subject);
      assert.ok(second.accepted, second.response);
      assert.equal(await count(host, "bob@example.org", subject), 1);

      const friend = `friend${process.pid}@${peer.domain}`;
      await submit(host, { from: "ann@example.org", to: friend });
      const answer = unique("answer");
      const answered = await send(friend, answer);
      assert.ok(answered.accepted, answered.response);
      const client = await imap(host, "bob@example.org");
      try {
        await client.mailboxOpen("INBOX");
        assert.equal(await count(host, "bob@example.org", answer), 1);
        await client.noop();
        const [uid] = (await client.search({ subject: answer }, { uid: true })) || [];
        const found = await client.fetchOne(String(uid), { headers: true }, { uid: true });
        assert.match(String((found || undefined)?.headers), /^X-Spamd-Result: [\s\S]*\bKNOWN_SENDER\b/m);
      } finally {
        await client.logout();
      }
    },
  );
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:spam"], { reject: 2, addHeader: 1.5, greylist: 0 }),
    async () => {
      await up();
      const from = `stranger${process.pid}@${peer.domain}`;
      // A reload lets the worker of before finish with the connections that it has.
      await eventually("refused by the new score", 20, async () => {
        const { response } = await peer.send({ from, to: "bob@example.org", raw: doubtful(from, "worse") });
        assert.match(response, /^554 5\.7\.1 Refused: this message looks like spam/);
        return true;
      });
      assert.equal((await onHost("ls /etc/rspamd/lua.local.d")).includes("known-senders"), false);
    },
  );
  await up();
});
