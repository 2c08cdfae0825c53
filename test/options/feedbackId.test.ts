import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function files(keys: Readonly<Record<string, unknown>>) {
  const all = hostBundles(settingsWith(keys)).flatMap(({ files }) => files);
  const content = (path: string) => all.find((file) => file.path === `/etc/rspamd/${path}`)?.content;
  return {
    rule: content("lua.local.d/feedback-id.lua"),
    headers: all.find(({ path }) => path === "/etc/postfix/submission-headers")?.content ?? assert.fail(),
    signing: content("local.d/dkim_signing.conf") ?? assert.fail(),
    settings: content("local.d/settings.conf") ?? assert.fail(),
  };
}

it("feedbackId: off by default, without rule, symbol or another list of headers", () => {
  const { rule, headers, signing, settings } = files({});
  assert.equal(rule, undefined);
  assert.doesNotMatch(settings, /FEEDBACK_ID/);
  assert.doesNotMatch(signing, /sign_headers/);
  assert.doesNotMatch(headers, /Feedback-ID/);
  assert.deepEqual(files({ feedbackId: false }), files({}));
});

it("feedbackId: on, Postfix makes the room for it, which rspamd fills in wherever they log in from, and signs", () => {
  const { rule, headers, signing, settings } = files({ feedbackId: { sender: "examplemail" } });
  assert.match(rule ?? "", /^local SENDER = 'examplemail'$/m);
  assert.match(rule ?? "", /^ {2}\['example\.org'\] = true,$/m);
  const [user, host] = settings.split("outgoing_host");
  assert.match(user ?? "", /"FEEDBACK_ID"/);
  // Webmail logs in from the host itself.
  assert.match(host ?? "", /"FEEDBACK_ID"/);
  const [, empty] = /^local EMPTY = '(.*)'$/m.exec(rule ?? "") ?? assert.fail();
  assert.ok(headers.endsWith(`PREPEND Feedback-ID: ${empty}\n`), headers);
  assert.match(signing, /^sign_headers = "\(o\)from:.*:\(x\)feedback-id";$/m);
});

it("feedbackId: not for what Amazon SES sends, which has one of its own", () => {
  assert.doesNotMatch(
    files({ feedbackId: { sender: "examplemail" }, relay: "ses" }).rule ?? "",
    /example\.org/,
  );
});

it("feedbackId: another form is refused", () => {
  for (const sender of ["four", "sixteen-letters-", "a:b:c", "ex ample", "a2345678901234567"])
    assert.throws(
      () => settingsWith({ feedbackId: { sender } }),
      /mailhost:feedbackId\.sender.*write 5 to 15 letters and digits/,
      sender,
    );
  assert.throws(() => settingsWith({ feedbackId: true }), /mailhost:feedbackId/);
});
