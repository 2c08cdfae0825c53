import assert from "node:assert/strict";
import { it } from "node:test";
import { base } from "../../../plan/services/base.ts";
import { sampleSettings } from "./sample.ts";

const settings = sampleSettings();
const bundle = base({ ...settings, server: { ...settings.server, timeZone: "Europe/Berlin" } });
const file = (path: string) =>
  bundle.files.find((candidate) => candidate.path === path)?.content ?? assert.fail(path);

it("the host knows its own full name without the DNS", () => {
  assert.equal(file("/etc/hostname"), "mail\n");
  assert.match(file("/etc/hosts"), /^127\.0\.1\.1 mail\.example\.org mail$/m);
  assert.equal(file("/etc/mailname"), "mail.example.org\n");
});

it("the time zone is a link that tmpfiles makes", () => {
  assert.match(
    file("/etc/tmpfiles.d/mailhost.conf"),
    /^L\+ \/etc\/localtime - - - - \.\.\/usr\/share\/zoneinfo\/Europe\/Berlin$/m,
  );
});
