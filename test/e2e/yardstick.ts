/**
 * Bars of time. They were set on two processors of 2026 with nothing beside them; a borrowed machine is as fast as its
 * neighbours let it be, and a story beside this one takes its share. So each time is held against a piece of work of the
 * same kind, done at the same moment: where that takes twice as long, the bar is twice as high.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { TestContext } from "node:test";
import { run } from "../../local/run.ts";

/** Seconds that the yardstick takes on the machine of the bars. */
const REFERENCE = 0.5;

/** What is more than so many times slower cannot judge a bar. */
const SLOWEST = 6;

const require = createRequire(import.meta.url);
const modules = ["@pulumi/pulumi", "typescript"].map((name) => require.resolve(name));

/** Two programs at once that read and compile large modules, which is what an engine's run mostly is. In seconds. */
async function yardstick(): Promise<number> {
  const work = modules.map((path) => `require(${JSON.stringify(path)})`).join(";");
  const started = performance.now();
  const program = () =>
    run(process.execPath, ["-e", work], { env: { ...process.env, NODE_COMPILE_CACHE: undefined } });
  await Promise.all([program(), program()]);
  return (performance.now() - started) / 1000;
}

/**
 * Times work as on the machine of the bars. The shorter of two looks at the yardstick counts, one before the work and one after
 * it, so that what is left running by it makes its own bar no higher.
 * @returns what the work gives, and how many times slower this machine is at this moment
 * @throws where that is too much to tell
 */
export async function timed<T extends { readonly seconds: number }>(
  work: () => Promise<T>,
): Promise<{ readonly done: T; readonly slower: number }> {
  const before = await yardstick();
  const done = await work();
  const slower = Math.max(1, Math.min(before, await yardstick()) / REFERENCE);
  assert.ok(
    slower <= SLOWEST,
    `${done.seconds.toFixed(1)} s: this machine is ${slower.toFixed(1)} times slower, too slow to tell`,
  );
  return { done, slower };
}

/**
 * Times work, into the report; an error where it is over the bar on this machine, at this moment.
 * @returns what the work gives
 */
export async function within<T>(
  t: TestContext,
  what: string,
  bar: number,
  work: () => Promise<T & { readonly seconds: number }>,
): Promise<T> {
  const { done, slower } = await timed(work);
  const { seconds } = done;
  const figures = `${what}: ${seconds.toFixed(1)} s (bar ${bar} s, on this machine ${(bar * slower).toFixed(1)} s)`;
  t.diagnostic(figures);
  assert.ok(seconds <= bar * slower, figures);
  return done;
}
