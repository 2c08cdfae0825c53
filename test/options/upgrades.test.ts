import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const config = "/etc/apt/apt.conf.d/52mailhost";

function deployed(upgrades?: object): string | undefined {
  const bundles = hostBundles(settingsWith(upgrades === undefined ? {} : { upgrades }));
  return bundles.flatMap(({ files }) => files).find(({ path }) => path === config)?.content;
}

it("upgrades: by default security updates come by themselves, with a reboot at four", () => {
  assert.match(deployed() ?? "", /Automatic-Reboot "true";[\s\S]*Automatic-Reboot-Time "04:00";/);
});

it("upgrades: the owner sets the hour, or that there is none", () => {
  assert.match(deployed({ reboot: "23:59" }) ?? "", /Automatic-Reboot-Time "23:59";/);
  const never = deployed({ reboot: "never" }) ?? "";
  assert.match(never, /Automatic-Reboot "false";/);
  assert.doesNotMatch(never, /Automatic-Reboot-Time/);
  for (const reboot of ["24:00", "4", "always"])
    assert.throws(() => settingsWith({ upgrades: { reboot } }), /mailhost:upgrades/);
});

it("upgrades: off they are absent, and what Debian's image may bring is told to rest", () => {
  assert.match(deployed({ security: false }) ?? "", /^\/\/ .*\nAPT::Periodic::Unattended-Upgrade "0";\n$/);
  const bring = ["unattended-upgrades", "needrestart", "apt-listchanges"];
  const brought = (security: boolean) =>
    hostPackages(hostBundles(settingsWith({ upgrades: { security } }))).filter((name) =>
      bring.includes(name),
    );
  assert.deepEqual([brought(true), brought(false)], [bring.toSorted(), []]);
});
