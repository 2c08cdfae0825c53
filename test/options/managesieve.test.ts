import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { hostPorts } from "../../plan/ports.ts";
import { settingsWith } from "./settings.ts";

it("managesieve: off it is absent", () => {
  const bundles = hostBundles(settingsWith({}));
  assert.equal(hostPackages(bundles).includes("dovecot-managesieved"), false);
  assert.equal(
    hostPorts(bundles).some(({ number }) => number === 4190),
    false,
  );
});

it("managesieve: on it opens 4190, after Dovecot", () => {
  const bundles = hostBundles(settingsWith({ managesieve: true }));
  assert.equal(hostPackages(bundles).includes("dovecot-managesieved"), true);
  assert.deepEqual(
    hostPorts(bundles)
      .filter(({ number }) => number === 4190)
      .map(({ name, from }) => [name, from]),
    [["sieve", "anywhere"]],
  );
  const names = bundles.map(({ name }) => name);
  assert.ok(names.indexOf("managesieve") > names.indexOf("dovecot"));
});
