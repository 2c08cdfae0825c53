import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { secretsDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const bundleOf = (keys: Readonly<Record<string, unknown>>, name: string) =>
  hostBundles(settingsWith(keys)).find((bundle) => bundle.name === name);
const textOf = (keys: Readonly<Record<string, unknown>>, path: string) =>
  hostBundles(settingsWith(keys))
    .flatMap(({ files }) => files)
    .find((file) => file.path === path)?.content;
const conf = "/etc/dovecot/mailhost.d/own-passwords.conf";
const roundcube = "/etc/mailhost/webmail/config.inc.php";
const program = "/usr/local/lib/mailhost/passwords";
const socket = "mailhost-passwords.socket";

/** What a deployment that changes the list of mailboxes runs. */
function afterMailboxes(keys: Readonly<Record<string, unknown>>): string {
  const settings = settingsWith(keys);
  const accounts = hostBundles(settings).find(({ name }) => name === "accounts") ?? assert.fail();
  const passwordHashes = Object.fromEntries(
    settings.domains.flatMap(({ mailboxes }) =>
      mailboxes.map(({ address }) => [address, "{BLF-CRYPT}$2a$10$hash"] as const),
    ),
  );
  return secretsDocument(accounts, { ...noSecrets, passwordHashes }) ?? "";
}

describe("ownPasswords", () => {
  it("without webmail it is absent, unless the stack file wants it", () => {
    for (const keys of [{}, { web: true, ownPasswords: false }]) {
      assert.equal(bundleOf(keys, "own-passwords"), undefined);
      assert.doesNotMatch(textOf(keys, "/etc/sysusers.d/mailhost.conf") ?? "", /passwords/);
      assert.doesNotMatch(afterMailboxes(keys), /passwords merge/);
    }
    assert.doesNotMatch(
      textOf({ web: true, ownPasswords: false }, roundcube) ?? "",
      /password_driver|'password'/,
    );
  });

  it("with webmail users can change theirs, and know how long it must be", () => {
    const units = bundleOf({ web: true }, "own-passwords")?.units.map(({ name }) => name);
    assert.deepEqual(units, ["dovecot.service", socket]);
    assert.match(textOf({ web: true }, conf) ?? "", /passwd_file_path = \/srv\/passwords\/users/);
    assert.match(textOf({ web: true }, conf) ?? "", /unix_listener auth-passwords/);
    assert.match(textOf({ web: true }, roundcube) ?? "", /password_minimum_length'\] = 10;/);
    const longer = { web: true, ownPasswords: { shortest: 14 } };
    assert.match(textOf(longer, roundcube) ?? "", /password_minimum_length'\] = 14;/);
    assert.match(textOf(longer, program) ?? "", /^SHORTEST = 14$/m);
    assert.throws(() => settingsWith({ ownPasswords: { shortest: 4 } }), /is out of range/);
  });

  it("a new list of mailboxes takes over, or drops, what users have chosen", () => {
    assert.match(
      afterMailboxes({ web: true }),
      /^derive: ! test -x \/usr\/local\/lib\/mailhost\/passwords \|\| setpriv --reuid=passwords .* merge << \/etc\/dovecot\/users$/m,
    );
  });

  it("where webmail was switched off, those that users have count, and no way in is left", () => {
    const keys = { ownPasswords: true };
    assert.deepEqual(
      bundleOf(keys, "own-passwords")?.units.map(({ name }) => name),
      ["dovecot.service"],
    );
    assert.match(textOf(keys, conf) ?? "", /passwd_file_path = \/srv\/passwords\/users/);
    assert.doesNotMatch(textOf(keys, conf) ?? "", /unix_listener/);
    assert.equal(textOf(keys, "/etc/systemd/system/mailhost-passwords.service"), undefined);
  });
});
