import assert from "node:assert/strict";
import { test } from "node:test";
import debuggable from "@pulumi/pulumi/runtime/debuggable.js";
import { runProgram, stack } from "./program.ts";

/** Stack traces that are written for the runtime's promises, and for the places of resources. */
const written = { promises: 0, resources: 0 };
// What stands here cannot be taken out by the program, which wants errors as Node shows them.
Object.defineProperty(Error, "prepareStackTrace", {
  configurable: false,
  value: (error: Error, frames: readonly NodeJS.CallSite[]) => {
    const file = frames[0]?.getFileName() ?? "";
    if (file.endsWith("/runtime/debuggable.js")) written.promises += 1;
    if (file.endsWith("/pulumi/resource.js")) written.resources += 1;
    return [String(error), ...frames.map((frame) => `    at ${frame}`)].join("\n");
  },
});

const { registrations } = await runProgram(stack);

test("the runtime writes down no places of its promises: with a hundred domains that is half of a preview", () => {
  assert.ok(written.resources >= registrations.length, "traces are counted");
  assert.equal(written.promises, 0);
});

const { debuggablePromise } = debuggable as unknown as {
  debuggablePromise(promise: Promise<string>, context: string): Promise<string>;
};

test("it counts them all the same, and the program's own errors show their place", async () => {
  const promise = Promise.resolve("an answer") as Promise<string> & { readonly _debugCtx?: string };
  assert.equal(await debuggablePromise(promise, "a question"), "an answer");
  assert.equal(promise._debugCtx, "a question");
  assert.match(new Error("a mistake").stack ?? "", /\n +at .*promises\.test\.ts/);
});

test("those of properties are left alone, four for each: they end with their resource", () => {
  const promise = Promise.resolve("an answer");
  assert.equal(debuggablePromise(promise, "transferProperty(a record, ttl, 300)"), promise);
});
