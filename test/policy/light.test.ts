/** The policies' own process, started as Pulumi starts it: it serves them, and has not loaded what they do not want. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { lightPolicies } from "../../local/engine/preview.ts";

const pack = resolve(import.meta.dirname, "../../policy");
const runner = createRequire(import.meta.url).resolve("@pulumi/pulumi/cmd/run-policy-pack");

/** Tells of the modules that are loaded when the pack serves, and ends it. */
const probe = `
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (port) => {
  write(JSON.stringify({ port: Number(port), modules: Object.keys(require.cache) }));
  setImmediate(() => process.exit(0));
};
`;

async function started(t: TestContext, env: NodeJS.ProcessEnv) {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-light-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "probe.cjs"), probe);
  const child = spawn(
    process.execPath,
    ["--require", join(folder, "probe.cjs"), runner, "127.0.0.1:1", pack],
    {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [said] = await Promise.all([text(child.stdout), once(child, "close")]);
  const { port, modules } = JSON.parse(said) as {
    readonly port: number;
    readonly modules: readonly string[];
  };
  const packages = modules.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return { port, packages: new Set(packages), modules };
}

test("the policies start without a compiler, and without what drives the engine or packs functions up", async (t) => {
  const light = await started(t, lightPolicies({}));
  assert.ok(light.port > 0);
  assert.ok(light.packages.has("@pulumi/policy"));
  for (const name of ["typescript", "@npmcli/arborist"]) assert.ok(!light.packages.has(name), name);
  assert.ok(!light.modules.some((path) => path.includes("/@pulumi/pulumi/automation/")));
});

test("started by somebody else they serve as well, with all that Pulumi loads", async (t) => {
  const { port, packages } = await started(t, {});
  assert.ok(port > 0);
  for (const name of ["typescript", "@npmcli/arborist"]) assert.ok(packages.has(name), name);
});
