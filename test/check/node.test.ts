import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const said = (...version: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "check/node.js"), ...version], {
    encoding: "utf8",
  });
  return { status, stderr: stderr.trim() };
};

it("takes the Node that runs the tests, and each that package.json names", () => {
  for (const version of [[], ["22.18.0"], ["22.22.1"], ["24.2.0"], ["24.21.0"], ["25.0.0"], ["26.1.0"]])
    assert.deepEqual(said(...version), { status: 0, stderr: "" }, version.join());
});

it("refuses an older one in a sentence", () => {
  // Neither 23 nor 24.1 has `import.meta.main`, by which the daemon knows that it is to run.
  for (const version of ["18.20.8", "20.20.2", "22.17.1", "23.11.0", "24.1.0"])
    assert.deepEqual(said(version), {
      status: 1,
      stderr: `Node ${version} cannot run mailhost: install Node 22.18, or 24.2 or newer, then run npm ci again.`,
    });
});

it("npm runs it, and the lock file says the same as package.json", () => {
  const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
  const { engines, scripts } = read("package.json") as Record<string, Record<string, string>>;
  assert.equal(scripts?.postinstall, "node check/node.js");
  const { packages } = read("package-lock.json") as { packages: Record<string, { engines?: object }> };
  assert.deepEqual(packages[""]?.engines, engines);
});
