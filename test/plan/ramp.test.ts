import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  bounds,
  climb,
  type MailSeen,
  mailVerdict,
  type RampState,
  stepDays,
  tlsVerdict,
} from "../../plan/ramp.ts";
import { ramped, statesOf, type Weighed } from "../../plan/ramps.ts";
import { askedSince, rampSettings } from "./ramping.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse("2026-11-21T09:00:00Z");
const steps = ["none", "quarantine", "reject"] as const;
const at = (days: number) => new Date(start + days * day);
const state = (policy: string, days = 0, why = ""): RampState => ({
  policy,
  since: at(days).toISOString(),
  why,
});
const safe = () => ({ isSafe: true, isAlarm: false, text: "All passes.", short: "30 messages" });
const unsafe = () => ({ isSafe: false, isAlarm: true, text: "Much fails.", short: "" });
const climbed = (
  days: number,
  before: RampState | undefined,
  verdict: Parameters<typeof climb>[0]["verdict"] = safe,
  published?: string,
) => climb({ steps, before, published, now: at(days), verdict });

describe("a policy that ramps", () => {
  it("begins with the mildest, or with the one that the world knows already", () => {
    assert.deepEqual(climbed(0, undefined).state, state("none"));
    assert.deepEqual(climbed(0, undefined, safe, "quarantine").state, state("quarantine"));
    assert.deepEqual(climbed(0, undefined, safe, "something else").state, state("none"));
  });

  it("moves after a month, one step at a time, and says what let it", () => {
    const early = climbed(29.9, state("none"));
    assert.deepEqual(early.state, state("none"));
    assert.equal(early.text, "none since 2026-11-21, 29 of 30 days. All passes.");
    const moved = climbed(30, state("none"));
    assert.deepEqual(moved.state, state("quarantine", 30, "30 messages"));
    assert.equal(moved.text, "from none to quarantine. All passes.");
    assert.deepEqual(climbed(400, moved.state).state.policy, "reject");
    const last = climbed(800, state("reject"));
    assert.deepEqual([last.state, last.text], [state("reject"), "reject since 2026-11-21, the last step"]);
    const failing = climbed(800, state("reject"), unsafe);
    assert.deepEqual(
      [failing.state, failing.isAlarm, failing.text],
      [state("reject"), true, "reject since 2026-11-21, the last step. Much fails."],
    );
  });

  it("stays where the reports say no, and is loud only where the policy hurts already", () => {
    const mild = climbed(40, state("none"), unsafe);
    assert.deepEqual([mild.state, mild.isAlarm], [state("none"), false]);
    assert.equal(mild.text, "none since 2026-11-21, and not quarantine yet. Much fails.");
    const strict = climbed(3, state("quarantine"), unsafe);
    assert.deepEqual([strict.state, strict.isAlarm], [state("quarantine"), true]);
  });

  it("never goes back: not for a run that died, and not for what a state says that is no step", () => {
    assert.deepEqual(climbed(40, state("none"), safe, "quarantine").state, state("quarantine", 40));
    assert.deepEqual(climbed(3, state("quarantine"), unsafe, "none").state, state("quarantine"));
    assert.deepEqual(climbed(3, state("enforce"), safe, "none").state, state("none", 3));
  });

  it("is not held up by a clock that was ahead once", () => {
    assert.deepEqual(climbed(0, state("quarantine", 900)).state, state("quarantine"));
  });
});

const seen = (reporter: string, some: Partial<MailSeen>): MailSeen => ({
  reporter,
  passed: 0,
  failed: 0,
  altered: 0,
  strange: 0,
  ...some,
});
const evidence = (...reporters: readonly MailSeen[]) => ({
  reporters,
  failing: [{ ip: "198.51.100.1", messages: 9 }],
  strangers: [{ ip: "203.0.113.9", messages: 7 }],
});
const verdict = (next: string, ...reporters: readonly MailSeen[]) =>
  mailVerdict(evidence(...reporters), next);

