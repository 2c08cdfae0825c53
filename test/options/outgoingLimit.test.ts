import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function files(keys: Readonly<Record<string, unknown>>) {
  const all = hostBundles(settingsWith(keys)).flatMap(({ files }) => files);
  const content = (path: string) => all.find((file) => file.path === path)?.content;
  return {
    rule: content("/etc/rspamd/lua.local.d/outgoing-limit.lua"),
    settings: content("/etc/rspamd/local.d/settings.conf") ?? assert.fail(),
  };
}

it("outgoingLimit: on by default, for users and their filters", () => {
  const { rule, settings } = files({});
  assert.match(rule ?? "", /^local LIMIT = 300$/m);
  assert.match(rule ?? "", /^local HOST = 'mail\.example\.org'$/m);
  const [user, host] = settings.split("outgoing_host");
  assert.match(user ?? "", /"OUTGOING_LIMIT"/);
  assert.match(host ?? "", /"OUTGOING_LIMIT"/);
});

it("outgoingLimit: the number is the stack's", () => {
  assert.match(files({ outgoingLimit: "20" }).rule ?? "", /^local LIMIT = 20$/m);
});

it("outgoingLimit: 0 leaves neither rule nor name of it", () => {
  const { rule, settings } = files({ outgoingLimit: 0 });
  assert.equal(rule, undefined);
  assert.doesNotMatch(settings, /OUTGOING_LIMIT/);
});

it("outgoingLimit: anything else is a mistake with its remedy", () => {
  for (const wrong of [true, false, -5, 1.5, "many"])
    assert.throws(
      () => settingsWith({ outgoingLimit: wrong }),
      /mailhost:outgoingLimit.*write a number from 0 to 100000/,
      `${wrong}`,
    );
});
