import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { wholeNumber } from "../../local/terminal.ts";

test("an option that wants a whole number takes nothing else", () => {
  const port = wholeNumber(65535);
  assert.equal(port("11334"), 11334);
  for (const text of ["abc", "", "0", "-1", "1.5", "1e3", "65536", "0x10", " 5"])
    assert.throws(() => port(text), /Write a whole number from 1 to 65535\./, text);
});

test("before what cannot be undone a person at a terminal is asked; a script is not", async () => {
  const terminal = join(import.meta.dirname, "../../local/terminal.ts");
  const program = `import { confirmed } from "${terminal}"; console.log("sure: " + (await confirmed("All goes.")));`;
  const node = `${process.execPath} --input-type=module -e '${program}'`;
  const atTerminal = (answer: string) =>
    execFileSync("script", ["-qec", node, "/dev/null"], { input: `${answer}\n`, encoding: "utf8" });
  assert.match(atTerminal("n"), /All goes\. Go on\? \[y\/N\].*sure: false/s);
  assert.match(atTerminal(""), /sure: false/);
  assert.match(atTerminal("y"), /sure: true/);
  assert.equal(execFileSync("sh", ["-c", node], { input: "", encoding: "utf8" }), "sure: true\n");
});
