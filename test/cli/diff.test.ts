import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { diffLines } from "../../cli/diff.ts";

it("shows what changes, with three lines around it, and leaves out the rest", () => {
  const before = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const after = before.toSpliced(20, 1, "another", "and one more").toSpliced(5, 1);
  assert.deepEqual(diffLines(before.join("\n"), after.join("\n")), [
    ...["  line 2", "  line 3", "  line 4", "- line 5", "  line 6", "  line 7", "  line 8", "…"],
    ...["  line 17", "  line 18", "  line 19", "- line 20", "+ another", "+ and one more"],
    ...["  line 21", "  line 22", "  line 23"],
  ]);
  assert.deepEqual(diffLines("same", "same"), []);
});

it("what it shows leads from one text to the other", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      // Between two ends that are the same and far away, everything is shown.
      const shown = diffLines(before.join("\n"), after.join("\n"));
      const gone = shown.filter((line) => line.startsWith("-")).length;
      const come = shown.filter((line) => line.startsWith("+")).length;
      assert.equal(before.join("\n").split("\n").length - gone + come, after.join("\n").split("\n").length);
      if (before.join("\n") === after.join("\n")) assert.deepEqual(shown, []);
    }),
  );
});

it("a hash in plain text is not shown; the name of a variable and what Pulumi has encrypted are", () => {
  const text = [
    "ann: { passwordHash: $6$salt$abc, quota: 3 }",
    'passwordHash: "$2y$05$abc"',
    `passwordHash: \${ANN_HASH}`,
    "passwordHash: { secure: v1:abc }",
    "passwordHash:",
  ];
  assert.deepEqual(diffLines("", text.join("\n")).slice(1), [
    "+ ann: { passwordHash: (not shown), quota: 3 }",
    "+ passwordHash: (not shown)",
    `+ passwordHash: \${ANN_HASH}`,
    "+ passwordHash: { secure: v1:abc }",
    "+ passwordHash:",
  ]);
});
