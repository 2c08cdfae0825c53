/** rspamd's neural network: it learns from what was clearly spam, and clearly none, and then has a say. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "../../eventually.ts";
import { listed, mailHost, otherSide, received, unique } from "../mail.ts";
import { onHost } from "../mailhost.ts";
import { forgetting, redis } from "../redis.ts";

const peer = await otherSide();
const host = await mailHost();
const override = "/etc/rspamd/override.d";
const forget = forgetting("rn*");
const each = 10;

before(async () => {
  // A short school: ten of each as they come, told apart by their score, a look every two seconds, and nothing known from
  // before. Nobody is asked to come again.
  const train = `train { max_trains = ${each}; learn_mode = "proportional"; ham_score = 8; spam_score = 15; }`;
  await onHost(
    `${forget}
     echo '${train} watch_interval = 2s;' >${override}/neural.conf
     echo 'enabled = false;' >${override}/greylist.conf
     systemctl restart rspamd`,
  );
});
after(async () => {
  await listed("bl.example.net");
  // What it has learned here is not to judge the mail of other tests.
  await onHost(`systemctl stop rspamd; ${forget}`);
  await onHost(`rm -f ${override}/neural.conf ${override}/greylist.conf && systemctl restart rspamd`);
});

/** Messages of which no two look the same to the rules: what looks the same counts once. */
const looks = Array.from({ length: 16 }, (_, look) => (subject: string) => {
  const has = (bit: number) => (look & (1 << bit)) !== 0;
  return [
    "From: zoe@example.net",
    `Subject: ${unique(subject)}`,
    ...(has(0) ? ["To: bob@example.org"] : []),
    ...(has(1) ? [`Date: ${new Date().toUTCString()}`] : []),
    ...(has(2) ? [`Message-ID: <${unique(subject).replaceAll(" ", "-")}@example.net>`] : []),
    `Content-Type: text/${has(3) ? "html" : "plain"}; charset=utf-8`,
    "",
    "<p>Hello</p>",
  ].join("\r\n");
});

/** Sends one of each look. They are judged and learned from, whether or not they are taken in the end. */
async function sendAll(subject: string): Promise<void> {
  for (const look of looks) {
    await peer.send({ from: "zoe@example.net", to: "bob@example.org", raw: look(subject) });
  }
}

/** How many messages of a kind it keeps to learn from. */
async function kept(kind: "ham" | "spam"): Promise<number> {
  const sizes = `${redis} --scan --pattern 'rn*_${kind}_set' | while read -r key; do ${redis} scard "$key"; done`;
  return Math.max(0, ...(await onHost(sizes)).split("\n").map(Number));
}

test("it learns from ten of each, and then says so in the message's headers", async () => {
  // Right after its start rspamd keeps nothing yet.
  await eventually("it has seen enough that is no spam", 60, async () => {
    await sendAll("no spam");
    return (await kept("ham")) >= each;
  });
  await listed("bl.example.net", "127.0.0.2");
  await sendAll("spam");
  await listed("bl.example.net");
  await eventually("it has a say", 60, async () => {
    const subject = unique("afterwards");
    const sent = await peer.send({ from: "zoe@example.net", to: "bob@example.org", subject });
    assert.ok(sent.accepted, sent.response);
    // Not -0.00, as without a weight.
    return /NEURAL_HAM\(-(?!0\.00)[\d.]+\)/.test(await received(host, "bob@example.org", subject));
  });
});
