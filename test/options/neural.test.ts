import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const files = (keys: Readonly<Record<string, unknown>>) =>
  new Map(
    hostBundles(settingsWith(keys))
      .flatMap((bundle) => bundle.files)
      .map(({ path, content }) => [path.replace("/etc/rspamd/local.d/", ""), content]),
  );

it("neural: off by default, though rspamd has it on of itself", () => {
  const found = files({});
  assert.match(found.get("neural.conf") ?? "", /^enabled = false;$/m);
  assert.equal(found.has("neural_group.conf"), false);
});

it("neural: on, it learns from few messages, and alone decides nothing", () => {
  const found = files({ neural: true });
  assert.doesNotMatch(found.get("neural.conf") ?? "", /enabled/);
  assert.match(found.get("neural.conf") ?? "", /max_trains = 200;/);
  const weights = [...(found.get("neural_group.conf") ?? "").matchAll(/weight = (-?[\d.]+);/g)];
  const { addHeader } = settingsWith({}).options.spam;
  assert.equal(weights.length, 2);
  for (const [, weight] of weights) assert.ok(Math.abs(Number(weight)) < addHeader);
});
