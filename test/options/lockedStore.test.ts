import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bundleDocument } from "../../plan/bundle.ts";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { render } from "../../plan/template.ts";
import { settingsWith } from "./settings.ts";

const passphrase = "correct horse battery";

function filesOf(keys: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const bundles = hostBundles(settingsWith(keys));
  return new Map(bundles.flatMap(({ files }) => files.map(({ path, content }) => [path, content])));
}

const upgrades = (keys: Readonly<Record<string, unknown>>) =>
  filesOf(keys).get("/etc/apt/apt.conf.d/52mailhost") ?? "";

describe("lockedStore", () => {
  it("is absent by default and switched off", () => {
    const usual = hostBundles(settingsWith({}));
    assert.deepEqual(
      hostBundles(settingsWith({ lockedStore: false })).map(bundleDocument),
      usual.map(bundleDocument),
    );
    assert.ok(!hostPackages(usual).includes("fscrypt"));
    const paths = [...filesOf({}).keys()].filter((path) => /store|fscrypt|dkim\.mount/.test(path));
    assert.deepEqual(paths, []);
  });

  for (const lockedStore of [true, { passphrase }, {}]) {
    it(`is on: ${JSON.stringify(Object.keys(lockedStore))}`, () => {
      const found = filesOf({ lockedStore });
      const before = filesOf({});
      // Swap would write what quotes mail to the root disk; it has two files.
      assert.deepEqual([...before.keys()].filter((path) => !found.has(path)).toSorted(), [
        "/etc/sysctl.d/60-swap.conf",
        "/etc/systemd/system/mailhost-swap.service",
      ]);
      assert.deepEqual([...found.keys()].filter((path) => !before.has(path)).toSorted(), [
        "/etc/fscrypt.conf",
        "/etc/systemd/system/etc-mailhost-tls.mount",
        "/etc/systemd/system/etc-rspamd-dkim.mount",
        "/etc/systemd/system/mailhost-store.service",
        "/etc/systemd/system/var-lib-postfix.mount",
        "/etc/tmpfiles.d/mailhost-store.conf",
        "/usr/local/lib/mailhost/store",
      ]);
      assert.ok(hostPackages(hostBundles(settingsWith({ lockedStore }))).includes("fscrypt"));
      for (const text of found.values()) assert.doesNotMatch(text, /correct horse/);
      JSON.parse(found.get("/etc/fscrypt.conf") ?? "");
    });
  }

  it("whoever keeps something waits for the volume, and so for the store", () => {
    const found = filesOf({ lockedStore: true, web: true, ownPasswords: true, removed: { keepDays: 9 } });
    const waits = (path: string) => found.get(path) ?? assert.fail(`no ${path}`);
    for (const unit of ["postfix", "dovecot", "rspamd", "redis-server", "nginx", "php8.4-fpm"])
      assert.match(
        waits(`/etc/systemd/system/${unit}.service.d/mailhost.conf`),
        /^RequiresMountsFor=\/(srv\/|var\/spool\/postfix|var\/lib\/(redis|rspamd))/m,
      );
    const ours = [...found].filter(([path]) =>
      /\/mailhost-(certificate|passwords|expiry|removed)\.service$/.test(path),
    );
    assert.equal(ours.length, 4);
    for (const [path, text] of ours) assert.match(text, /^RequiresMountsFor=\/srv\//m, path);
    for (const [path, text] of found)
      if (path.endsWith(".mount")) assert.match(text, /^Requires=srv\.mount$/m, path);
  });

  it("a host that comes up locked reboots by itself only at a time that its owner wrote", () => {
    assert.match(upgrades({ lockedStore: true }), /Automatic-Reboot "false"/);
    assert.match(
      upgrades({ lockedStore: true, upgrades: { reboot: "05:00" } }),
      /Automatic-Reboot "true";[\s\S]*Automatic-Reboot-Time "05:00"/,
    );
    assert.match(upgrades({}), /Automatic-Reboot-Time "04:00"/);
  });

  it("swap that somebody wrote beside it is refused, with the way out; without it there is none", () => {
    assert.throws(
      () => settingsWith({ lockedStore: true, swap: { size: 512 } }),
      /mailhost:lockedStore: keeps what quotes mail off the root disk, while `swap` writes to it; take `swap` out/,
    );
    settingsWith({ lockedStore: true, swap: false });
    settingsWith({ lockedStore: false, swap: { size: 512 } });
  });

  it("a passphrase that could be guessed, or that no line can carry, is refused without being shown", () => {
    for (const wrong of [
      "too short",
      " a blank in front of it",
      "two lines\nof a passphrase",
      "a\ttab in between",
    ]) {
      assert.throws(
        () => settingsWith({ lockedStore: { passphrase: wrong } }),
        (error: Error) => {
          assert.match(
            error.message,
            /mailhost:lockedStore\.passphrase: is no passphrase; write one of at least 12/,
          );
          return !error.message.includes(wrong);
        },
      );
    }
    settingsWith({ lockedStore: { passphrase: "größer als zwölf" } });
  });

  it("what a login says while it is locked is one line of tmpfiles.d, and names the command", () => {
    const text = render("etc/tmpfiles.d/mailhost-store.conf", {});
    assert.match(
      text,
      /^f\+ \/run\/motd\.d\/mailhost-store 0644 root root - THIS HOST IS LOCKED.*npm run unlock/m,
    );
  });
});
