import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bundleDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { readDocument } from "../../preview/documents.ts";
import { allLines, counted, differences, type Line } from "../../preview/lines.ts";
import { parseSettings } from "../../settings/parse.ts";
import { stack } from "../components/program.ts";

const line = fc.constantFrom("a", "b", "c", "");
const text = fc.array(line, { maxLength: 30 }).map((lines) => lines.map((each) => `${each}\n`).join(""));

const side = (lines: readonly Line[], gone: "-" | "+") =>
  lines
    .filter(({ sign }) => sign !== gone)
    .map(({ text: each }) => `${each}\n`)
    .join("");

test("all lines of a difference are both texts again", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = allLines(before, after);
      assert.equal(side(lines, "+"), before);
      assert.equal(side(lines, "-"), after);
      const { gone, come } = counted(differences(before, after));
      assert.deepEqual({ gone, come }, counted(lines));
      assert.equal(gone + come === 0, before === after);
    }),
  );
});

test("what differs is shown with its place, and a gap as one", () => {
  const numbers = Array.from({ length: 20 }, (_, index) => `${index}\n`);
  const changed = numbers.with(3, "three\n").with(15, "fifteen\n");
  assert.deepEqual(
    differences(numbers.join(""), changed.join(""), 1).map(({ sign, text: each }) => sign + each),
    [" 2", "-3", "+three", " 4", " …", " 14", "-15", "+fifteen", " 16"],
  );
});

test("two long texts that have nothing in common are no reason to wait", () => {
  const long = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word} ${index}\n`).join("");
  const started = performance.now();
  assert.deepEqual(counted(allLines(long("a"), long("b"))), { gone: 20_000, come: 20_000 });
  assert.ok(performance.now() - started < 2000);
});

test("every bundle's document is read as it was written", () => {
  const bundles = hostBundles(parseSettings(stack, {}, "eu-central-1"), {});
  assert.ok(bundles.length > 20);
  for (const bundle of bundles) {
    const read = readDocument(bundleDocument(bundle)) ?? assert.fail(bundle.name);
    assert.equal(read.bundle, bundle.name);
    assert.deepEqual(
      [...read.files].map(([path, { content, access }]) => [path, content, access]),
      bundle.files.map(({ path, content, owner, group, mode }) => [
        path,
        content,
        `${owner}:${group} ${mode}`,
      ]),
    );
    const own = (paths: readonly string[]) =>
      paths.filter((path) => !bundle.secretFiles.some((file) => file.path === path));
    assert.deepEqual(
      read.units,
      bundle.units.map(({ name, reload, restart }) => ({
        name,
        reload: own(reload),
        restart: own(restart),
      })),
    );
  }
  assert.equal(readDocument("apt\nbash\n"), undefined);
});
