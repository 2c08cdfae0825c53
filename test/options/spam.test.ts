import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const rule = "/etc/rspamd/lua.local.d/known-senders.lua";

function contents(keys: Readonly<Record<string, unknown>>) {
  const files = hostBundles(settingsWith(keys)).flatMap((bundle) => bundle.files);
  const content = (path: string) => files.find((file) => file.path === path)?.content;
  return {
    actions: content("/etc/rspamd/local.d/actions.conf") ?? assert.fail(),
    greylist: content("/etc/rspamd/local.d/greylist.conf") ?? assert.fail(),
    settings: content("/etc/rspamd/local.d/settings.conf") ?? assert.fail(),
    rule: content(rule),
  };
}

it("spam: rspamd's own scores by default, and greylisting that knows who was written to", () => {
  const { actions, greylist, settings, rule } = contents({});
  assert.match(actions, /^reject = 15;\nadd_header = 6;\ngreylist = 4;$/m);
  assert.match(greylist, /^whitelist_symbols = \["KNOWN_SENDER"\];$/m);
  assert.match(settings, /KNOWN_SENDER_LEARN/);
  assert.notEqual(rule, undefined);
});

it("spam: the scores are the stack's", () => {
  const { actions } = contents({ spam: { reject: "12.5", addHeader: 5, greylist: "3" } });
  assert.match(actions, /^reject = 12\.5;\nadd_header = 5;\ngreylist = 3;$/m);
});

it("spam: without greylisting nobody is remembered", () => {
  const { actions, greylist, settings, rule } = contents({ spam: { greylist: 0 } });
  assert.match(actions, /^greylist = null;$/m);
  assert.equal(greylist, "enabled = false;\n");
  assert.doesNotMatch(settings, /KNOWN_SENDER/);
  assert.equal(rule, undefined);
});

it("spam: single rules weigh what the stack says, and else there is no such file", () => {
  const path = "/etc/rspamd/override.d/groups.conf";
  const own = (spam: object) =>
    hostBundles(settingsWith({ spam }))
      .flatMap(({ files }) => files)
      .find((file) => file.path === path)?.content;
  assert.match(own({ scores: { MIME_GOOD: -0.5 } }) ?? "", /^ {2}"MIME_GOOD" \{\n {4}weight = -0\.5;\n/m);
  assert.equal(own({}), undefined);
  for (const scores of [{ "a rule": 1 }, { MIME_GOOD: 1000 }])
    assert.throws(() => settingsWith({ spam: { scores } }), /mailhost:spam\.scores/);
});

it("spam: the scores stand in order", () => {
  assert.throws(
    () => settingsWith({ spam: { reject: 5, addHeader: 6, greylist: 7 } }),
    /mailhost:spam\.addHeader: is not below reject[\s\S]*mailhost:spam\.greylist: is not below addHeader/,
  );
});
