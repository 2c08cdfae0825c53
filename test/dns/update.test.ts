import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import { ask, serverText, valuesOf } from "../../dns/client.ts";
import { recordOf, update } from "../../dns/update.ts";
import { type Primary, startPrimary } from "../primary.ts";

const zone = "example.org";
let primary: Primary;
before(async () => {
  primary = await startPrimary({ [zone]: ['texts 300 IN TXT "one" "and more"', "texts 300 IN TXT two"] });
});
after(() => primary.close());

const nothing = { expected: [], remove: [], add: [] };
const where = () => {
  const { server, port, key: name, algorithm, secret } = primary;
  return { server, port, zone, key: { name, algorithm, secret } };
};

const values = [
  ["A", "192.0.2.25"],
  ["AAAA", "2001:db8::25"],
  ["MX", "10 mail.example.org"],
  ["MX", "0 ."],
  ["TXT", 'with "quotes", a \\ and ; in it'],
  ["TXT", "x".repeat(700)],
  ["SRV", "0 1 993 mail.example.org"],
  ["SRV", "0 0 0 ."],
  ["TLSA", `3 1 1 ${"AB".repeat(32)}`],
  ["CAA", '0 issue "letsencrypt.org; validationmethods=http-01; accounturi=https://acme.example/1"'],
] as const;

test("every type of record is taken, served as it was meant, and taken out again", async () => {
  const before = await primary.records(zone);
  const all = values.map(([type, value], index) => recordOf(`r${index}.${zone}`, type, 300, value));
  assert.equal(await update({ ...where(), ...nothing, add: all }), true);
  for (const [index, [type, value]] of values.entries()) {
    const { answers } = await ask(serverText(primary), `r${index}.${zone}`, type, { recursion: false });
    assert.deepEqual(valuesOf(answers), [value]);
  }
  assert.equal(await update({ ...where(), ...nothing, remove: all }), true);
  assert.deepEqual(await primary.records(zone), before);
});

test("where a set is not as expected nothing at all is done", async () => {
  const name = `texts.${zone}`;
  const { answers } = await ask(serverText(primary), name, "TXT", { recursion: false });
  const before = await primary.records(zone);
  const add = [recordOf(name, "TXT", 300, "three")];
  const set = (records: typeof answers) => ({ expected: [{ name, type: "TXT" as const, records }] });
  for (const records of [[], answers.slice(1), [...answers, ...add]])
    assert.equal(await update({ ...where(), ...nothing, ...set(records), add }), false);
  assert.deepEqual(await primary.records(zone), before);
  assert.equal(await update({ ...where(), ...nothing, ...set(answers), add }), true);
  assert.equal((await primary.records(zone)).length, before.length + 1);
});

test("another secret, an unknown key and a foreign zone are refused in words", async () => {
  const { key } = where();
  const secret = Buffer.alloc(32, "another").toString("base64");
  const asked = (more: object) => update({ ...where(), ...nothing, ...more });
  await assert.rejects(
    asked({ key: { ...key, secret } }),
    /change example\.org with the key mailhost\.test: BADSIG: the secret is another/,
  );
  await assert.rejects(
    asked({ key: { ...key, name: "nobody.test" } }),
    /nobody\.test: BADKEY: it does not know the key/,
  );
  await assert.rejects(asked({ key: { ...key, algorithm: "hmac-sha512" } }), /BADKEY/);
  await assert.rejects(asked({ zone: "example.com" }), /answers (NOTAUTH|NOTZONE|REFUSED)/);
  await assert.rejects(asked({ port: 1 }), /127\.0\.0\.1:1 was asked to change example\.org: .*ECONNREFUSED/);
});

/** Sends an update to a server that answers so. */
async function answering(t: TestContext, answer: (question: Buffer) => Buffer): Promise<boolean> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      const message = answer(bytes.subarray(2));
      socket.end(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return await update({ ...where(), ...nothing, port });
}

/** An answer as a server signs it that has another clock than ours, and other thoughts of how far two may differ. */
function signedAnswer(
  question: Buffer,
  { rcode = 0, time, fudge, error = 0, other = Buffer.of() }: SignedBy,
): Buffer {
  const { name, algorithm, secret } = where().key;
  const wire = (text: string) =>
    Buffer.concat([
      ...text.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
      Buffer.of(0),
    ]);
  const short = (...values: readonly number[]) =>
    Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)));
  // The question's signature is the last but its own id, its error and the length of nothing more.
  const { length } = createHmac(algorithm.slice(5), "").digest();
  const mac = question.subarray(question.length - 6 - length, question.length - 6);
  const head = Buffer.concat([question.subarray(0, 2), Buffer.of(0xa8, rcode), Buffer.alloc(8)]);
  const clock = Buffer.alloc(8);
  clock.writeUIntBE(time, 0, 6);
  clock.writeUInt16BE(fudge, 6);
  const signature = createHmac(algorithm.slice(5), Buffer.from(secret, "base64"))
    .update(Buffer.concat([short(mac.length), mac, head]))
    .update(Buffer.concat([wire(name), short(255, 0, 0), wire(algorithm), clock]))
    .update(Buffer.concat([short(error, other.length), other]))
    .digest();
  const data = Buffer.concat([
    ...[wire(algorithm), clock, short(signature.length), signature, question.subarray(0, 2)],
    ...[short(error, other.length), other],
  ]);
  const counted = Buffer.from(head);
  counted[11] = 1;
  return Buffer.concat([counted, wire(name), short(250, 255, 0, 0, data.length), data]);
}

interface SignedBy {
  readonly rcode?: number;
  readonly time: number;
  readonly fudge: number;
  readonly error?: number;
  readonly other?: Buffer;
}

test("an answer is the server's whatever its clock says and however far it lets clocks differ (RFC 8945)", async (t) => {
  const now = Math.floor(Date.now() / 1000);
  for (const fudge of [0, 60, 300, 65_535])
    for (const time of [now, now - 240, 1])
      assert.equal(
        await answering(t, (question) => signedAnswer(question, { time, fudge })),
        true,
        `${time} ${fudge}`,
      );
  // Its own time stands behind the error (section 5.2.3).
  const other = Buffer.alloc(6);
  other.writeUIntBE(now + 4000, 0, 6);
  await assert.rejects(
    answering(t, (question) => signedAnswer(question, { rcode: 9, time: now, fudge: 60, error: 18, other })),
    /BADTIME: its clock and this machine's differ by more than five minutes/,
  );
  // One that somebody has changed on its way.
  for (const at of [3, -1])
    await assert.rejects(
      answering(t, (question) => {
        const answer = signedAnswer(question, { rcode: 9, time: now, fudge: 60, error: 18, other });
        const changed = Buffer.from(answer);
        changed[at < 0 ? changed.length + at : at] = 5;
        return changed;
      }),
      /what answers does not sign with the key mailhost\.test/,
    );
});

test("an answer that the key has not signed is nobody's", async (t) => {
  const stranger = /what answers does not sign with the key mailhost\.test/;
  const unsigned = (question: Buffer) =>
    Buffer.concat([question.subarray(0, 2), Buffer.from([0xa8, 0]), Buffer.alloc(8)]);
  await assert.rejects(answering(t, unsigned), stranger);
  // Our own question, sent back as an answer.
  await assert.rejects(
    answering(t, (question) => {
      const echo = Buffer.from(question);
      echo[2] = 0xa8;
      return echo;
    }),
    stranger,
  );
  for (const length of [0, 3, 12, 20, 60])
    await assert.rejects(
      answering(t, (question) => question.subarray(0, length)),
      Error,
      `${length} bytes`,
    );
});
