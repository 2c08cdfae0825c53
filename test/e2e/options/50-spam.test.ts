/** What holds spam off, in both directions, with real senders and a real thief. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransport } from "nodemailer";
import { eventually } from "../../eventually.ts";
import { count, type MailHost, mailHost, otherSide, received, submit, unique } from "../mail.ts";
import { cloudInfo, onHost } from "../mailhost.ts";
import { type Talk, talks, withNeighbours } from "../neighbour.ts";
import { redis } from "../redis.ts";

const peer = await otherSide();

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
  const host = await mailHost();
  const subject = unique("stolen");
  const told = (expected: number) =>
    count(host, "ann@example.org", "bob@example.org has reached its limit", { expected });
  const toldBefore = await told(0);
  const { taken, refusals } = await burst(host, "bob@example.org", {
    messages: 40,
    recipients: 10,
    subject,
  });
  assert.equal(taken, 300);
  for (const said of refusals)
    assert.match(
      said,
      /451 4\.7\.1 bob@example\.org may write to 300 recipients an hour; there is room for this message in (60|59) minutes/,
    );
  assert.equal(refusals.length, 10);

  // The counter outlives its keeper.
  await onHost("systemctl restart redis-server rspamd");
  await assert.rejects(submit(host, { from: "bob@example.org", to: `late@${peer.domain}` }), /451 4\.7\.1/);

  // Others' mail flows, and to the owner it says so, once.
  await submit(host, { from: "ann@example.org", to: "carol@example.com", subject });
  assert.equal(await count(host, "carol@example.com", subject), 1);
  assert.equal(await told(toldBefore + 1), toldBefore + 1);

  // As docs/spam.md has it, for whose password is a new one.
  await onHost(`${redis} del mailhost_outgoing_bob@example.org`);
  await submit(host, { from: "bob@example.org", to: "ann@example.org" });
});

test("what an address has sent before weighs in what it sends next", async () => {
  const host = await mailHost();
  const say = async () => {
    const subject = unique("reputation");
    const sent = await peer.send({ from: `zoe@${peer.domain}`, to: "bob@example.org", subject });
    assert.ok(sent.accepted, sent.response);
    const raw = await received(host, "bob@example.org", subject);
    return /IP_REPUTATION_\w+\([-\d.]+\)/.exec(raw)?.[0] ?? raw;
  };
  const key = `RR:i:${cloudInfo().peer.address}`;
  const was = (value: number) => onHost(`${redis} hset ${key} v1m ${value} n 50`);
  try {
    await was(-1);
    assert.match(await say(), /^IP_REPUTATION_HAM\(-?0\.00\)$/);
    await eventually(
      "this one counts as well",
      10,
      async () => Number(await onHost(`${redis} hget ${key} n`)) > 50,
    );
    await was(30);
    const [, weight] = /^IP_REPUTATION_SPAM\(([\d.]+)\)$/.exec(await say()) ?? assert.fail();
    assert.ok(Number(weight) > 1 && Number(weight) <= 2, weight);
  } finally {
    await onHost(`${redis} del ${key}`);
  }
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
      // Whose subject would be rewritten, where rspamd did that: the host leaves subjects as they are.
      ["Z", "INBOX"],
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

test("what looks like spam is not passed on elsewhere, and whoever sent it hears of it", async () => {
  const host = await mailHost();
  // A domain of the host's own as sender, from outside: Junk for a mailbox.
  const raw = (to: string, subject: string) =>
    `From: ann@example.org\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nIt is me.\r\n`;
  const send = (to: string, subject: string) =>
    peer.send({ from: `zoe@${peer.domain}`, to, raw: raw(to, subject) });
  const subject = unique("forged");
  assert.ok((await send("bob@example.org", subject)).accepted);
  assert.equal(await count(host, "bob@example.org", subject, { folder: "Junk" }), 1);
  const refused = await send("friend+tag@example.org", unique("not passed on"));
  assert.match(
    refused.response,
    /^554 5\.7\.1 This looks like spam, and <friend(\+tag)?@example\.org> passes its mail on$/,
  );
});

test("an address brings as many messages in a minute as the stack file says, and is asked to come again for more", async () => {
  const { slot } = cloudInfo();
  const limits = ["connection_count", "message_rate"].map((name) => `smtp/inet/smtpd_client_${name}_limit`);
  assert.deepEqual(
    (await onHost(`postconf -P ${limits.join(" ")}`)).trim().split("\n"),
    limits.map((name, index) => `${name} = ${[30, 300][index]}`),
  );
  const inside = (await onHost("hostname -I")).trim().split(" ")[0] ?? "";
  // A message begins with MAIL; RSET takes it back.
  const begin = (from: string, messages: number, until: string): Talk => ({
    from,
    to: inside,
    port: 25,
    tls: false,
    steps: [
      ["220 ", "EHLO many.example.net"],
      ["250 ", "MAIL FROM:<>"],
      ...Array.from({ length: messages - 1 }, (): [string, string][] => [
        ["250 2.1.0 ", "RSET"],
        ["250 2.0.0 ", "MAIL FROM:<>"],
      ]).flat(),
    ],
    until,
  });
  await withNeighbours(slot, [249, 250], async ([many = "", other = ""]) => {
    // Postfix has no patience with more than a hundred RSETs in one connection.
    const first = await talks(
      slot,
      Array.from({ length: 4 }, () => begin(many, 75, "250 2.1.0 ")),
    );
    assert.deepEqual([...new Set(first)], ["250 2.1.0 Ok"]);
    const [more, others] = await talks(slot, [begin(many, 1, "450 "), begin(other, 1, "250 2.1.0 ")]);
    assert.equal(more, `450 4.7.1 Error: too much mail from ${many}`);
    assert.equal(others, "250 2.1.0 Ok");
  });
});
