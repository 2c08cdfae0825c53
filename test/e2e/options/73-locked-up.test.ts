/** What the options bring is locked up by systemd like all else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { exposedAbove, running } from "../exposure.ts";

/** With a port that the world reaches. */
const doors = ["ssh", "postfix", "dovecot", "nginx"].map((name) => `${name}.service`);
/** They run now and then. */
const passing = [
  "mailhost-expiry",
  "mailhost-index",
  "mailhost-passwords",
  "roundcube-cleandb",
  "roundcube-gc",
];

test("with everything on, systemd locks up every daemon: 4.0 at most with an open port, 5.0 without", async () => {
  const now = await running();
  for (const door of doors) assert.ok(now.includes(door), `${door} does not run`);
  const inside = [...now, ...passing.map((name) => `${name}.service`)].filter(
    (unit) => !doors.includes(unit) && !/^apt-/.test(unit),
  );
  assert.equal(await exposedAbove(40, doors), "");
  assert.equal(await exposedAbove(50, inside), "");
});
