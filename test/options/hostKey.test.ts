import assert from "node:assert/strict";
import { it } from "node:test";
import { hostKeys } from "../../plan/hostKey.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import { rotate } from "../../plan/turns.ts";
import { allSeen } from "../plan/seen.ts";
import { settingsWith } from "./settings.ts";

const day = 86_400_000;
const began = Date.parse("2026-11-21T09:00:00Z");

function turns(keys: Readonly<Record<string, unknown>>) {
  const settings = settingsWith(keys);
  const at = (days: number, before: KeyRotation) =>
    rotate(settings, before, new Date(began + days * day), allSeen);
  const shown = (rotation: KeyRotation) =>
    hostKeys(settings, rotation).map(({ generation, state }) => `${generation} ${state}`);
  return { at, shown };
}

it("hostKey: the next one is known from the first run on, and never used by itself", () => {
  const { at, shown } = turns({});
  const first = at(0, {});
  assert.deepEqual(shown(first), ["20261121 signing", "20261121b published"]);
  assert.deepEqual(shown(at(3000, at(1, first))), ["20261121 signing", "20261121b published"]);
  assert.deepEqual(shown({}), ["20261121 signing"]);
});

it("hostKey: one that leaked is changed by the next run, and forgotten by the one after", () => {
  const before = turns({}).at(0, {});
  const { at, shown } = turns({ hostKey: { revoked: ["20261121"] } });
  const changed = at(0, before);
  assert.deepEqual(shown(changed), ["20261121 retired", "20261121b signing", "20261121c published"]);
  // A run that died has left no word of itself.
  assert.deepEqual(shown(at(5, before)), ["20261121 retired", "20261121b signing", "20261126 published"]);
  assert.deepEqual(shown(at(0, changed)), ["20261121b signing", "20261121c published"]);
  // The first run makes the second key, and whoever logs in has to know it before it is used.
  assert.deepEqual(shown(at(0, {})), ["20261121 signing", "20261121b published"]);
});

it("hostKey: takes turns by itself where the owner says so", () => {
  const { at, shown } = turns({ hostKey: { rotateDays: 365 } });
  const seen = at(1, at(0, {}));
  assert.deepEqual(shown(at(364, seen)), ["20261121 signing", "20261121b published"]);
  assert.deepEqual(shown(at(365, seen)), ["20261121 retired", "20261121b signing", "20271121 published"]);
  assert.throws(() => settingsWith({ hostKey: { revoked: ["ssh-ed25519 AAAA"] } }), /is no key's name/);
});
