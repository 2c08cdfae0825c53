import assert from "node:assert/strict";
import { it } from "node:test";
import { keyHolders, usedGenerations } from "../../plan/turns.ts";
import { settingsWith } from "../options/settings.ts";

const since = "2026-11-21T00:00:00Z";
const pairs = [
  { generation: "20261121", state: "retired", since },
  { generation: "20261122", state: "signing", since },
] as const;
const keys = { "tls-20261121": "AA", "tls-20261122": "BB" };

for (const dane of [true, false])
  it(`a TLS key may be in use where the host shows it, or shows nothing: ${dane ? "with" : "without"} DANE`, () => {
    const holder = keyHolders(settingsWith({ dane })).find(({ shown }) => shown) ?? assert.fail();
    const used = (shown?: string) => usedGenerations(holder, pairs, keys, shown);
    assert.deepEqual(used(), ["20261121", "20261122"]);
    assert.deepEqual(used("AA"), ["20261121"]);
    assert.deepEqual(used("somebody else's"), []);
  });

it("which key signs mail nobody can see", () => {
  const [signer] = keyHolders(settingsWith({}));
  assert.deepEqual(signer && usedGenerations(signer, pairs, keys, undefined), []);
});
