import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function bundleOf(keys: Readonly<Record<string, unknown>>) {
  return hostBundles(settingsWith(keys)).find(({ name }) => name === "bans");
}

function rules(keys: Readonly<Record<string, unknown>>): readonly string[] {
  const conf = bundleOf(keys)?.files.find(({ path }) => path === "/etc/mailhost/bans.conf") ?? assert.fail();
  return conf.content.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

it("bans: on by default, and never for the operator's networks and the owner's own", () => {
  assert.deepEqual(rules({}), ["failures 10", "passwords users", "never 203.0.113.7/32"]);
  assert.deepEqual(rules({ bans: { failures: 5, never: ["192.0.2.0/24", "2001:db8::/48"] } }), [
    "failures 5",
    "passwords users",
    "never 203.0.113.7/32",
    "never 192.0.2.0/24",
    "never 2001:db8::/48",
  ]);
});

it("bans: where SSH is open to everybody, everybody is not the operator", () => {
  assert.deepEqual(rules({ ssh: { from: "the-whole-internet" } }), ["failures 10", "passwords users"]);
});

it("bans: a login has failed where the last list of passwords does not have it", () => {
  const domains = {
    "example.org": {
      since: "2026-11-21",
      mailboxes: { ann: { appPasswords: ["phone", "laptop"] }, bob: { appPasswords: ["phone"] } },
    },
  };
  assert.ok(rules({ domains }).includes("passwords app2"));
});

it("bans: off it is absent", () => {
  assert.equal(bundleOf({ bans: { failures: 0 } }), undefined);
});

it("bans: what is no network of one's own is refused with the right one", () => {
  for (const [never, advice] of [
    ["192.0.2.7", /is a single address; write 192\.0\.2\.7\/32/],
    [
      "192.0.2.7/24",
      /does not begin at its first address; write 192\.0\.2\.0\/24, or 192\.0\.2\.7\/32 for this address alone$/m,
    ],
    ["0.0.0.0/0", /is a large part of the internet/],
    ["home", /is no network/],
  ] as const)
    assert.throws(() => settingsWith({ bans: { never: [never] } }), advice);
});
