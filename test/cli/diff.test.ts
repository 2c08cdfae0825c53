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

it("a hash is not shown in whatever form YAML has it, nor where it is remarked out", () => {
  const text = `config:
  mailhost:domains:
    example.org:
      mailboxes:
        ann:
          passwordHash:
            $6$ann$HASH
        bob: { "passwordHash": $6$bob$HASH, quota: 3 }
        carol:
          passwordHash: >-
            $6$carol$HASH
            HASH
          quota: 3
        dave: { ? passwordHash : "$6$dave$\\
          HASH" } # once passwordHash: $6$old$HASH
        erik: &one $6$erik$HASH
        frida: { passwordHash: *one }
  # passwordHash: $6$older$HASH
`;
  for (const shown of [
    diffLines("", text),
    diffLines(text, ""),
    diffLines(text, text.replaceAll("quota: 3", "quota: 4")),
  ]) {
    assert.doesNotMatch(shown.join("\n"), /HASH/);
    assert.ok(
      shown.some((line) => / {10}quota: 3$/.test(line)),
      shown.join("\n"),
    );
  }
  const lines = diffLines("", text);
  assert.ok(lines.includes("+             (not shown)"));
  assert.ok(lines.includes('+         bob: { "passwordHash": (not shown), quota: 3 }'));
  assert.deepEqual(
    diffLines(text, text.replace("$6$ann$HASH", "$6$ann$OTHER")).filter((line) => /^[-+]/.test(line)),
    ["-             (not shown)", "+             (not shown)"],
  );
});

it("a line that becomes a secret, or is one no more, is not shown", () => {
  const [note, hash] = ["note:\n  $6$HASH\nend: 1", "passwordHash:\n  $6$HASH\nend: 1"];
  for (const lines of [diffLines(note, hash), diffLines(hash, note)])
    assert.deepEqual(lines.slice(2), ["    (not shown)", "  end: 1"]);
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
