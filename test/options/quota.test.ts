import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { accounts } from "../../plan/services/accounts.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const conf = "/etc/dovecot/mailhost.d/quota.conf";

function fileOf(keys: Readonly<Record<string, unknown>>, path: string): string | undefined {
  return hostBundles(settingsWith(keys))
    .flatMap(({ files }) => files)
    .find((file) => file.path === path)?.content;
}

/** One domain with these mailboxes. */
const domains = (mailboxes: unknown) => ({ "example.org": { since: "2026-11-21", mailboxes } });

it("quota: off it is absent, from Postfix too", () => {
  assert.equal(fileOf({ quota: { size: 0 } }, conf), undefined);
  assert.doesNotMatch(fileOf({ quota: { size: 0 } }, "/etc/postfix/main.cf") ?? "", /quota|policy_service/);
});

it("quota: by default 5 GiB with two warnings, and Postfix asks at RCPT", () => {
  const text = fileOf({}, conf) ?? "";
  assert.match(text, /^quota_storage_size = 5120M$/m);
  assert.deepEqual(text.match(/args = \d+/g), ["args = 80", "args = 95"]);
  assert.match(
    fileOf({}, "/etc/postfix/main.cf") ?? "",
    /^smtpd_recipient_restrictions = reject_non_fqdn_recipient reject_unlisted_recipient\n {2}check_policy_service unix:private\/quota-status$/m,
  );
});

it("quota: warnings stand once each and in order", () => {
  const text = fileOf({ quota: { size: 0.5, warnings: [90, 50, 90] } }, conf) ?? "";
  assert.match(text, /^quota_storage_size = 512M$/m);
  assert.deepEqual(text.match(/args = \d+/g), ["args = 50", "args = 90"]);
});

it("quota: a mailbox's own size is in its line of the users", () => {
  const settings = settingsWith({
    domains: domains({ ann: { quota: 20 }, bob: { quota: 0 }, eve: {} }),
  });
  const hash = "{BLF-CRYPT}$2y$05$abc";
  const users = accounts(settings).secretFiles.find(({ path }) => path === "/etc/dovecot/users");
  const lines = users?.content({
    ...noSecrets,
    passwordHashes: Object.fromEntries(["ann", "bob", "eve"].map((name) => [`${name}@example.org`, hash])),
  });
  assert.deepEqual(lines?.trimEnd().split("\n").slice(1), [
    `ann@example.org:${hash}::::::userdb_quota_storage_size=20480M`,
    `bob@example.org:${hash}::::::userdb_quota_storage_size=unlimited`,
    `eve@example.org:${hash}::::::`,
  ]);
});

it("quota: a mailbox's own size without any quota is a mistake, and so is a size below nothing", () => {
  assert.throws(
    () => settingsWith({ quota: { size: 0 }, domains: domains({ ann: { quota: 1 } }) }),
    /mailhost:quota\.size.*ann@example\.org has a quota of its own/,
  );
  assert.throws(() => settingsWith({ quota: { size: -1 } }), /mailhost:quota\.size/);
});

it("a suspended mailbox is in the list of those that get in nowhere", () => {
  const settings = settingsWith({ domains: domains({ ann: {}, bob: { suspended: true } }) });
  const list = accounts(settings).secretFiles.find(({ path }) => path === "/etc/dovecot/suspended");
  assert.deepEqual(list?.content(noSecrets).trimEnd().split("\n").slice(1), ["bob@example.org:"]);
});
