/** Senders refused and welcomed by name, lists in the DNS, and what a refusal says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { listed, mailHost, otherSide, received, unique } from "../mail.ts";
import { askAnew, cloudInfo, publish } from "../mailhost.ts";

const peer = await otherSide();

function send(order: { readonly from: string; readonly subject: string; readonly text?: string }) {
  return peer.send({ to: "bob@example.org", ...order });
}

test("a sender whom the owner refuses is refused by name, and nobody else of that domain", async () => {
  const refused = await send({ from: "nina@example.net", subject: unique("refused") });
  assert.equal(refused.accepted, false);
  assert.match(refused.response, /^554 5\.7\.1 This host takes no mail from this sender/);
  const other = await send({ from: "zoe@example.net", subject: unique("not refused") });
  assert.ok(other.accepted, other.response);
});

test("a list of the owner's own: the refusal names it, with the way off it; a welcome sender passes", async () => {
  await listed("bl.example.net", "127.0.0.2");
  try {
    const refused = await send({ from: "zoe@example.net", subject: unique("listed") });
    const { address } = cloudInfo().peer;
    assert.equal(
      refused.response.trim(),
      `554 5.7.1 This looks like spam, and ${address} is on the list bl.example.net; to be taken off it see https://bl.example.net/remove`,
    );
    const subject = unique("welcome");
    const welcome = await send({ from: "walter@example.net", subject });
    assert.ok(welcome.accepted, welcome.response);
    const host = await mailHost();
    assert.match(await received(host, "bob@example.org", subject), /OWN_LIST_BL_EXAMPLE_NET\(20\.00\)/);
    // Who only calls himself so is nobody's guest: neither SPF nor DKIM speak for that name.
    const raw = `From: walter@example.net\r\nTo: bob@example.org\r\nSubject: ${unique("forged")}\r\n\r\nIt is me.\r\n`;
    const forged = await peer.send({ from: "zoe@deb.debian.org", to: "bob@example.org", raw, sign: false });
    assert.equal(forged.accepted, false, forged.response);
    // How a list says that it does not answer.
    await listed("bl.example.net", "127.255.255.254");
    const silent = await send({ from: "zoe@example.net", subject: unique("no answer") });
    assert.ok(silent.accepted, silent.response);
  } finally {
    await listed("bl.example.net");
  }
});

test("Spamhaus is asked as everywhere: its answer weighs what docs/spam.md says, and is a part of the score", async () => {
  await listed("zen.spamhaus.org", "127.0.0.4");
  try {
    const subject = unique("on zen");
    const sent = await send({ from: "walter@example.net", subject });
    assert.ok(sent.accepted, sent.response);
    const host = await mailHost();
    assert.match(await received(host, "bob@example.org", subject), /RBL_SPAMHAUS_XBL\(4\.00\)/);
  } finally {
    await listed("zen.spamhaus.org");
  }
});

test("whoever is on lists of Debian's package is told of the one that weighs most, with the way off it", async () => {
  const refusal = async () => {
    const text = "See https://www.cheap-offers.info/now\n";
    const sent = await send({ from: "zoe@example.net", subject: unique("many lists"), text });
    return sent.response.trim();
  };
  // All that Spamhaus says of an address: DROP weighs most.
  await listed("zen.spamhaus.org", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9", "127.0.0.10");
  const link = "cheap-offers.info.dbl.spamhaus.org";
  try {
    assert.equal(
      await refusal(),
      `554 5.7.1 This looks like spam, and ${cloudInfo().peer.address} is on the list zen.spamhaus.org; to be taken off it see https://check.spamhaus.org/`,
    );
    // A link to malware weighs more.
    await publish(link, "127.0.1.5");
    await askAnew("dbl.spamhaus.org");
    assert.equal(
      await refusal(),
      "554 5.7.1 This looks like spam, and cheap-offers.info is on the list dbl.spamhaus.org; to be taken off it see https://check.spamhaus.org/",
    );
  } finally {
    await publish(link);
    await askAnew("dbl.spamhaus.org");
    await listed("zen.spamhaus.org");
  }
});
