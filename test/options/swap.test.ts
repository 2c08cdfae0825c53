import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function bundleOf(keys: Readonly<Record<string, unknown>>) {
  return hostBundles(settingsWith(keys)).find(({ name }) => name === "swap");
}

it("swap: a gigabyte by default, else what the owner says", () => {
  const lengths = [{}, { swap: { size: 256 } }].map(
    (keys) => /fallocate --length (\w+) /.exec(bundleOf(keys)?.files[0]?.content ?? "")?.[1],
  );
  assert.deepEqual(lengths, ["1024MiB", "256MiB"]);
  for (const swap of [true, { size: 1 }, {}]) assert.throws(() => settingsWith({ swap }), /mailhost:swap/);
});

it("swap: off it is absent, and the file goes with the unit that stops", () => {
  assert.equal(bundleOf({ swap: false }), undefined);
  assert.match(bundleOf({})?.files[0]?.content ?? "", /^ExecStopPost=rm -f \/swapfile$/m);
});
