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
  assert.deepEqual(rules({}), ["failures 10", "never 203.0.113.7/32"]);
  assert.deepEqual(rules({ bans: { failures: 5, never: ["192.0.2.0/24", "2001:db8::/48"] } }), [
    "failures 5",
    "never 203.0.113.7/32",
    "never 192.0.2.0/24",
    "never 2001:db8::/48",
  ]);
});

it("bans: where SSH is open to everybody, everybody is not the operator", () => {
  assert.deepEqual(rules({ ssh: { from: "the-whole-internet" } }), ["failures 10"]);
});

it("bans: who is never banned gets past the banned networks, by either family", () => {
  const table = bundleOf({ bans: { never: ["192.0.2.0/24", "2001:db8::5/128"] } })?.files.find(
    ({ path }) => path === "/etc/mailhost/bans.nft",
  )?.content;
  const [before = ""] = table?.split("ip saddr @banned_v4 drop") ?? [];
  for (const line of [
    "ip saddr 203.0.113.7/32 accept",
    "ip saddr 192.0.2.0/24 accept",
    "ip6 saddr 2001:db8::5/128 accept",
  ])
    assert.ok(before.includes(line), line);
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
