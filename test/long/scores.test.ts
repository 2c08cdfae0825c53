/** The scores of the stack file, with senders that rspamd doubts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, imap, mailHost, otherSide, submit, unique } from "../e2e/mail.ts";
import { onHost, up, withStack } from "../e2e/mailhost.ts";
import { redis } from "../e2e/redis.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

/** A message that nobody would write, in the name of somebody at the other side. */
const doubtful = (from: string, subject: string) =>
  `From: ${from}\nTo: bob@example.org\nSubject: ${subject}\n\nBuy.\n`;

test("scores of the stack: who is doubtful comes again, who was written to does not, who is worse is refused", async () => {
  const peer = await otherSide();
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
