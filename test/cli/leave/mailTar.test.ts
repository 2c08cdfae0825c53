/** A mailbox's tar, written anew: compressed messages are plain in it, and nothing else is touched. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { tarOf } from "../../../cli/leave/leave.ts";
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
  assert.deepEqual(taken, { messages: 4, bytes: 3 * message.length + 1000 * message.length, broken: [] });

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

it("keeps what only looks compressed, and names it; a copy of a message is one, too", async () => {
  const there = join(folder, "odd");
  for (const path of ["Maildir/cur", "Maildir/.Work/cur"]) mkdirSync(join(there, path), { recursive: true });
  const odd = [Buffer.from([0x1f, 0x8b, 0x0a]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x0a])];
  for (const [n, content] of odd.entries()) writeFileSync(join(there, `Maildir/cur/odd${n}`), content);
  writeFileSync(join(there, "Maildir/cur/a:2,S"), zstdCompressSync(message));
  linkSync(join(there, "Maildir/cur/a:2,S"), join(there, "Maildir/.Work/cur/b:2,S"));
  const file = join(folder, "odd.tar");
  const taken = await writePlainTar(spawn("tar", ["-C", there, "-cf", "-", "."]).stdout, file);
  assert.deepEqual(
    { ...taken, broken: taken.broken.toSorted() },
    {
      messages: 4,
      bytes: 2 * message.length + 3 + 5,
      broken: ["./Maildir/cur/odd0", "./Maildir/cur/odd1"],
    },
  );
  const here = join(folder, "odd-here");
  mkdirSync(here);
  execFileSync("tar", ["-C", here, "-xf", file], { stdio: "pipe" });
  for (const [n, content] of odd.entries())
    assert.deepEqual(readFileSync(join(here, `Maildir/cur/odd${n}`)), content);
  assert.equal(readFileSync(join(here, "Maildir/.Work/cur/b:2,S"), "utf8"), message);
});

it("what Dovecot makes again is left out, and no Sieve script of anybody's", () => {
  const there = join(folder, "made");
  for (const path of [
    "Maildir/cur/a",
    "Maildir/dovecot.index.log",
    "Maildir/fts-flatcurve/index.1/x",
    "sieve/fts-lists.sieve",
  ]) {
    mkdirSync(join(there, path, ".."), { recursive: true });
    writeFileSync(join(there, path), "");
  }
  const names = execFileSync("sh", ["-c", `${tarOf(there)} | tar -tf -`], { encoding: "utf8" });
  assert.deepEqual(
    names
      .split("\n")
      .filter((name) => /[^/]$/.test(name))
      .toSorted(),
    ["./Maildir/cur/a", "./sieve/fts-lists.sieve"],
  );
});

it("what is cut off is a failure, and no mailbox that only looks whole", async () => {
  const there = join(folder, "cut");
  mkdirSync(join(there, "Maildir/cur"), { recursive: true });
  for (const name of ["a", "b"]) writeFileSync(join(there, "Maildir/cur", name), message.repeat(50));
  const whole = execFileSync("tar", ["-C", there, "-cf", "-", "."]);
  const cut = (bytes: number) =>
    writePlainTar(Readable.from([whole.subarray(0, bytes)]), join(folder, "cut.tar"));
  // In the middle of a file, in that of a header, and between two files.
  const end = whole.lastIndexOf("Words.") + message.length;
  const blocks = Math.ceil(end / 512) * 512;
  for (let bytes = 0; bytes < blocks + 1024; bytes += 256)
    await assert.rejects(cut(bytes), Error, String(bytes));
  assert.equal((await cut(blocks + 1024)).messages, 2);
});