describe("reports on DMARC", () => {
  it("let a policy move when enough of them say that the own mail passes", () => {
    const { isSafe, text, short } = verdict(
      "quarantine",
      seen("one.example", { passed: 300 }),
      seen("two.example", { passed: 112, failed: 1 }),
    );
    assert.ok(isSafe);
    assert.equal(text, "413 own messages in reports of 2 organisations, 1 failed.");
    assert.equal(short, "413 messages, 2 reporters, 1 failed");
  });

  it("do not where there are too few, from too few", () => {
    const few = verdict(
      "quarantine",
      seen("one.example", { passed: 10 }),
      seen("two.example", { passed: 19 }),
    );
    assert.deepEqual([few.isSafe, few.isAlarm], [false, false]);
    assert.equal(
      few.text,
      "The reports tell of 29 own messages and come from 2 organisations: 30 of 2 are needed.",
    );
    // Two names of one organisation are one, and who has seen nothing pass has seen nothing.
    for (const other of ["a.one.example", "two.example"])
      assert.equal(
        verdict(
          "quarantine",
          seen("one.example", { passed: 100 }),
          seen(other, other === "two.example" ? { strange: 50 } : { passed: 50 }),
        ).isSafe,
        false,
        other,
      );
  });

  it("do not where more of the own mail fails than a bad day explains, and name where", () => {
    const { isSafe, isAlarm, text } = verdict(
      "quarantine",
      seen("one.example", { passed: 300, failed: 2 }),
      seen("two.example", { passed: 90, failed: 7, strange: 50 }),
    );
    assert.deepEqual([isSafe, isAlarm], [false, true]);
    assert.equal(
      text,
      "Of 399 own messages 9 fail (198.51.100.1: 9; seen by two.example, one.example). 50 messages of strangers fail (203.0.113.9: 7): name the sender in SPF and let it sign if it is yours.",
    );
  });

  it("are no cause for alarm where one of a handful fails", () => {
    const { isSafe, isAlarm } = verdict("reject", seen("one.example", { passed: 28, failed: 1 }));
    assert.deepEqual([isSafe, isAlarm], [false, false]);
    assert.ok(verdict("reject", seen("one.example", { passed: 29, failed: 1 })).isAlarm);
  });

  it("do not where one has seen it fail, whatever number others make up", () => {
    const { isSafe, text } = verdict(
      "quarantine",
      seen("liar.example", { passed: 1_000_000_000 }),
      seen("one.example", { passed: 98, failed: 2 }),
    );
    assert.equal(isSafe, false);
    assert.match(text, /^Of 100 own messages that one\.example has seen 2 fail /);
  });

  it("are not hindered by strangers, who are what the policy is for", () => {
    const { isSafe, text } = verdict(
      "reject",
      seen("one.example", { passed: 30, strange: 5000 }),
      seen("two.example", { passed: 30 }),
    );
    assert.ok(isSafe);
    assert.match(text, /none fails\. 5000 messages of strangers fail \(203\.0\.113\.9: 7\)/);
  });

  it("let nothing be refused where much loses its signature on the way", () => {
    const both = [seen("one.example", { passed: 80, altered: 10 }), seen("two.example", { passed: 10 })];
    assert.ok(verdict("quarantine", ...both).isSafe);
    const { isSafe, isAlarm, text } = verdict("reject", ...both);
    assert.deepEqual([isSafe, isAlarm], [false, false]);
    assert.match(
      text,
      /^Of 100 own messages 10 lost the signature at who passed them on, and would be refused\./,
    );
  });

  it("let no busy reporter hide what another has seen lose its signature", () => {
    const { isSafe, text } = verdict(
      "reject",
      seen("one.example", { passed: 40, altered: 40 }),
      seen("two.example", { passed: 5000 }),
    );
    assert.equal(isSafe, false);
    assert.match(text, /^Of 80 own messages that one\.example has seen 40 lost the signature/);
  });
});

