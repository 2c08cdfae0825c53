import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
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

  it("never take turns by themselves where the owner says so", () => {
    const pairs = next(next([], 0), 1000 * day, { rules: { days: 0 } });
    assert.deepEqual(shown(pairs), ["20261121 signing", "20261121b published"]);
  });
});

/** What one run meets: when it comes, whether it dies and where, how late the DNS is, and whether somebody lies. */
interface Run {
  readonly gap: number;
  readonly dies: "before" | "published" | "switched" | "removed" | "no";
  readonly lag: number;
  readonly hides: boolean;
  readonly twice: boolean;
  readonly leaks: boolean;
}

const runs = fc.array(
  fc.record<Run>({
    gap: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 22 * hour, max: 26 * hour }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: hour }) },
      { weight: 1, arbitrary: fc.integer({ min: 7 * day, max: 40 * day }) },
    ),
    dies: fc.oneof(
      { weight: 8, arbitrary: fc.constant("no" as const) },
      { weight: 1, arbitrary: fc.constantFrom("before", "published", "switched", "removed") },
    ),
    lag: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 18 * hour })),
    hides: fc.oneof(
      { weight: 9, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    twice: fc.boolean(),
    leaks: fc.oneof(
      { weight: 60, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  }),
  { minLength: 700, maxLength: 800 },
);

/** From when on everybody is sure to find it, and when it went. */
interface PublishedRecord {
  readonly from: number;
  gone?: number;
}

/** Whether the nameservers have it at that moment; others may still remember that they had not. */
const isShown = (record: PublishedRecord | undefined, at: number) =>
  record !== undefined && record.gone === undefined && record.from - ttl * 1000 <= at;

it("in two years of runs, missed, doubled, killed, with a DNS that lags and lies, nobody meets a signature without its key", () => {
  let turns = 0;
  fc.assert(
    fc.property(runs, (all) => {
      /** From when on a receiver is sure to find a record, and when it went. */
      const records = new Map<string, PublishedRecord>();
      let saved: readonly KeyPair[] = [];
      const revoked: string[] = [];
      let signing: string | undefined;
      let now = start;
      /** Every stretch of time in which one generation signed. */
      const signed: { generation: string; from: number; to: number }[] = [];
      const sign = (generation: string) => {
        const last = signed.at(-1);
        if (last !== undefined) last.to = now;
        if (last?.generation !== generation) {
          signed.push({ generation, from: now, to: now });
          turns += 1;
        }
        signing = generation;
      };
      const once = ({ dies, lag, hides }: Run) => {
        if (dies === "before") return;
        const after = turn({
          before: saved,
          first,
          now: new Date(now),
          // Whoever lies can hide a record. All are asked, so nobody can show one that is not there.
          isSeen: (generation) => !hides && isShown(records.get(generation), now),
          ttl,
          rules: { ...rules, revoked },
        });
        for (const { generation } of after) {
          const record = records.get(generation);
          // A receiver may remember for a TTL that it was not there.
          if (record === undefined || record.gone !== undefined)
            records.set(generation, { from: signing === undefined ? now : now + lag + ttl * 1000 });
        }
        if (dies === "published") return;
        const [signer, ...more] = after.filter(({ state }) => state === "signing");
        assert.ok(signer !== undefined && more.length === 0);
        sign(signer.generation);
        if (dies === "switched") return;
        const wanted = new Set(after.map(({ generation }) => generation));
        for (const [generation, record] of records) if (!wanted.has(generation)) record.gone ??= now;
        if (dies === "removed") return;
        saved = after;
      };
      for (const each of all) {
        now += each.gap;
        if (each.leaks && signing !== undefined) revoked.push(signing);
        once(each);
        if (each.twice) once({ ...each, dies: "no" });
        if (now > start + 730 * day) break;
      }
      for (const { generation, from, to } of signed) {
        const record = records.get(generation) ?? assert.fail(`${generation} was never published`);
        assert.ok(record.from <= from, `${generation} signed before it was seen`);
        assert.ok(
          record.gone === undefined || record.gone >= to + 5 * day || revoked.includes(generation),
          `${generation} went too early`,
        );
      }
      assert.ok(saved.length <= 4 + revoked.length, shown(saved).join(", "));
    }),
    // A history of two years is not made shorter in a time that anybody would wait.
    { numRuns: 200, endOnFailure: true },
  );
  assert.ok(turns > 1000, `${turns} turns`);
});

it("in two years of such runs, with an authority that often gives no certificate, a sender that goes by TLSA records is never turned away", () => {
  let changes = 0;
  const withAuthority = fc.tuple(
    runs,
    fc.array(fc.integer({ min: 0, max: 60 * 24 }), { minLength: 40, maxLength: 60 }),
  );
  fc.assert(
    fc.property(withAuthority, ([all, outages]) => {
      /** From when on everybody is sure to find a record, and when it went: more than once, where a run died. */
      const records = new Map<string, PublishedRecord[]>();
      /** Every stretch of time in which the host has shown one key. */
      const shown: { generation: string; from: number; to: number }[] = [];
      let saved: readonly KeyPair[] = [];
      const revoked: string[] = [];
      let now = start;
      // By turns the authority is there for twenty days and away for a while.
      const isAway = (at: number) => {
        let begins = start;
        for (const hours of outages) {
          begins += 20 * day;
          if (at >= begins && at < begins + hours * hour) return true;
          begins += hours * hour;
        }
        return false;
      };
      const show = (generation: string) => {
        const last = shown.at(-1);
        if (last !== undefined) last.to = now;
        // A host that is new makes a certificate for the key itself.
        if (last !== undefined && (last.generation === generation || isAway(now))) return;
        shown.push({ generation, from: now, to: now });
        changes += 1;
      };
      const once = ({ dies, lag, hides }: Run) => {
        if (dies === "before") return;
        const after = turn({
          before: saved,
          first,
          now: new Date(now),
          isSeen: (generation) => !hides && isShown(records.get(generation)?.at(-1), now),
          // A host that does not answer may show any of them.
          isUnused: (generation) => !hides && shown.at(-1)?.generation !== generation,
          ttl,
          rules: { ...rules, revoked },
        });
        const wanted = new Set(
          after.filter(({ state }) => state !== "revoked").map(({ generation }) => generation),
        );
        for (const generation of wanted) {
          const known = records.get(generation) ?? [];
          records.set(generation, known);
          if (known.at(-1)?.gone !== undefined || known.length === 0)
            known.push({ from: shown.length === 0 ? now : now + lag + ttl * 1000 });
        }
        if (dies === "published") return;
        show(after.find(({ state }) => state === "signing")?.generation ?? assert.fail());
        if (dies === "switched") return;
        for (const [generation, known] of records) {
          const last = known.at(-1);
          if (last !== undefined && !wanted.has(generation)) last.gone ??= now;
        }
        if (dies === "removed") return;
        saved = after;
      };
      for (const each of all) {
        now += each.gap;
        const last = shown.at(-1);
        if (last !== undefined) last.to = now;
        if (each.leaks && last !== undefined) revoked.push(last.generation);
        once(each);
        if (each.twice) once({ ...each, dies: "no" });
        if (now > start + 730 * day) break;
      }
      for (const { generation, from, to } of shown)
        assert.ok(
          records
            .get(generation)
            ?.some((record) => record.from <= from && (record.gone === undefined || record.gone >= to)),
          `${generation} was shown without its record`,
        );
    }),
    // A history of two years is not made shorter in a time that anybody would wait.
    { numRuns: 200, endOnFailure: true },
  );
  assert.ok(changes > 800, `${changes} changes`);
});
