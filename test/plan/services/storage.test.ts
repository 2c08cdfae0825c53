import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../../plan/host.ts";
import { storage } from "../../../plan/services/storage.ts";
import { verbatim } from "../../../plan/template.ts";
import { sampleSettings } from "./sample.ts";

const bundle = storage(sampleSettings());
const files = new Map(bundle.files.map(({ path, content }) => [path, content]));
const program = verbatim("usr/local/lib/mailhost/storage");

it("needs nothing that is not in every Debian: it comes before volume and packages", () => {
  assert.deepEqual([bundle.packages, bundle.units, bundle.after], [[], [], []]);
});

it("each unit is named after its mount point, and the program mounts them all", () => {
  const units = [...files].flatMap(([path, content]) => {
    const name = /^\/etc\/systemd\/system\/(.+\.mount)$/.exec(path)?.[1];
    return name === undefined ? [] : [[name, /^Where=(.*)$/m.exec(content)?.[1]]];
  });
  assert.deepEqual(units, [
    ["var-spool-postfix.mount", "/var/spool/postfix"],
    ["var-lib-redis.mount", "/var/lib/redis"],
    ["var-lib-rspamd.mount", "/var/lib/rspamd"],
    ["etc-letsencrypt.mount", "/etc/letsencrypt"],
  ]);
  assert.equal(/^mounts='(.*)'$/m.exec(program)?.[1], units.map(([name]) => name).join(" "));
});

it("whoever owns a folder of the volume, or a file of any bundle, has a number of its own", () => {
  const users = files.get("/etc/sysusers.d/mailhost.conf")?.match(/^[ug] .*$/gm) ?? [];
  const numbers = users.map((line) => line.split(/\s+/)[2]);
  assert.equal(new Set(numbers).size, numbers.length);
  const known = new Set(["root", ...users.map((line) => line.split(/\s+/)[1])]);
  for (const [, owner] of program.matchAll(/install -d .*-o (\S+)/g)) assert.ok(known.has(owner), owner);
  for (const { name, files, secretFiles, directories } of hostBundles(sampleSettings()))
    for (const { path, owner, group } of [...files, ...secretFiles, ...directories])
      for (const one of [owner, group]) assert.ok(known.has(one), `${name}: ${path} belongs to ${one}`);
});

it("a file system is made in one place only, where nothing at all was found", () => {
  assert.equal(program.match(/mkfs\.ext4 -q/g)?.length, 1);
  // blkid's 2 is that there is no signature; and what has none must read as zeros.
  const nothing = /^ {8}2\)\n([\s\S]*?)^ {12};;$/m.exec(program)?.[1] ?? "";
  assert.match(
    nothing,
    /^ {16}must_be_blank\n[\s\S]*^ {12}fi\n {12}mkfs\.ext4 -q -L mailhost -m 1 -e remount-ro "\$device"$/m,
  );
});

it("the file system is mended before it is mounted, never while it is, and is read-only once it has errors", () => {
  const unit = (name: string) =>
    new RegExp(`^cat >/etc/systemd/system/\\.${name}\\.new <<END\\n([^]*?)^END$`, "m").exec(program)?.[1] ??
    assert.fail(name);
  const [check, mount] = [unit("mailhost-fsck\\.service"), unit("srv\\.mount")];
  assert.match(check, /^Before=srv\.mount /m);
  assert.match(check, /^ConditionPathIsMountPoint=!\/srv$/m);
  // That it could not grow keeps it from nothing.
  assert.match(
    check,
    /^ExecStart=\/usr\/sbin\/e2fsck -p \$device\n[\s\S]*^ExecStart=-\/usr\/local\/lib\/mailhost\/storage --grow \$device$/m,
  );
  // A device's unit is waited for where there is one, and not demanded: a container has none.
  assert.doesNotMatch(check, /^(Requires|BindsTo|Wants)=/m);
  for (const needs of ["Requires", "After"])
    assert.match(mount, new RegExp(`^${needs}=mailhost-fsck\\.service$`, "m"));
  assert.match(mount, /^Options=errors=remount-ro,nodev,nosuid$/m);
});
