/** DANE, judged by a client that is not ours: Postfix's own, told to deliver in no other way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, valuesOf } from "../../../dns/client.ts";
import { eventually } from "../../eventually.ts";
import { askAnew, cloudInfo, onHost } from "../mailhost.ts";
import { pairs, states, upLater } from "../turns.ts";
import { daneVerdicts } from "../verifiers.ts";

const name = "_25._tcp.mail.example.org";

const verdict = async () => (await daneVerdicts(["example.org"]))[0];

/** Digest of the key that the host shows, as a TLSA record has it. */
const shown = async () =>
  (
    await onHost(
      `openssl s_client -connect 127.0.0.1:25 -starttls smtp </dev/null 2>/dev/null | openssl x509 -noout -pubkey |
       openssl pkey -pubin -outform DER | sha256sum | cut -c1-64`,
    )
  )
    .trim()
    .toUpperCase();

const records = async () => valuesOf((await ask(cloudInfo().resolver, name, "TLSA")).answers);

/** Nobody remembers a record that has just changed: the host's own resolver does, like any sender's. */
const forgotten = () => askAnew("example.org");

test("a sender that insists on DANE verifies the host, by signed records alone", async () => {
  assert.equal(await verdict(), "Verified");
});

test("with a key that no record names it sends nothing", async () => {
  await onHost(
    `mkdir /root/other && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=mail.example.org \\
       -keyout /root/other/privkey.pem -out /root/other/fullchain.pem 2>/dev/null
     /usr/local/lib/mailhost/tls deploy /root/other`,
  );
  try {
    assert.equal(await verdict(), "Untrusted");
  } finally {
    await onHost("systemctl start mailhost-certificate.service; rm -r /root/other");
  }
  assert.equal(await verdict(), "Verified");
});

test("the host changes over to its next key: such a sender is never turned away, even where the certificate is late", async () => {
  const [first, second] = await pairs(name);
  assert.deepEqual(states(await pairs(name)), ["signing", "published"]);
  assert.ok(first !== undefined && second?.seen !== undefined, "the world does not show it");
  const old = await shown();

  await onHost("unbound-control -q local_zone acme.example.net always_nxdomain");
  try {
    await upLater(366);
    assert.deepEqual(states(await pairs(name)), ["retired", "signing", "published"]);
    assert.equal(await shown(), old, "the authority is away");
    assert.equal(await verdict(), "Verified");
    // Long after its week the old record is there: the host is seen with that key.
    await upLater(400);
    await forgotten();
    assert.deepEqual(states(await pairs(name)), ["retired", "signing", "published"]);
    assert.equal(await verdict(), "Verified");
  } finally {
    await onHost("unbound-control -q local_zone_remove acme.example.net");
  }

  await onHost("systemctl start mailhost-certificate.service");
  await eventually("the new key is shown", 20, async () => (await shown()) !== old);
  assert.equal(await verdict(), "Verified");
  await upLater(401);
  await forgotten();
  const after = await pairs(name);
  assert.deepEqual(states(after), ["signing", "published"]);
  assert.equal(after[0]?.generation, second?.generation);
  assert.equal(await verdict(), "Verified");
  const now = await records();
  assert.equal(now.length, 2);
  assert.ok(now.includes(`3 1 1 ${await shown()}`) && !now.includes(`3 1 1 ${old}`), now.join("\n"));
});
