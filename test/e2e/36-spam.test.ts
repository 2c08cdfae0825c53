/** What holds spam off, in both directions, with real senders and a real thief. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "nodemailer";
import { count, type MailHost, mailHost, otherSide, submit } from "./mail.ts";
import { onHost, up, withStack } from "./mailhost.ts";

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
      const told = "bob@example.org has reached its limit";
      assert.equal(await count(host, "ann@example.org", told), 1);
    },
  );
  await up();
  const host = await mailHost();
  await submit(host, { from: "bob@example.org", to: "ann@example.org" });
});
