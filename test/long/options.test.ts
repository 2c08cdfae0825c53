/**
 * From all off to all on and back, one option at a time: each converges, passes the check, and leaves no trace when it
 * goes. An option is switched by the first example of its schema that is not its default, and by `false` where it
 * is on by default. The locked store is left out: it is for a new volume alone (locked.test.ts).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { options } from "../../options/list.ts";
import type { Option } from "../../options/option.ts";
import { bringSignature } from "../e2e/clamav.ts";
import { largerMachine } from "../e2e/everything.ts";
import { changesSince, footprint } from "../e2e/footprint.ts";
import { previewSteps, succeed, up, withStack } from "../e2e/mailhost.ts";
import { ownCloud } from "./own-cloud.ts";

const all: readonly Option[] = options;

ownCloud(largerMachine);

for (const { key, schema } of all.filter((option) => option.key !== "lockedStore")) {
  test(`${key}: switched and switched back`, async () => {
    const found = await footprint();
    const usual = JSON.stringify(schema.parse(undefined));
    const other = (schema.meta()?.examples as unknown[] | undefined)?.find(
      (example) => JSON.stringify(schema.parse(example)) !== usual,
    );
    assert.notEqual(other, undefined, `${key} has no example that differs from its default`);
    await withStack(
      (stack) => stack.setIn(["config", `mailhost:${key}`], stack.createNode(other)),
      async () => {
        await up();
        if (key === "clamav") await bringSignature();
        await succeed(["check"]);
        assert.deepEqual(await previewSteps(), []);
      },
    );
    await up();
    assert.deepEqual(await changesSince(found), { came: [], went: [] });
    await succeed(["check"]);
    assert.deepEqual(await previewSteps(), []);
  });
}
