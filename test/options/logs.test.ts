import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function journal(keys: Readonly<Record<string, unknown>>): string {
  const { files } = hostBundles(settingsWith(keys)).find(({ name }) => name === "logs") ?? assert.fail();
  return files[0]?.content ?? "";
}

it("logs: are kept for four weeks and half a gigabyte by default", () => {
  assert.match(journal({}), /^SystemMaxUse=500M\nMaxRetentionSec=28day$/m);
});

it("logs: are kept as long and as large as the owner says, but never without a bound", () => {
  assert.match(journal({ logs: { days: 7, size: 100 } }), /^SystemMaxUse=100M\nMaxRetentionSec=7day$/m);
  for (const logs of [{ days: 0 }, { size: 0 }, { days: 1.5 }])
    assert.throws(() => settingsWith({ logs }), /mailhost:logs/);
});
