import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cloudPaths, writeWhole } from "../../local/paths.ts";

test("clouds of one home share a cache and nothing else", () => {
  const one = cloudPaths({ MAILHOST_HOME: "/var/lib/clouds", MAILHOST_CLOUD_ID: "one" });
  const two = cloudPaths({ MAILHOST_HOME: "/var/lib/clouds", MAILHOST_CLOUD_ID: "two" });
  assert.equal(one.folder, "/var/lib/clouds/clouds/one");
  assert.equal(one.cache, two.cache);
  for (const path of [one.info, one.socket, one.machines, one.volumes, one.pulumi]) {
    assert.ok(path.startsWith(`${one.folder}/`));
  }
});

test("a checkout has a cloud of its own, by its path", () => {
  const { id, folder } = cloudPaths({ MAILHOST_HOME: "/var/lib/clouds" });
  assert.match(id, /^[0-9a-f]{8}$/);
  assert.equal(folder, `/var/lib/clouds/clouds/${id}`);
});

test("a child process is told the folder itself", () => {
  assert.equal(cloudPaths({ MAILHOST_HOME: "/a", MAILHOST_CLOUD: "/b/c" }).folder, "/b/c");
});

test("what cannot be a folder or a socket is refused with what to do", () => {
  assert.throws(() => cloudPaths({ MAILHOST_CLOUD_ID: "../other" }), /MAILHOST_CLOUD_ID/);
  assert.throws(
    () => cloudPaths({ MAILHOST_HOME: `/${"long/".repeat(20)}` }),
    /set MAILHOST_HOME to a shorter one/,
  );
});

test("a file is written whole, for its owner alone, and nothing stays beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-"));
  try {
    const path = join(folder, "file");
    writeWhole(path, "first");
    writeWhole(path, "second");
    assert.equal(readFileSync(path, "utf8"), "second");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["file"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a command tells what is wrong with the cloud's name in one line", () => {
  const main = join(import.meta.dirname, "../../local/main.ts");
  const env = { ...process.env, MAILHOST_CLOUD_ID: "new comer" };
  const { status, stderr } = spawnSync(process.execPath, [main, "status"], { env, encoding: "utf8" });
  assert.equal(status, 1);
  assert.equal(stderr, 'MAILHOST_CLOUD_ID is "new comer": use at most 32 letters, digits, - and _.\n');
});
