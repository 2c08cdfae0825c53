import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../../plan/host.ts";
import { storage } from "../../../plan/services/storage.ts";
import { verbatim } from "../../../plan/template.ts";
import { settingsWith } from "../../options/settings.ts";
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

/** The text of a unit that the program writes, with its variables as they stand. */
function written(name: string): string {
  const start = `system/.${name}.new`;
  const rest = program.slice(program.indexOf(start) + start.length);
  return /^"? <<END\n([\s\S]*?)^END$/m.exec(rest)?.[1] ?? assert.fail(name);
}

it("the file system is mended before it is mounted, never while it is, and is read-only once it has errors", () => {
  const [check, mount] = [written("mailhost-fsck.service"), written("$unit")];
  assert.match(check, /^Before=\$unit /m);
  assert.match(check, /^ConditionPathIsMountPoint=!\$place$/m);
  assert.match(mount, /^Where=\$place$/m);
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

it("a locked store: /srv starts only where somebody has opened it, and asks nobody to", () => {
  const mount = written("srv.mount");
  assert.match(mount, /^Requisite=mailhost-store\.service$/m);
  assert.match(mount, /^After=mailhost-store\.service$/m);
  assert.doesNotMatch(mount, /^(Requires|BindsTo|Wants|WantedBy)=/m);
  assert.match(mount, /^What=\/volume\/store\nWhere=\/srv$/m);
  const files = storage(settingsWith({ lockedStore: true })).files;
  const binds = files.flatMap(({ path }) => /([^/]+\.mount)$/.exec(path)?.[1] ?? []);
  const more = /^ {4}mounts="\$mounts (.*)"$/m.exec(program)?.[1]?.split(" ") ?? [];
  assert.deepEqual(binds.slice(-more.length).toSorted(), more.toSorted());
});
