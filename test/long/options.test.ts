/**
 * From all off to all on and back, one option at a time: each changes something and converges, what goes leaves no trace, not
 * a line in a file, and after each step the check finds all right. With everything off, and with everything on, no log has a
 * warning after a day's work. The locked store is left out: it is for a new volume alone (locked.test.ts);
 * and so is the certificate by the DNS, which wants a nameserver of one's own and no webmail beside it (dns01.test.ts).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Document, parseDocument } from "yaml";
import { type OptionValues, options } from "../../options/list.ts";
import type { Option } from "../../options/option.ts";
import { bringSignature, takeSignature } from "../e2e/clamav.ts";
import { everything, largerMachine, putInByHand } from "../e2e/everything.ts";
import { changes, changesSince, footprint } from "../e2e/footprint.ts";
import { unexplained } from "../e2e/logs.ts";
import { keepInStack, onHost, previewSteps, stackText, succeed, up } from "../e2e/mailhost.ts";
import { aDay } from "./day.ts";
import { ownCloud } from "./own-cloud.ts";

/** What is on, or takes its share, without being asked for: how it is written that it is off, or as little as can be. */
const off: { readonly [key in keyof OptionValues]?: unknown } = {
  bans: { failures: 0 },
  caa: false,
  clientSetup: false,
  compression: false,
  dane: false,
  dnssec: false,
  expiry: { trash: 0, junk: 0 },
  incomingLimit: { connections: 0 },
  learning: false,
  logs: { days: 1, size: 50 },
  mtaSts: false,
  outgoingLimit: 0,
  ownPasswords: false,
  quota: { size: 0 },
  queue: { warnAfterHours: 0, bounceDays: 0 },
  reports: false,
  search: false,
  spam: { greylist: 0 },
  srs: false,
  swap: false,
  tlsReports: false,
  upgrades: { security: false, reboot: "never" },
};

/** On whether or not there is webmail, which is switched on later. */
const asked: { readonly [key in keyof OptionValues]?: unknown } = { ownPasswords: true };

/** What leaves host and records as they are: when keys take turns, and a zone's own signatures. */
const elsewhere: readonly (keyof OptionValues)[] = ["dkim", "dnssec", "hostKey", "tlsKey"];

const all: readonly Option[] = options;
/**
 * What cannot be alone: of the zones that somebody else keeps here nothing is known before domains are parked in them, and who
 * takes complaints reads reports.
 */
const together: readonly (readonly string[])[] = [
  ["parked", "dns"],
  ["feedback", "reports"],
];
const switched = all
  .map(({ key }) => key as string)
  .filter((key) => !["lockedStore", "dnsChallenge"].includes(key))
  .filter((key) => !together.some(([, second]) => second === key))
  .map((key) => together.find(([first]) => first === key) ?? [key]);
const path = (key: string) => ["config", `mailhost:${key}`];

ownCloud((stack) => {
  largerMachine(stack);
  for (const [key, value] of Object.entries(off)) stack.setIn(path(key), stack.createNode(value));
});

/** What an option is switched on by: by the default, where that is not off; else as everything.ts has it; else by an example. */
async function on(): Promise<(stack: Document, key: string) => void> {
  const whole = parseDocument(stackText());
  (await everything())(whole);
  return (stack, key) => {
    const example = all.find((option) => option.key === key)?.schema.meta()?.examples as
      | readonly unknown[]
      | undefined;
    const value = asked[key as keyof OptionValues];
    if (value !== undefined) stack.setIn(path(key), stack.createNode(value));
    else if (key in off) stack.deleteIn(path(key));
    else stack.setIn(path(key), whole.getIn(path(key)) ?? stack.createNode(example?.[0]));
  };
}

async function dayWithoutAWarning(): Promise<void> {
  const began = await onHost("date +%s");
  await aDay();
  // Apart from the bounce that is part of it.
  assert.deepEqual(await unexplained(`@${began.trim()}`, [/gone@example\.net/]), []);
}

/** How the host was before each. */
const before = new Map<string, ReadonlySet<string>>();
/** How it is after the last that was switched on. */
let now: ReadonlySet<string> | undefined;

test("everything off: the check finds all right, and a day's work leaves no warning", async () => {
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
  await dayWithoutAWarning();
});

for (const keys of switched)
  test(`${keys.join(" and ")} on`, async (t) => {
    const switchOn = await on();
    const was = now ?? (await footprint());
    before.set(keys.join(), was);
    now = undefined;
    keepInStack((stack) => {
      for (const key of keys) switchOn(stack, key);
    });
    t.diagnostic(`up: ${(await up()).seconds.toFixed(1)} s`);
    if (keys.includes("clamav")) await bringSignature();
    if (keys.includes("dns")) await putInByHand();
    now = await footprint();
    if (!elsewhere.some((key) => keys.includes(key)))
      assert.notDeepEqual(changes(was, now), { came: [], went: [] }, "it changes nothing");
    assert.deepEqual(await previewSteps(), []);
    await succeed(["check"]);
  });

test("everything on: a day's work leaves no warning", dayWithoutAWarning);

for (const keys of switched.toReversed())
  test(`${keys.join(" and ")} off`, async (t) => {
    if (keys.includes("clamav")) await takeSignature();
    keepInStack((stack) => {
      for (const key of keys) {
        const value = off[key as keyof OptionValues];
        if (value === undefined) stack.deleteIn(path(key));
        else stack.setIn(path(key), stack.createNode(value));
      }
    });
    t.diagnostic(`up: ${(await up()).seconds.toFixed(1)} s`);
    assert.deepEqual(await changesSince(before.get(keys.join()) ?? new Set()), { came: [], went: [] });
    assert.deepEqual(await previewSteps(), []);
    await succeed(["check"]);
  });
