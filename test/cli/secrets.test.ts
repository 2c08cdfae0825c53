/** Secrets in a stack file, with the real engine: what it encrypts it reads again, and nothing else in the file changes. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, it } from "node:test";
import bcrypt from "bcryptjs";
import type { Engine } from "../../cli/engine.ts";
import { Failure } from "../../cli/failure.ts";
import { encrypted, passwordHash } from "../../cli/secrets.ts";
import { setPasswordHash } from "../../cli/stackFile/domains.ts";
import { firstStackFile } from "../../cli/stackFile/first.ts";
import { brought, judge } from "../../cli/stackFile/settings.ts";
import { ensureEngine } from "../../local/engine/engine.ts";
import { pulumiEnvironment } from "../../local/engine/pulumi.ts";
import { cloudPaths } from "../../local/paths.ts";
import { run } from "../../local/run.ts";
import { answers } from "./answers.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let engine: Engine;
/** What a person's `pulumi stack init` has written. */
const salt = "encryptionsalt: v1:yKQkGY9pAfY=:v1:Iiffg6TmyxOc77TH:emgtT/7BZlSgiCbOTap4zStMNlWmNg==";
const text = firstStackFile(answers, salt);
const file = { text, name: "Pulumi.secrets.yaml" };
const readerOf = (environment: Engine["environment"] = {}) => ({
  stack: "secrets",
  name: file.name,
  environment,
  engine: async () => engine,
});

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "secrets-"));
  // Everything that is made beside is seen.
  process.env.TMPDIR = join(folder, "tmp");
  mkdirSync(process.env.TMPDIR);
  const { pulumi } = await ensureEngine({ cacheDir: cloudPaths().cache, log: console.error });
  const backendDir = join(folder, "state");
  const env = pulumiEnvironment({ home: join(folder, "home"), backendDir, passphrase: "local" });
  const ask = (args: readonly string[], input?: string) =>
    run(pulumi, args, { cwd: root, env, ...(input !== undefined && { input }) });
  engine = {
    pulumi: ask,
    tell: ask,
    environment: env,
    work: () => assert.fail(),
    preview: () => assert.fail(),
  };
  await ask(["stack", "init", "secrets", "--no-select"]);
  // That command writes a stack file of its own.
  rmSync(join(root, "Pulumi.secrets.yaml"), { force: true });
});
after(() => rmSync(folder, { recursive: true }));

it("a password becomes a hash that Pulumi has encrypted, and the program reads the hash", async () => {
  const hash = await passwordHash("correct horse battery", 10);
  assert.ok(await bcrypt.compare("correct horse battery", hash));
  const secret = await encrypted(engine, "secrets", file, hash);
  const { text: changed } = setPasswordHash(file, "bob@example.org", secret);
  assert.match(changed, /\n {8}bob:\n {10}passwordHash: \{ secure: "?v1:\S+"? \}\n/);
  assert.ok(!changed.includes(hash));
  assert.equal(changed.replace(/bob:\n.*passwordHash.*\n/, "bob: {}\n"), text);
  const { settings, mistakes } = await judge(changed, readerOf());
  assert.deepEqual(mistakes, []);
  assert.equal(settings.domains[0]?.mailboxes[1]?.passwordHash, `{BLF-CRYPT}${hash}`);
  // No file that the engine was given is there any more.
  assert.deepEqual(readdirSync(tmpdir()), []);
});

it("without the line by which Pulumi encrypts there is no secret, and no new line of that kind", async () => {
  const without = { ...file, text: text.replace(salt, "") };
  await assert.rejects(
    encrypted(engine, "secrets", without, "secret"),
    (error) =>
      error instanceof Failure &&
      /encrypts nothing yet, or .* lost its line `encryptionsalt`/.test(error.message),
  );
});

it("a password that is too short or too long for bcrypt is refused", async () => {
  await assert.rejects(passwordHash("short", 10), /too short: write 10 characters or more/);
  await assert.rejects(passwordHash("ä".repeat(37), 10), /too long: write at most 72 bytes/);
});

it("mistakes that a change brings are told from those that were there", async () => {
  const odd = text.replace("203.0.113.7/32", "everywhere");
  const before = (await judge(odd, readerOf())).mistakes;
  assert.equal(before.length, 1);
  const after = await judge(odd.replace("bob: {}", "bob: { quota: much }"), readerOf());
  assert.deepEqual(
    brought(before, after.mistakes).map(({ path }) => path.at(-1)),
    ["quota"],
  );
  // What the environment lacks, a list of mailboxes does without.
  const named = await judge(setPasswordHash(file, "ann@example.org", `\${ANN_HASH}`).text, readerOf());
  assert.equal(named.mistakes.length, 1);
  assert.deepEqual(
    named.settings.domains[0]?.mailboxes.map(({ address }) => address),
    ["ann@example.org", "bob@example.org"],
  );
});
