/** Where a reader begins: from there every page can be found. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { it } from "node:test";
import { pageOf, pages } from "./fenced.ts";

it("docs/README.md leads to every page, and the README leads to it", () => {
  const { text } = pageOf("docs/README.md");
  const linked = [...text.matchAll(/\]\(([\w./-]+)\)/g)].map(([, target = ""]) => basename(target));
  assert.deepEqual(
    pages.map(({ path }) => basename(path)).filter((name) => !linked.includes(name)),
    [],
  );
  assert.ok(pageOf("README.md").text.includes("(docs/README.md)"));
});