describe("reports on TLS", () => {
  const good = (reporter: string, sessions: number) => ({ reporter, failure: "", sessions });

  it("let a policy be enforced when enough of them name no failure", () => {
    const { isSafe, text, short } = tlsVerdict([good("one.example", 20), good("two.example", 10)]);
    assert.ok(isSafe);
    assert.equal(text, "30 sessions in reports of 2 organisations, none failed.");
    assert.equal(short, "30 sessions, 2 reporters, 0 failed");
    assert.equal(tlsVerdict([good("one.example", 200)]).isSafe, false);
    assert.equal(tlsVerdict([good("one.example", 9), good("two.example", 20)]).isSafe, false);
  });

  it("do not for one failure of a certificate or of the policy, or for many of another kind", () => {
    const many = [good("one.example", 1000), good("two.example", 100)];
    for (const failure of ["certificate-expired", "sts-policy-fetch-error", "sts-webpki-invalid"]) {
      const { isSafe, isAlarm, text } = tlsVerdict([
        ...many,
        { reporter: "two.example", failure, sessions: 1 },
      ]);
      assert.deepEqual([isSafe, isAlarm], [false, true]);
      assert.equal(text, `Of 1101 sessions 1 failed (${failure} at two.example: 1).`);
    }
    const dropped = (sessions: number) =>
      tlsVerdict([...many, { reporter: "two.example", failure: "starttls-not-supported", sessions }]).isSafe;
    assert.deepEqual([dropped(1), dropped(2)], [true, false]);
  });
});

it("whoever may write any number cannot make a comment longer than a record takes", () => {
  const { short } = verdict(
    "quarantine",
    ...Array.from({ length: 999 }, (_, index) => seen(`r${index}.example`, { passed: 1e12, failed: 1e9 })),
  );
  assert.ok(`DMARC: quarantine since 2026-12-05: ${short}`.length <= 83, short);
});

/** A day of mail as one reporter has seen it. */
interface Report {
  readonly reporter: string;
  readonly isTrue: boolean;
  readonly ends: number;
  readonly arrives: number;
  readonly passed: number;
  readonly failed: number;
  readonly strange: number;
}

/** What a year is like. */
interface Year {
  /** Messages that each honest reporter sees on a day. */
  readonly traffic: readonly number[];
  /** Days on which something breaks, for how long, and what share of the mail fails then. */
  readonly bursts: readonly { readonly from: number; readonly days: number; readonly share: number }[];
  readonly liars: readonly { readonly from: number; readonly passed: number; readonly failed: number }[];
  readonly delays: readonly number[];
  readonly runs: readonly {
    readonly gap: number;
    readonly dies: "before" | "published" | "no";
    readonly twice: boolean;
  }[];
}

const year: fc.Arbitrary<Year> = fc.record({
  traffic: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }),
  bursts: fc.array(
    fc.record({
      from: fc.integer({ min: 0, max: 360 }),
      days: fc.integer({ min: 1, max: 25 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 5 },
  ),
  liars: fc.array(
    fc.record({
      from: fc.integer({ min: 0, max: 360 }),
      passed: fc.integer({ min: 0, max: 1_000_000 }),
      failed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1000 })),
    }),
    { maxLength: 6 },
  ),
  delays: fc.array(fc.integer({ min: 0, max: 6 * 24 }), { minLength: 7, maxLength: 31 }),
  runs: fc.array(
    fc.record({
      gap: fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: 22 * hour, max: 26 * hour }) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: hour }) },
        { weight: 1, arbitrary: fc.integer({ min: 7 * day, max: 40 * day }) },
      ),
      dies: fc.oneof(
        { weight: 8, arbitrary: fc.constant("no" as const) },
        { weight: 1, arbitrary: fc.constantFrom("before" as const, "published" as const) },
      ),
      twice: fc.boolean(),
    }),
    { minLength: 300, maxLength: 360 },
  ),
});

