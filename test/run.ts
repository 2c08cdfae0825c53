/**
 * `npm test`: the fast checks first, then the end-to-end tests on a local cloud of their own. `npm run test:unit`
 * and `npm run test:e2e [pattern]` run a part; `npm run test:long [pattern]` runs what takes too long for every change.
 * The last line is `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { cloudPaths } from "../local/paths.ts";
import { addSystemFolders, dnsDaemons, ensurePackages } from "../local/prerequisites.ts";

const root = join(import.meta.dirname, "..");

interface Tally {
  passed: number;
  failed: number;
}

/** A whole command that counts as one test. */
function command(tally: Tally, title: string, args: readonly [string, ...string[]]): void {
  const [program, ...rest] = args;
  const started = performance.now();
  const { status } = spawnSync(join(root, "node_modules/.bin", program), rest, {
    cwd: root,
    stdio: "inherit",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "✔" : "✖"} ${title} (${seconds} s)`);
  tally[status === 0 ? "passed" : "failed"] += 1;
}

/** Test files, each in a process of its own, `concurrency` at a time. */
async function files(tally: Tally, paths: readonly string[], concurrency: number): Promise<void> {
  const stream = run({ files: paths.map((path) => join(root, path)), concurrency });
  const isTest = (event: { details: { type?: string | undefined } }) => event.details.type !== "suite";
  // A file that could not be loaded fails as a whole and is one failure.
  stream.on("test:pass", (event) => {
    if (!isTest(event) || ("file" in event && event.name === event.file)) return;
    // What was left out has proven nothing.
    tally[event.skip === undefined && event.todo === undefined ? "passed" : "failed"] += 1;
  });
  stream.on("test:fail", (event) => {
    if (isTest(event)) tally.failed += 1;
  });
  const report = stream.compose(new spec());
  for await (const chunk of report) process.stdout.write(chunk);
}

async function main(part: string | undefined, pattern: string | undefined): Promise<number> {
  const tally: Tally = { passed: 0, failed: 0 };
  const found = (glob: string) =>
    globSync(glob, { cwd: root })
      .filter((path) => path.includes(pattern ?? ""))
      .sort();
  // Every file is a process that loads much the same modules.
  process.env.NODE_COMPILE_CACHE ??= cloudPaths().compileCache;
  // A cloud of this run's own, beside whatever else runs on the machine.
  process.env.MAILHOST_CLOUD_ID ??= `test-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
  if (part === "long") await files(tally, found("test/long/*.test.ts"), 1);
  if (part === undefined || part === "unit") {
    // Once, before several of them want it at the same time.
    addSystemFolders();
    await ensurePackages(dnsDaemons, console.log);
    command(tally, "format and lint", ["biome", "ci", "--error-on-warnings", "."]);
    command(tally, "types", ["tsc", "--noEmit"]);
    const unit = globSync("test/**/*.test.ts", { cwd: root, exclude: ["test/e2e", "test/long"] }).sort();
    // Three for two processors: two fifths of the time two of them wait, for a time limit or each other's disk.
    await files(tally, unit, 3);
  }
  if (part === undefined || part === "e2e") {
    // Each folder's numbered files are one story on one cloud, told in order; the others have machines or clouds of
    // their own. Three lanes for two processors, since half of what a story does is to wait. What is held to seconds is held
    // to them by a yardstick (test/e2e/yardstick.ts), which the other lanes slow down as well; `npm run test:e2e 10-start` has
    // the figures of a quiet machine.
    const stories = ["host", "options", "changes"].map((story) => found(`test/e2e/${story}/*.test.ts`));
    const left = [...stories, ...found("test/e2e/apart/**/*.test.ts").map((file) => [file])];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift())
        if (next.length > 0) await files(tally, next, 1);
    };
    await Promise.all([lane(), lane(), lane()]);
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2], process.argv[3]);
