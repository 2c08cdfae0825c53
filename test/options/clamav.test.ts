import assert from "node:assert/strict";
import { it } from "node:test";
import { hostExits } from "../../plan/egress.ts";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const large = { server: { architecture: "arm64", instanceType: "t4g.medium" } };

const scanned = (keys: Readonly<Record<string, unknown>>) =>
  hostBundles(settingsWith(keys))
    .flatMap(({ files }) => files)
    .find(({ path }) => path === "/etc/rspamd/local.d/settings.conf")
    ?.content.match(/CLAM_VIRUS/g)?.length ?? 0;

it("clamav: off it is absent", () => {
  assert.deepEqual(
    hostPackages(hostBundles(settingsWith({}))).filter((name) => name.startsWith("clam")),
    [],
  );
  assert.equal(scanned({}), 0);
});

it("clamav: on it looks into what goes out, too, and may get its signatures where egress is restricted", () => {
  const keys = { ...large, clamav: true, egress: "restricted" };
  assert.deepEqual(
    hostPackages(hostBundles(settingsWith(keys))).filter((name) => name.startsWith("clam")),
    ["clamav-daemon", "clamav-freshclam"],
  );
  assert.equal(scanned(keys), 1);
  assert.deepEqual(hostExits(settingsWith(keys))?.find(({ ports }) => ports.includes(443))?.users, [
    "_apt",
    "_rspamd",
    "clamav",
  ]);
});

it("clamav: refused on a machine that is too small for it", () => {
  assert.throws(
    () => settingsWith({ clamav: true }),
    /mailhost:clamav.*needs a machine of 4 GB, and a t4g\.small has at most 2; write mailhost:server\.instanceType: t4g\.medium/,
  );
  assert.throws(
    () => settingsWith({ clamav: true, server: { architecture: "arm64", instanceType: "c7g.medium" } }),
    /a c7g\.medium has at most 2; write mailhost:server\.instanceType: c7g\.large/,
  );
});