function reportsOf({ traffic, bursts, liars, delays }: Year): readonly Report[] {
  const days = Array.from({ length: 365 }, (_, index) => index);
  const delay = (index: number) => (delays[index % delays.length] ?? 0) * hour;
  const honest = days.flatMap((index) => {
    const share = Math.max(
      0,
      ...bursts.filter(({ from, days }) => index >= from && index < from + days).map(({ share }) => share),
    );
    return traffic.map((messages, who): Report => {
      const failed = Math.round(messages * share);
      const ends = start + (index + 1) * day;
      return {
        reporter: `honest${who}.example`,
        isTrue: true,
        ends,
        arrives: ends + delay(index + who),
        passed: messages - failed,
        failed,
        strange: index % 3,
      };
    });
  });
  const forged = liars.map(({ from, passed, failed }, index): Report => {
    const ends = start + from * day;
    return {
      reporter: `liar${index}.example`,
      isTrue: false,
      ends,
      arrives: ends,
      passed,
      failed,
      strange: 0,
    };
  });
  return [...honest, ...forged];
}

it("in a year of runs, missed, doubled, killed, with reports that are late and some that lie, no policy moves too early or back", () => {
  let [moves, strictest] = [0, 0];
  const settings = rampSettings();
  fc.assert(
    fc.property(year, (all) => {
      const reports = reportsOf(all);
      let now = start;
      let saved: Readonly<Record<string, RampState>> = {};
      let published: string | undefined;
      let changed = start;
      const once = (dies: Year["runs"][number]["dies"]) => {
        if (dies === "before") return;
        const since = askedSince(settings, saved, new Date(now));
        const heard = reports.filter(({ ends, arrives }) => ends / 1000 >= since && arrives <= now);
        const weighed: Weighed = {
          dmarc: {
            "example.org": {
              reporters: [...Map.groupBy(heard, ({ reporter }) => reporter)].map(([reporter, some]) => ({
                reporter,
                altered: 0,
                passed: total(some, "passed"),
                failed: total(some, "failed"),
                strange: total(some, "strange"),
              })),
              failing: [],
              strangers: [],
            },
          },
          tls: [],
        };
        const texts = new Map(
          published === undefined ? [] : [["_dmarc.example.org", `"v=DMARC1; p=${published}; adkim=s"`]],
        );
        const found = ramped(settings, saved, texts, new Date(now), weighed);
        const policy = found[0]?.state.policy ?? assert.fail();
        const step = (name: string | undefined) => (steps as readonly (string | undefined)[]).indexOf(name);
        if (policy !== (published ?? "none")) {
          assert.equal(step(policy), step(published ?? "none") + 1, `${published} to ${policy}`);
          assert.ok(now - changed >= stepDays * day, "sooner than a month");
          const honest = heard.filter(({ isTrue }) => isTrue);
          for (const [reporter, some] of Map.groupBy(honest, ({ reporter }) => reporter)) {
            const failed = total(some, "failed");
            const limit = Math.max(1, bounds.failing * (failed + total(some, "passed")));
            assert.ok(failed <= limit, `${reporter} has seen ${failed} fail`);
          }
          const own = total(heard, "failed") + total(heard, "passed");
          assert.ok(total(heard, "failed") <= bounds.failing * own, "too much fails");
          assert.ok(own >= bounds.count, "too little is known");
          moves += 1;
          if (policy === "reject") strictest += 1;
          changed = now;
        }
        published = policy;
        if (dies === "no") saved = statesOf(found);
      };
      for (const { gap, dies, twice } of all.runs) {
        now += gap;
        once(dies);
        if (twice) once("no");
        if (now > start + 365 * day) break;
      }
    }),
    // A history of a year is not made shorter in a time that anybody would wait.
    { numRuns: 300, endOnFailure: true },
  );
  assert.ok(moves > 150 && strictest > 50, `${moves} moves, ${strictest} to reject`);
});

function total(some: readonly Report[], key: "passed" | "failed" | "strange"): number {
  return some.reduce((sum, report) => sum + report[key], 0);
}
