import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { callOtherSide, type OtherSide, otherSideAt } from "../../../check/otherside.ts";
import { neededRecords, openIdentity } from "../../../local/peer/identity.ts";
import type { Manner } from "../../../local/peer/manner.ts";
import { type Peer, startPeer } from "../../../local/peer/server.ts";
import { type DnsWorld, startDnsWorld } from "../../check/dnsworld.ts";

// The peer writes to itself: one process, both halves, a real DNS between them.
let folder: string;
let world: DnsWorld;
let peer: Peer;
let api: string;
let side: OtherSide;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "mailhost-peer-"));
  const who = { domain: "example.net", hostname: "mx.example.net", address: "127.0.0.1" };
  const records = neededRecords(openIdentity(folder, who));
  const lines = (zone: string) =>
    records.filter(({ name }) => name.endsWith(zone)).map((r) => `${r.name}. ${r.ttl} ${r.type} ${r.rdata}`);
  world = await startDnsWorld({
    "example.net": { lines: lines("example.net") },
    "127.in-addr.arpa": { lines: lines("in-addr.arpa") },
  });
  api = join(folder, "peer.sock");
  peer = await startPeer({ ...who, resolver: world.resolver, api, state: folder, port: 0 });
  side = await otherSideAt(api);
});

after(async () => {
  await peer?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const letter = { from: "ann@example.net", to: "bob@example.net", subject: "Grüße", text: "Guten Tag.\n" };
const send = (order: object) => side.send({ ...letter, port: peer.port, ...order });

test("what is sent signed is judged pass by SPF, both DKIM keys and DMARC, and is told whole", async () => {
  const outcome = await send({});
  assert.equal(outcome.accepted, true, outcome.response);
  assert.equal(outcome.server, "mx.example.net [127.0.0.1]");
  assert.match(outcome.tls?.version ?? "", /^TLSv1\.3$/);
  assert.ok(outcome.transcript.some((line) => line.startsWith("C: MAIL FROM:<ann@example.net>")));
  const got = await side.waitFor(`<${outcome.messageId}>`, 5);
  assert.ok(got);
  assert.deepEqual(got.client, { address: "127.0.0.1", ptr: ["mx.example.net"], helo: "mx.example.net" });
  assert.equal(got.tls?.version, "TLSv1.3");
  assert.equal(got.subject, "Grüße");
  assert.equal(got.text.trim(), "Guten Tag.");
  assert.deepEqual(got.envelope, { from: "ann@example.net", to: ["bob@example.net"] });
  assert.equal(got.verdict.spf.result, "pass");
  assert.deepEqual(
    got.verdict.dkim.map(({ result, domain, algorithm, aligned }) => ({
      result,
      domain,
      algorithm,
      aligned,
    })),
    [
      { result: "pass", domain: "example.net", algorithm: "rsa-sha256", aligned: true },
      { result: "pass", domain: "example.net", algorithm: "ed25519-sha256", aligned: true },
    ],
  );
  assert.deepEqual(got.verdict.dmarc, { result: "pass", policy: "reject", domain: "example.net" });
});

test("an unsigned message with a foreign envelope sender fails DMARC", async () => {
  const outcome = await send({
    sign: false,
    envelopeFrom: "x@sub.example.net",
    helo: "elsewhere.example.net",
  });
  const got = await side.waitFor(outcome.messageId, 5);
  assert.deepEqual(
    got?.verdict.dkim.map(({ result }) => result),
    ["none"],
  );
  assert.equal(got?.verdict.dmarc.result, "fail");
  assert.equal(got?.client.helo, "elsewhere.example.net");
});

test("a message changed on the way fails DKIM", async () => {
  const first = await send({});
  const [message] = (await side.messages()).filter(({ messageId }) => messageId === first.messageId);
  const raw = rawOf(message?.id ?? "");
  const outcome = await send({
    raw: raw.replace("Guten Tag", "Guten Abend").replace("Message-ID: <", "X: 1\r\nMessage-ID: <"),
    sign: false,
  });
  assert.equal(outcome.accepted, true);
  const [, second] = (await side.messages()).filter(({ messageId }) => messageId === first.messageId);
  assert.deepEqual(
    second?.verdict.dkim.map(({ result }) => result),
    ["neutral", "neutral"],
  );
  assert.equal(second?.verdict.spf.result, "pass");
});

test("relaying is refused, and without TLS it goes in the clear", async () => {
  const refused = await send({ to: "x@example.com", host: "127.0.0.1" });
  assert.equal(refused.code, 554);
  const clear = await send({ tls: "none" });
  assert.equal((await side.waitFor(clear.messageId, 5))?.tls, undefined);
});

test("each manner of answering", async (t) => {
  const answer = (manner: Manner) => callOtherSide(api, "/answer", { method: "POST", body: manner });
  t.after(() => answer({ mode: "accept" }));

  await answer({ mode: "reject", to: "bob@example.net", times: 1 });
  assert.equal((await send({ to: "carl@example.net" })).code, 250);
  assert.equal((await send({})).code, 550);
  assert.equal((await send({})).code, 250);

  await answer({ mode: "defer", at: "data", code: 451, text: "4.7.1 Not now" });
  const deferred = await send({});
  assert.equal(deferred.code, 451);
  assert.match(deferred.response, /4\.7\.1 Not now/);

  await answer({ mode: "greylist", seconds: 0.3 });
  assert.equal((await send({})).code, 450);
  await new Promise((resolve) => setTimeout(resolve, 350));
  assert.equal((await send({})).code, 250);

  await answer({ mode: "drop", at: "data" });
  assert.equal((await send({})).code, 0);

  await answer({ mode: "slow", at: "connect", seconds: 0.4 });
  const start = Date.now();
  assert.equal((await send({})).accepted, true);
  assert.ok(Date.now() - start >= 400);

  await assert.rejects(
    callOtherSide(api, "/answer", { method: "POST", body: { mode: "sulk" } }),
    /"mode" has to be one of/,
  );
});

test("waiting ends with nothing when nothing comes", async () => {
  assert.equal(await side.waitFor("<nothing@example.net>", 0.1), undefined);
});

test("keys and messages outlive the process", async () => {
  const before = { records: await callOtherSide(api, "/records"), messages: await side.messages() };
  assert.ok(before.messages.length > 0);
  const again = join(folder, "again.sock");
  const second = await startPeer({
    domain: "example.net",
    hostname: "mx.example.net",
    address: "127.0.0.1",
    resolver: world.resolver,
    api: again,
    state: folder,
    port: 0,
  });
  try {
    assert.deepEqual(
      {
        records: await callOtherSide(again, "/records"),
        messages: await (await otherSideAt(again)).messages(),
      },
      before,
    );
  } finally {
    await second.close();
  }
});

function rawOf(id: string): string {
  return readFileSync(join(folder, "messages", `${id}.eml`), "utf8");
}
