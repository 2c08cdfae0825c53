import type { Settings } from "../../settings/types.ts";
import { bundle, secretFile } from "../bundle.ts";
import { mergePasswords, ownPasswords, ownPasswordsProgram } from "../ownPasswords.ts";
import { postfixTable } from "../postfixTable.ts";
import { quotaText } from "../quota.ts";
import type { Bundle, SecretFile } from "../types.ts";
import { appPasswordSlots, appPasswords, type MailboxOfHost, mailboxes } from "../users.ts";

const users = "/etc/dovecot/users";
const suspended = "/etc/dovecot/suspended";
const addresses = "/etc/postfix/mailboxes";

// Who is logged in already would stay so. Nobody is, where Dovecot does not run.
const endSessions = `! systemctl -q is-active dovecot.service || sed -n "s/:$//p" ${suspended} | xargs -r -n 1 doveadm kick`;

/**
 * Who has a mailbox. All of it travels as one secret document, and every daemon looks its table up anew for each
 * login and each message: a mailbox more or less is one resource changed, and no daemon notices.
 */
export function accounts(settings: Settings): Bundle {
  const all = mailboxes(settings);
  return bundle({
    name: "accounts",
    why: "The mailboxes and their password hashes.",
    secretFiles: [
      secretFile(
        users,
        ["passwordHashes"],
        ({ passwordHashes }) => {
          const lines = all.map(
            (mailbox) =>
              `${mailbox.address}:${hashOf(passwordHashes, mailbox.address)}::::::${ownQuota(mailbox)}`,
          );
          return ["# Mailboxes and password hashes, for Dovecot's passwd-file.", ...lines, ""].join("\n");
        },
        { owner: "root", group: "dovecot", mode: "0640" },
      ),
      ...appPasswordSlots(settings).map((slot) => appPasswordFile(settings, slot)),
      secretFile(
        suspended,
        [],
        () =>
          [
            "# Mailboxes that nobody can log in to.",
            ...all.filter((mailbox) => mailbox.suspended).map(({ address }) => `${address}:`),
            "",
          ].join("\n"),
        { owner: "root", group: "dovecot", mode: "0640" },
      ),
      secretFile(
        addresses,
        [],
        () =>
          postfixTable(
            "Each mailbox as itself: for virtual_mailbox_maps, virtual_alias_maps, smtpd_sender_login_maps; and for rspamd.",
            all.map(({ address }) => [address, [address]]),
          ),
        { owner: "root", group: "_rspamd", mode: "0640" },
      ),
    ],
    derivations: [
      { command: `postmap lmdb:${addresses}`, on: [addresses], makes: [`${addresses}.lmdb`] },
      { command: endSessions, on: [suspended] },
      { command: "/usr/local/lib/mailhost/removed --note", on: [users] },
      // The first time its program comes after this, and runs then.
      ...(ownPasswords(settings) === undefined
        ? []
        : [{ command: `! test -x ${ownPasswordsProgram} || ${mergePasswords}`, on: [users] }]),
    ],
    after: ["storage"],
  });
}

/** One of the files of files/etc/dovecot/mailhost.d/app-passwords.conf. The field `device` is for the log. */
function appPasswordFile(settings: Settings, slot: number): SecretFile {
  const own = appPasswords(settings.domains.flatMap((domain) => domain.mailboxes)).filter(
    (each) => each.slot === slot,
  );
  return secretFile(
    `/etc/dovecot/app-passwords.${slot}`,
    ["passwordHashes"],
    ({ passwordHashes }) => {
      const lines = own.map(
        ({ address, device, key }) => `${address}:${hashOf(passwordHashes, key)}::::::device=${device}`,
      );
      return ["# App passwords' hashes, for Dovecot's passwd-file.", ...lines, ""].join("\n");
    },
    { owner: "root", group: "dovecot", mode: "0640" },
  );
}

/** In passwd-file's extra fields: it wins over the setting of mailhost.d/quota.conf. */
function ownQuota({ quota }: MailboxOfHost): string {
  return quota === undefined ? "" : `userdb_quota_storage_size=${quotaText(quota)}`;
}

function hashOf(hashes: Readonly<Record<string, string>>, address: string): string {
  const hash = hashes[address];
  if (hash === undefined) throw new Error(`no password hash for ${address}`);
  // A colon or a line's end would begin another field or another mailbox.
  if (!/^\{[A-Z0-9.-]+\}[^:\s]+$/.test(hash)) throw new Error(`the password hash of ${address} is malformed`);
  return hash;
}
