import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KeyPair, type RotationRules, turn } from "../../plan/rotation.ts";

const hour = 3_600_000;
const day = 24 * hour;
const ttl = 3600;
const rules: RotationRules = { days: 90, overlapDays: 7, revoked: [] };
const first = "2026-11-21";
const start = Date.parse(`${first}T09:00:00Z`);

function next(
  before: readonly KeyPair[],
  after: number,
  more: { readonly seen?: readonly string[]; readonly rules?: Partial<RotationRules> } = {},
): readonly KeyPair[] {
  return turn({
    before,
    first,
    now: new Date(start + after),
    isSeen: (generation) => more.seen?.includes(generation) ?? true,
    ttl,
    rules: { ...rules, ...more.rules },
  });
}
const shown = (pairs: readonly KeyPair[]) => pairs.map(({ generation, state }) => `${generation} ${state}`);

describe("a domain's keys", () => {
  it("begin with one that signs and one that is there for later", () => {
    assert.deepEqual(shown(next([], 0)), ["20261121 signing", "20261121b published"]);
  });

  it("take turns after 90 days, and what has signed stays for a week", () => {
    let pairs = next([], 0);
    for (let days = 1; days < 90; days += 1) {
      pairs = next(pairs, days * day);
      assert.deepEqual(shown(pairs), ["20261121 signing", "20261121b published"]);
    }
    pairs = next(pairs, 90 * day);
    assert.deepEqual(shown(pairs), ["20261121 retired", "20261121b signing", "20270219 published"]);
    pairs = next(pairs, 96.9 * day);
    assert.equal(pairs.length, 3);
    pairs = next(pairs, 97 * day);
    assert.deepEqual(shown(pairs), ["20261121b signing", "20270219 published"]);
  });

  it("stay as they are where a run comes at once again", () => {
    const pairs = next(next([], 0), 90 * day);
    assert.deepEqual(next(pairs, 90 * day), pairs);
  });

  it("wait until the next one has been seen without a break for longer than the TTL", () => {
    const began = next([], 0, { seen: [] });
    const late = next(began, 100 * day, { seen: [] });
    assert.deepEqual(shown(late), ["20261121 signing", "20261121b published"]);
    const seen = next(late, 101 * day);
    assert.equal(shown(seen)[0], "20261121 signing");
    assert.equal(shown(next(seen, 101 * day + ttl * 1000))[0], "20261121 signing");
    assert.equal(shown(next(seen, 101 * day + ttl * 1000 + 1))[0], "20261121 retired");
    const hidden = next(seen, 101 * day + 2 * hour, { seen: [] });
    assert.equal(shown(next(hidden, 101 * day + 3 * hour))[0], "20261121 signing");
  });

  it("change at once where one has leaked, to one that the world has seen", () => {
    const pairs = next(next([], 0), 2 * hour);
    const revoked = { rules: { revoked: ["20261121"] } };
    const after = next(pairs, 3 * day, revoked);
    assert.deepEqual(shown(after), ["20261121 retired", "20261121b signing", "20261124 published"]);
    // The host signs with it no more: now its record may be void.
    const later = next(after, 3 * day, revoked);
    assert.deepEqual(shown(later), ["20261121 revoked", "20261121b signing", "20261124 published"]);
    assert.deepEqual(shown(next(later, 11 * day, revoked)), ["20261121b signing", "20261124 published"]);
  });

  it("sign on with a leaked one until another can, and never with one that leaked before it signed", () => {
    const revoked = { rules: { revoked: ["20261121", "20261121b"] } };
    const pairs = next(next([], 0), 2 * hour, revoked);
    assert.deepEqual(shown(pairs), ["20261121 signing", "20261121b revoked", "20261121c published"]);
    const after = next(next(pairs, 4 * hour, revoked), 6 * hour, revoked);
    assert.deepEqual(shown(after), [
      "20261121 retired",
      "20261121b revoked",
      "20261121c signing",
      "20261121d published",
    ]);
  });

  it("are not held by a run whose clock was two years ahead", () => {
    const ahead = next(next([], 0, { seen: [] }), 730 * day);
    const back = next(ahead, day);
    const leaked = { rules: { revoked: ["20261121"] } };
    assert.deepEqual(shown(next(back, day + 2 * hour, leaked)), [
      "20261121 retired",
      "20261121b signing",
      "20261122 published",
    ]);
    // Also what came into its state by that run.
    const turned = next(next(next(next([], 0), hour), 730 * day), day);
    assert.deepEqual(shown(turned), ["20261121 retired", "20261121b signing", "20281120 published"]);
    assert.deepEqual(shown(next(turned, 8 * day)), ["20261121b signing", "20281120 published"]);
    assert.deepEqual(shown(next(turned, 91 * day))[0], "20261121b retired");
  });

  it("never take turns by themselves where the owner says so", () => {
    const pairs = next(next([], 0), 1000 * day, { rules: { days: 0 } });
    assert.deepEqual(shown(pairs), ["20261121 signing", "20261121b published"]);
  });
});
