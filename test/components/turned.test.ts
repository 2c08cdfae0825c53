/** Two years of the keys that take turns, as the program runs them, in a DNS of which much is late and some is a lie. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { turned } from "../../components/turned.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import { type KeyHolder, keyHolders } from "../../plan/turns.ts";
import type { Settings } from "../../settings/types.ts";
import { settingsWith } from "../options/settings.ts";
import { everyKey, keyNamed, LyingDns, type Manner } from "./lyingDns.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse("2026-11-21T09:00:00Z");
/** Milliseconds for which a resolver may remember that there was nothing (RFC 2308 section 5). */
const remembered = 3 * hour;
const base = settingsWith({ tlsKey: { rotateDays: 90 } });

/** What every holder here begins with. */
const first = "20261121";

/** What one run meets: when it comes, whether it dies and where, how late the nameservers are, and whether the host is silent. */
interface Run {
  readonly gap: number;
  readonly dies: "before" | "published" | "switched" | "removed" | "no";
  readonly lags: readonly number[];
  readonly silent: boolean;
  readonly twice: boolean;
  readonly leaks: boolean;
}

/** For how long each resolver has which manner. */
interface Phase {
  readonly days: number;
  readonly manners: readonly Manner[];
}

const seldom = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const lag = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 18 * hour }));
const runs = fc.array(
  fc.record<Run>({
    gap: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 22 * hour, max: 26 * hour }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 * hour }) },
      { weight: 1, arbitrary: fc.integer({ min: 7 * day, max: 40 * day }) },
    ),
    dies: fc.oneof(
      { weight: 8, arbitrary: fc.constant("no" as const) },
      { weight: 1, arbitrary: fc.constantFrom("before", "published", "switched", "removed") },
    ),
    lags: fc.tuple(lag, lag, lag),
    silent: seldom(9),
    twice: fc.boolean(),
    leaks: seldom(60),
  }),
  { minLength: 700, maxLength: 800 },
);

const manner = fc.oneof(
  { weight: 2, arbitrary: fc.constant("honest" as const) },
  { weight: 3, arbitrary: fc.constant("shows" as const) },
  { weight: 1, arbitrary: fc.constantFrom("old", "denies") },
);
/** One of the three is honest at any time, and not always the same. */
const phases = fc.array(
  fc
    .record({ days: fc.integer({ min: 1, max: 40 }), honest: fc.nat(2), others: fc.tuple(manner, manner) })
    .map(({ days, honest, others }): Phase => ({ days, manners: others.toSpliced(honest, 0, "honest") })),
  { minLength: 100, maxLength: 100 },
);

/** By turns an authority is there for twenty days and gives no certificate for so many hours. */
const outages = fc.array(fc.nat(60 * 24), { minLength: 40, maxLength: 60 });

/** Every stretch of time in which a holder has used one generation. */
interface Use {
  readonly generation: string;
  readonly from: number;
  to: number;
}

/** What a history has come to. */
interface History {
  readonly dns: LyingDns;
  readonly uses: ReadonlyMap<KeyHolder, readonly Use[]>;
  readonly revoked: ReadonlySet<string>;
  readonly saved: KeyRotation;
}

async function live(
  all: readonly Run[],
  mannersAt: (now: number) => readonly Manner[],
  isAway: (now: number) => boolean = () => false,
): Promise<History> {
  const holders = keyHolders(base);
  const dns = new LyingDns(holders);
  const uses = new Map(holders.map((holder): [KeyHolder, Use[]] => [holder, []]));
  const revoked = new Set<string>();
  let saved: KeyRotation = {};
  let now = start;
  const use = (holder: KeyHolder, generation: string) => {
    const known = uses.get(holder) ?? assert.fail();
    const last = known.at(-1);
    // Who shows by TLS which key it has, shows it with a certificate: only a host that is new makes one itself.
    if (last?.generation === generation || (holder.shown && last !== undefined && isAway(now))) return;
    known.push({ generation, from: now, to: now });
  };
  const once = async ({ dies, lags, silent }: Run, turn: number) => {
    if (dies === "before") return;
    const tls = holders.findLast(({ shown }) => shown) ?? assert.fail();
    const using = uses.get(tls)?.at(-1)?.generation;
    const after = await turned(withRevoked(revoked), saved, new Date(now), {
      resolvers: LyingDns.resolvers,
      ask: dns.asking(now, mannersAt(now), turn),
      keys: everyKey,
      shown: async () =>
        silent || using === undefined ? undefined : keyNamed(tls.shown?.fact(using) ?? assert.fail()),
    });
    // What a new host begins with was never missed by anybody.
    for (const holder of holders)
      for (const generation of shownBy(after, holder)) {
        // What a new host begins with nobody has asked for before.
        const isFirst = uses.get(holder)?.length === 0 && generation === first;
        dns.publish(holder, generation, now, isFirst ? lags.map(() => -remembered) : lags);
      }
    if (dies === "published") return;
    for (const holder of holders) {
      const [signer, ...more] = (after[holder.name] ?? []).filter(({ state }) => state === "signing");
      assert.ok(signer !== undefined && more.length === 0);
      use(holder, signer.generation);
    }
    if (dies === "switched") return;
    for (const holder of holders) dns.remove(holder, shownBy(after, holder), now);
    if (dies === "removed") return;
    saved = after;
  };
  for (const [index, run] of all.entries()) {
    now += run.gap;
    for (const known of uses.values()) {
      const last = known.at(-1);
      if (last !== undefined) last.to = now;
    }
    const leaked = [...uses.values()][index % holders.length]?.at(-1)?.generation;
    if (run.leaks && leaked !== undefined) revoked.add(leaked);
    await once(run, index);
    if (run.twice) await once({ ...run, dies: "no" }, index + 1);
    if (now > start + 730 * day) break;
  }
  return { dns, uses, revoked, saved };
}

