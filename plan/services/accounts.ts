import type { Settings } from "../../settings/types.ts";
import { bundle, secretFile } from "../bundle.ts";
import { postfixTable } from "../postfixTable.ts";
import type { Bundle } from "../types.ts";
import { mailboxes } from "../users.ts";

const users = "/etc/dovecot/users";
const addresses = "/etc/postfix/mailboxes";

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
          const lines = all.map(({ address }) => `${address}:${hashOf(passwordHashes, address)}::::::`);
          return ["# Mailboxes and password hashes, for Dovecot's passwd-file.", ...lines, ""].join("\n");
        },
        { owner: "root", group: "dovecot", mode: "0640" },
      ),
      secretFile(addresses, [], () =>
        postfixTable(
          "Each mailbox as itself: for virtual_mailbox_maps, virtual_alias_maps and smtpd_sender_login_maps.",
          all.map(({ address }) => [address, [address]]),
        ),
      ),
    ],
    derivations: [{ command: `postmap lmdb:${addresses}`, on: [addresses], makes: [`${addresses}.lmdb`] }],
    after: ["storage"],
  });
}

function hashOf(hashes: Readonly<Record<string, string>>, address: string): string {
  const hash = hashes[address];
  if (hash === undefined) throw new Error(`no password hash for ${address}`);
  // A colon or a line's end would begin another field or another mailbox.
  if (!/^\{[A-Z0-9.-]+\}[^:\s]+$/.test(hash)) throw new Error(`the password hash of ${address} is malformed`);
  return hash;
}
