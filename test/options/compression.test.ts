import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const fileOf = (keys: Readonly<Record<string, unknown>>, path: string) =>
  hostBundles(settingsWith(keys))
    .flatMap(({ files }) => files)
    .find((file) => file.path === path)?.content;
const conf = "/etc/dovecot/mailhost.d/compression.conf";

it("compression: on by default, off it is absent", () => {
  assert.match(fileOf({}, conf) ?? "", /^mail_compress_write_method = zstd$/m);
  assert.equal(fileOf({ compression: false }, conf), undefined);
});

it("compression: what is compressed is read with it off too", () => {
  for (const compression of [true, false])
    assert.match(fileOf({ compression }, "/etc/dovecot/dovecot.conf") ?? "", /^ {2}mail_compress = yes$/m);
});
