import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { plainSecret } from "../../policy/rules/plainSecret.ts";

const conf = readFileSync(new URL("../../files/etc/dovecot/dovecot.conf", import.meta.url), "utf8");
const said = (text: string) => plainSecret.judgeOpen([{ path: ["stdin"], text }]);

it("no-plain-secret: Dovecot's list that opens nothing is no secret, as a file and in a bundle's document", () => {
  assert.match(conf, /^passdb decoy \{$/m);
  assert.deepEqual(said(conf), []);
  assert.deepEqual(said(JSON.stringify({ content: conf })), []);
});

it("no-plain-secret: the same hash elsewhere, or in a list that opens, is one", () => {
  const [hash = ""] = /\{BLF-CRYPT\}\S+/.exec(conf) ?? [];
  for (const text of [`ann@example.org:${hash}`, conf.replace("  result_success = return-fail\n", "")])
    assert.equal(said(text).length, 1);
});
