/**
 * A host that the first whole version made, and its mail, under today's program: one local cloud, started by the old one and
 * started again by this. The old one comes out of the repository's history, with its own packages.
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../local/run.ts";
import { checkout, cloudId, nothingLeft, previewSteps, succeed } from "../e2e/mailhost.ts";

/** The last commit of the version that came first: "Hold the check to ten seconds, which a busy machine can keep". */
const first = "b8c26da";

const old = `${checkout}-old`;
const source = join(import.meta.dirname, "../..");

/** A command of the old version's, on the same cloud. */
function ofOld(...args: readonly string[]): Promise<string> {
  return run(process.execPath, ["local/main.ts", ...args], {
    cwd: old,
    env: { ...process.env, MAILHOST_CLOUD_ID: cloudId, NO_COLOR: "1" },
  });
}

before(async () => {
  await nothingLeft();
  rmSync(old, { recursive: true, force: true });
  mkdirSync(old, { recursive: true });
  await run("sh", ["-c", `git archive ${first} | tar -x -C "$1"`, "sh", old], { cwd: source });
  await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: old });
});
after(async () => {
  rmSync(old, { recursive: true, force: true });
  await nothingLeft();
});

test("a host of the first version is today's after one up: it is the same machine, with its mail, and the check is good", async () => {
  await ofOld("start");
  await ofOld(
    "mail",
    "send",
    "--from",
    "ann@example.org",
    "--to",
    "bob@example.org",
    "--subject",
    "kept over it",
  );
  const outputs = JSON.parse(
    await ofOld("pulumi", "stack", "output", "--json", "--show-secrets"),
  ) as Readonly<Record<string, unknown>>;
  await ofOld("stop");

  await succeed(["start"]);
  const { stdout } = await succeed(["pulumi", "stack", "output", "--json", "--show-secrets"]);
  const now = JSON.parse(stdout) as typeof outputs;
  for (const name of ["publicIp", "credentials", "ssh"]) assert.deepEqual(now[name], outputs[name], name);
  assert.match((await succeed(["mail", "read", "bob@example.org"])).stdout, /Subject: kept over it/);
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
});
