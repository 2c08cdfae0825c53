import assert from "node:assert/strict";
import { test } from "node:test";
import { wholeNumber } from "../../local/terminal.ts";

test("an option that wants a whole number takes nothing else", () => {
  const port = wholeNumber(65535);
  assert.equal(port("11334"), 11334);
  for (const text of ["abc", "", "0", "-1", "1.5", "1e3", "65536", "0x10", " 5"])
    assert.throws(() => port(text), /Write a whole number from 1 to 65535\./, text);
});
