/** What a host has been through leaves its secrets where they were, and nothing of what was tried on it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { nothingLeft, previewSteps, succeed } from "../mailhost.ts";
import { noneIsFound, secrets } from "../secrets.ts";

after(nothingLeft);

test("after all of it no secret lies about", async () => {
  await noneIsFound(await secrets());
});

test("after all of it the preview is empty and the check finds all right", async () => {
  assert.deepEqual(await previewSteps(), []);
  await succeed(["check"]);
});
