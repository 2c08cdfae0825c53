import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const mainCf = (keys: Readonly<Record<string, unknown>>) =>
  hostBundles(settingsWith(keys))
    .flatMap(({ files }) => files)
    .find(({ path }) => path === "/etc/postfix/main.cf")?.content ?? "";
const times = (keys: Readonly<Record<string, unknown>>) =>
  [...mainCf(keys).matchAll(/^(\w+_(?:lifetime|time|delay)) = (\d+[dhm])$/gm)].map(
    ([, name, value]) => `${name} ${value}`,
  );

it("queue: five days, warned after four hours, and tries from five minutes to an hour apart", () => {
  assert.deepEqual(times({}), [
    "maximal_queue_lifetime 5d",
    "bounce_queue_lifetime 1d",
    "delay_warning_time 4h",
    "queue_run_delay 5m",
    "minimal_backoff_time 5m",
    "maximal_backoff_time 66m",
  ]);
});

it("queue: each time can be another", () => {
  const queue = { days: 3, bounceDays: 0, warnAfterHours: 0, firstRetryMinutes: 1, lastRetryMinutes: 30 };
  assert.deepEqual(
    times({ queue }).map((time) => time.split(" ")[1]),
    ["3d", "0d", "0h", "1m", "1m", "30m"],
  );
});

it("queue: what cannot be is said", () => {
  for (const [queue, message] of [
    [{ days: 2, bounceDays: 3 }, /queue\.bounceDays: is more than days; write 2 at most/],
    [{ firstRetryMinutes: 40, lastRetryMinutes: 20 }, /queue\.lastRetryMinutes: is less than/],
    [{ days: 0 }, /queue\.days: is out of range/],
  ] as const)
    assert.throws(() => settingsWith({ queue }), message);
});
