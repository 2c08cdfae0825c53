import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { hostPorts } from "../../plan/ports.ts";
import { settingsWith } from "./settings.ts";

it("pop3s: off it is absent", () => {
  const bundles = hostBundles(settingsWith({}));
  assert.equal(hostPackages(bundles).includes("dovecot-pop3d"), false);
  assert.equal(
    hostPorts(bundles).some(({ number }) => number === 995),
    false,
  );
});

it("pop3s: on it opens 995 alone, after Dovecot", () => {
  const bundles = hostBundles(settingsWith({ pop3s: true }));
  assert.deepEqual(
    hostPorts(bundles)
      .filter(({ number }) => number === 995 || number === 110)
      .map(({ name, from }) => [name, from]),
    [["pop3s", "anywhere"]],
  );
  const names = bundles.map(({ name }) => name);
  assert.ok(names.indexOf("pop3s") > names.indexOf("dovecot"));
});
