import assert from "node:assert/strict";
import { it } from "node:test";
import { makePlan } from "../../plan/plan.ts";
import { settingsWith } from "./settings.ts";

const zones = (keys: Readonly<Record<string, unknown>>) =>
  makePlan(settingsWith(keys), { today: "2026-11-21", rotation: {}, ramps: {} }).signedZones;

it("dnssec: off nothing is signed, by default each zone that holds a record, once", () => {
  assert.deepEqual(zones({ dnssec: false }), []);
  assert.deepEqual(zones({}), ["example.org"]);
  const more = {
    domains: {
      "lists.example.org": { since: "2026-11-21", zone: "example.org", mailboxes: { ann: {} } },
      "example.com": { since: "2026-11-21" },
    },
    owner: "ann@lists.example.org",
  };
  assert.deepEqual(zones({ ...more, parked: { "old.example": {} } }), [
    "example.com",
    "example.org",
    "old.example",
  ]);
});
