/** A mailbox's tar, written anew: compressed messages are plain in it, and nothing else is touched. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { writePlainTar } from "../../../cli/leave/mailTar.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "leave-"));
});
after(() => rmSync(folder, { recursive: true }));

const message = "Subject: one\r\n\r\nWords.\r\n";
const long = `${"x".repeat(200)},S=24:2,S`;

it("makes messages plain, whatever they were compressed with, and keeps names, links and the rest", async () => {
  const there = join(folder, "there");
  const put = (path: string, content: string | Buffer) => {
    mkdirSync(join(there, path, ".."), { recursive: true });
    writeFileSync(join(there, path), content);
  };
  put("Maildir/cur/a,S=24:2,S", zstdCompressSync(message));
  put("Maildir/new/b", message);
  put("Maildir/.Archive/cur/c:2,", gzipSync(message));
  put(`Maildir/.Archive/cur/${long}`, zstdCompressSync(message.repeat(1000)));
  put("Maildir/dovecot-keywords", zstdCompressSync("0 $Forwarded\n"));
  put("sieve/f.sieve", "keep;\n");
  symlinkSync("sieve/f.sieve", join(there, ".dovecot.sieve"));
  const file = join(folder, "ann.tar");
  const tar = spawn("tar", ["-C", there, "-cf", "-", "."]);
  const taken = await writePlainTar(tar.stdout, file);
  assert.deepEqual(taken, { messages: 4, bytes: 3 * message.length + 1000 * message.length });

  const here = join(folder, "here");
  mkdirSync(here);
  execFileSync("tar", ["-C", here, "-xf", file], { stdio: "pipe" });
  const read = (path: string) => readFileSync(join(here, path));
  for (const path of ["Maildir/cur/a,S=24:2,S", "Maildir/new/b", "Maildir/.Archive/cur/c:2,"])
    assert.equal(read(path).toString(), message);
  assert.equal(read(`Maildir/.Archive/cur/${long}`).toString(), message.repeat(1000));
  assert.deepEqual(read("Maildir/dovecot-keywords"), zstdCompressSync("0 $Forwarded\n"));
  assert.equal(read(".dovecot.sieve").toString(), "keep;\n");
});

it("what is cut off is a failure, and no mailbox that only looks whole", async () => {
  const there = join(folder, "cut");
  mkdirSync(join(there, "Maildir/cur"), { recursive: true });
  writeFileSync(join(there, "Maildir/cur/a"), message.repeat(1000));
  const whole = execFileSync("tar", ["-C", there, "-cf", "-", "."]);
  await assert.rejects(writePlainTar(Readable.from([whole.subarray(0, 5000)]), join(folder, "cut.tar")));
});
