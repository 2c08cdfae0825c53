import { applyAgain } from "../again.ts";
import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/**
 * A wrong password does not open a mailbox. Asked on the host: from outside, Dovecot would hold the failure
 * against our address, and make everybody there wait (auth penalty).
 */
export const passwords = insideItem(
  "passwords",
  ({ target }) => {
    const addresses = target.settings.domains.flatMap(({ mailboxes }) =>
      mailboxes.map(({ address }) => address),
    );
    const [first] = addresses;
    // The shell quotes need no care: a mailbox's address has no quotes (settings/names.ts).
    return first === undefined
      ? "echo nobody"
      : `doveadm auth test '${first}' 'a wrong password' >/dev/null 2>&1; echo $?`;
  },
  (output, { target }) => {
    switch (output.trim()) {
      case "nobody":
        return [];
      // EX_NOPERM of sysexits(3), see doveadm-auth(1).
      case "77":
        return [right("a wrong password is refused")];
      case "0":
        return [
          wrong(
            "a mailbox opens with any password",
            `Stop Dovecot at once; its settings or passwords were changed: ${applyAgain(target, "accounts.secrets", "dovecot")}.`,
          ),
        ];
      default:
        return [
          wrong(
            `whether a wrong password is refused is unknown (doveadm ends with ${output.trim()})`,
            "See what Dovecot says: `npm run host -- journalctl -u dovecot -n 50`.",
            { unanswered: true },
          ),
        ];
    }
  },
);
