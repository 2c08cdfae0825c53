import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { openSsh, shownHostKey } from "../../ssh/client.ts";
import { keyPair, sshServer } from "./server.ts";

test("SSH: commands come back whole; quoting holds; another host key is refused", async (t) => {
  const access = await sshServer(t, "127.91.25.2");
  const session = await openSsh(access);
  assert.deepEqual(await session.run(`printf '%s' "it's" "$((6 * 7))"; echo oh >&2; exit 3`), {
    code: 3,
    stdout: "it's42",
    stderr: "oh\n",
  });
  // More at once than the server takes on one login.
  const many = Array.from({ length: 30 }, (_, n) => session.run(`sleep 0.2; echo ${n}`));
  assert.deepEqual(
    (await Promise.all(many)).map(({ stdout }) => stdout),
    many.map((_, n) => `${n}\n`),
  );
  session.close();
  const other = keyPair().public;
  await assert.rejects(openSsh({ ...access, hostKey: other }), /shows a host key that is not the stack's/);
  const stranger = keyPair().private;
  await assert.rejects(openSsh({ ...access, privateKey: stranger }), /no login at admin@127\.91\.25\.2/);
});

test("SSH: a host that has changed over to its next key is the same host, and tells which one it shows", async (t) => {
  const access = await sshServer(t, "127.91.25.5");
  const [other, third] = [keyPair().public, keyPair().public];
  const session = await openSsh({ ...access, hostKey: other, nextHostKey: access.hostKey });
  assert.equal((await session.run("echo in")).stdout, "in\n");
  session.close();
  await assert.rejects(
    openSsh({ ...access, hostKey: other, nextHostKey: third }),
    /shows a host key that is not the stack's/,
  );
  assert.equal(await shownHostKey(access, [other, access.hostKey]), access.hostKey);
  await assert.rejects(shownHostKey(access, [other, third]), /shows a host key that is not the stack's/);
  await assert.rejects(
    shownHostKey({ ...access, port: 1 }, [other]),
    /^Error: no host key of 127\.91\.25\.5 port 1: .*ECONNREFUSED/,
  );
});

test("SSH: what is large is poured byte by byte, and one that is cut off has not ended well", async (t) => {
  const session = await openSsh(await sshServer(t, "127.91.25.9"));
  const hash = createHash("sha256");
  let size = 0;
  const slow = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      size += chunk.length;
      hash.update(chunk);
      setImmediate(done);
    },
  });
  // Bytes that are no text.
  const said = await session.pour("head -c 5000000 /dev/zero | tr '\\0' '\\377'; echo oh >&2; exit 3", slow);
  assert.deepEqual([said, size], [{ code: 3, stderr: "oh\n" }, 5_000_000]);
  assert.equal(hash.digest("hex"), createHash("sha256").update(Buffer.alloc(5_000_000, 0xff)).digest("hex"));

  // More at once than the server takes on one login.
  const many = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const to = new PassThrough({ encoding: "utf8" });
      const { code } = await session.pour(`sleep 0.2; echo ${n}`, to.resume());
      return code;
    }),
  );
  assert.deepEqual(many, Array(8).fill(0));

  const long = new PassThrough();
  const ended = session.pour("echo on; sleep 0.5; echo off", long);
  await once(long, "data");
  long.resume();
  session.abandon();
  assert.equal((await ended).code, -1);
});
