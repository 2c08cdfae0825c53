import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { it } from "node:test";
import fc from "fast-check";
import { shellWord } from "../../plan/shell.ts";

it("a shell reads any text back as one word", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab '\"\\$`;&|<>(){}*?~#!\n\t-ä") });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (words) => {
      const command = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
      const { stdout, status } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
      assert.deepEqual([status, stdout.split("\0").slice(0, -1)], [0, words]);
    }),
    { numRuns: 40 },
  );
});
