import { test } from "node:test";
import { nothingLeft, succeed, withoutUpdates } from "../mailhost.ts";

test("a host on default settings, to be changed and broken", async () => {
  await nothingLeft();
  await succeed(["start"]);
  await withoutUpdates();
});