function withRevoked(revoked: ReadonlySet<string>): Settings {
  const { dkim, tlsKey } = base.options;
  const more = { revoked: [...revoked] };
  return {
    ...base,
    options: { ...base.options, dkim: { ...dkim, ...more }, tlsKey: { ...tlsKey, ...more } },
  };
}

/** The generations whose records say their key. */
function shownBy(rotation: KeyRotation, { name }: KeyHolder): ReadonlySet<string> {
  return new Set(
    (rotation[name] ?? []).filter(({ state }) => state !== "revoked").map(({ generation }) => generation),
  );
}

/** When a key was used that somebody did not see, in words. What is signed is looked at again for five days. */
function unseen({ dns, uses, revoked }: History): readonly string[] {
  return [...uses].flatMap(([holder, known]) =>
    known.flatMap(({ generation, from, to }) => {
      const until = holder.shown || revoked.has(generation) ? to : to + 5 * day;
      const isSure = dns.isSureOf(holder, generation, { from, to: until, remembered });
      return isSure
        ? []
        : [
            `${generation} of ${holder.name} from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
          ];
    }),
  );
}

/** What there is at a moment, of what follows one another. */
function at<T extends { readonly days: number }>(all: readonly T[], now: number): T {
  let end = start;
  for (const each of all) {
    end += each.days * day;
    if (end > now) return each;
  }
  return all.at(-1) ?? assert.fail();
}

describe("in two years of runs, missed, doubled and killed, with a DNS that is late by hours, and resolvers that lie", () => {
  it("nobody meets a signature or a certificate without its key, as long as one resolver of three tells the truth", async () => {
    let turns = 0;
    await fc.assert(
      fc.asyncProperty(runs, phases, outages, async (all, lies, hours) => {
        const away = hours.flatMap((each) => [
          { days: 20, is: false },
          { days: each / 24, is: true },
        ]);
        const history = await live(
          all,
          (now) => at(lies, now).manners,
          (now) => at(away, now).is,
        );
        assert.deepEqual(unseen(history), []);
        for (const known of history.uses.values()) turns += known.length - 1;
        for (const pairs of Object.values(history.saved))
          assert.ok(pairs.length <= 4 + history.revoked.size, JSON.stringify(pairs));
      }),
      // A history of two years is not made shorter in a time that anybody would wait.
      { numRuns: 30, endOnFailure: true },
    );
    assert.ok(turns > 500, `${turns} turns`);
  });

  describe("and one nameserver that never has anything new", () => {
    const late = [0, 0, 1000 * day];
    const run: Run = { gap: day, dies: "no", lags: late, silent: false, twice: false, leaks: false };
    const all = Array.from({ length: 200 }, () => run);
    for (const honest of [0, 1, 2])
      it(`one resolver that tells of it is enough: ${honest}`, async () => {
        const liars: readonly Manner[] = ["shows", "shows"];
        assert.deepEqual(unseen(await live(all, () => liars.toSpliced(honest, 0, "honest"))), []);
      });
    it("nothing is to be had where all resolvers say what is not so", async () => {
      assert.notDeepEqual(unseen(await live(all, () => ["shows", "shows", "shows"])), []);
    });
  });
});
