/** A friend's domain, whose mail is kept here while the friend's own server is away. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { mailHost, mxOf, otherSide, unique } from "../mail.ts";
import { onHost } from "../mailhost.ts";
import { answer } from "../sending.ts";

const host = await mailHost();
const peer = await otherSide();
const known = "yves@friend.example.net";

/** From elsewhere to this host, as somebody does who finds the friend's server away. */
function send(to: string) {
  return peer.send({ from: `zoe@${peer.domain}`, to, subject: unique("for a friend"), host: host.publicIp });
}

after(() => answer({ mode: "accept" }));

test("mail for whom the friend's server knows goes on to it; for others it is refused at once", async () => {
  const sent = await send(known);
  assert.ok(sent.accepted, sent.response);
  const got = await peer.waitFor(sent.messageId, 20);
  assert.equal(got?.client.address, host.publicIp);
  // Passed on as it came: the sender of a bounce stays whoever wrote.
  assert.equal(got?.envelope.from, `zoe@${peer.domain}`);

  const nobody = "nobody@friend.example.net";
  await answer({ mode: "reject", to: nobody, text: "5.1.1 No such user" });
  const refused = await send(nobody);
  assert.match(refused.response, /^550 5\.1\.1 .*Nobody has this address at the server of its domain/);
});

test("while it is away mail for the known is kept, the unknown are put off; all of it goes on afterwards, once", async () => {
  await answer({ mode: "drop", at: "connect" });
  const kept = await send(known);
  assert.ok(kept.accepted, kept.response);
  const putOff = await send("stranger@friend.example.net");
  assert.match(putOff.response, /^45\d /);
  assert.equal(await peer.waitFor(kept.messageId, 1), undefined);
  await answer({ mode: "accept" });
  await onHost("postqueue -f");
  assert.ok(await peer.waitFor(kept.messageId, 30), "it did not go on");
  const all = await peer.messages({ to: known });
  assert.equal(all.filter(({ messageId }) => messageId === kept.messageId.replace(/^<|>$/g, "")).length, 1);
});

test("what looks like spam does not go on to it, whose refusal would go to a forged sender", async () => {
  const raw = `From: ann@example.org\r\nTo: ${known}\r\nSubject: ${unique("forged")}\r\n\r\nIt is me.\r\n`;
  const refused = await peer.send({ from: `zoe@${peer.domain}`, to: known, raw, host: host.publicIp });
  assert.match(
    refused.response,
    /^554 5\.7\.1 This looks like spam, and <yves@friend\.example\.net> passes its mail on$/,
  );
});

test("a second MX of ours stands behind the host in the DNS", async () => {
  assert.deepEqual(await mxOf("example.org"), ["10 mail.example.org", "20 mx.example.net"]);
});

test("other domains of the same kind are refused as ever", async () => {
  const refused = await send("yves@foe.example.net");
  assert.match(refused.response, /^554 5\.7\.1 .*Relay access denied/);
});
