import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function files(keys: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const postfix = hostBundles(settingsWith(keys)).find(({ name }) => name === "postfix") ?? assert.fail();
  return new Map(postfix.files.map(({ path, content }) => [path.replace("/etc/postfix/", ""), content]));
}

it("backupMx: off, mail is taken for this host's own domains alone", () => {
  const found = files({});
  assert.doesNotMatch(found.get("main.cf") ?? "", /^(relay_domains|address_verify)|backup-mx/m);
  assert.ok(![...found.keys()].some((path) => path.startsWith("backup-mx")));
});

it("backupMx: on, each domain's mail goes to its own server, for recipients that exist there", () => {
  for (const quota of [{}, { quota: { size: 0 } }]) {
    const found = files({ ...quota, backupMx: { "Friend.Example": "mail.friend.example" } });
    assert.match(found.get("main.cf") ?? "", /^relay_domains = texthash:\/etc\/postfix\/backup-mx$/m);
    assert.match(
      found.get("main.cf") ?? "",
      /^smtpd_recipient_restrictions = .*\n {2}check_recipient_access texthash:\/etc\/postfix\/backup-mx-recipients$/m,
    );
    assert.match(found.get("backup-mx") ?? "", /^friend\.example relay:\[mail\.friend\.example\]$/m);
    assert.match(
      found.get("backup-mx-recipients") ?? "",
      /^friend\.example reject_unverified_recipient, permit$/m,
    );
  }
});

it("backupMx: what cannot be is said", () => {
  for (const [backupMx, message] of [
    [{ "example.org": "mx.example.net" }, /mailhost:backupMx\.example\.org: is a domain of this host/],
    [{ "friend.example": "mail.example.org" }, /backupMx\.friend\.example: has this host itself/],
    [{ "friend.example": "mail" }, /backupMx\.friend\.example: is not a host name/],
    [{ friend: "mail.friend.example" }, /mailhost:backupMx\.friend: is not a domain name; write/],
  ] as const)
    assert.throws(() => settingsWith({ backupMx }), message);
});
