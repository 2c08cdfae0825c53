import type { Settings } from "../../settings/types.ts";
import { bundle, directory, file, plainFile, unit } from "../bundle.ts";
import type { Bundle, Port } from "../types.ts";
import { appPasswordSlots } from "../users.ts";

const conf = "/etc/dovecot/dovecot.conf";
const appPasswordsConf = "/etc/dovecot/mailhost.d/app-passwords.conf";
const dropIn = "/etc/systemd/system/dovecot.service.d/mailhost.conf";
const sysctl = "/etc/sysctl.d/60-dovecot.conf";
const sieve = "/etc/dovecot/sieve/spam.sieve";
const sieveSendmail = "/usr/local/lib/mailhost/sieve-sendmail";
const indexes = "/usr/local/lib/mailhost/indexes";
const indexesService = "/etc/systemd/system/mailhost-indexes.service";

/** Dovecot's own judgement of its settings (doveconf(1)). */
export const dovecotJudge = "doveconf -n >/dev/null";

export const imaps: Port = {
  name: "imaps",
  number: 993,
  protocol: "tcp",
  from: "anywhere",
  why: "Mailboxes, for mail programs.",
};

/** Keeps the mailboxes: IMAP for users, LMTP and passwords for Postfix. */
export function dovecot(settings: Settings): Bundle {
  const slots = appPasswordSlots(settings);
  const more = slots.length > 0 ? [file(appPasswordsConf, { slots })] : [];
  return bundle({
    name: "dovecot",
    why: "Keeps the mailboxes, shows them over IMAP, and knows the passwords.",
    packages: ["dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve"],
    directories: [
      // Of the options; Dovecot reads it whether anything is in it or not.
      directory("/etc/dovecot/mailhost.d"),
      directory("/etc/dovecot/sieve"),
      directory("/var/lib/dovecot/sieve", { owner: "vmail", mode: "0700" }),
      // Dovecot puts its sockets there; on a new data volume Postfix would make it only when it starts.
      directory("/var/spool/postfix/private", { owner: "postfix", group: "root", mode: "0700" }),
    ],
    files: [
      plainFile(conf),
      plainFile(sieve),
      plainFile(dropIn),
      plainFile(indexes, { mode: "0755" }),
      plainFile(sieveSendmail, { mode: "0755" }),
      plainFile(indexesService),
      plainFile(sysctl),
      ...more,
    ],
    validate: [dovecotJudge, `sievec -d ${sieve} - >/dev/null`],
    derivations: [{ command: "systemctl restart systemd-sysctl.service", on: [sysctl] }],
    units: [
      // Before Dovecot, whose beginning and end it marks.
      unit("mailhost-indexes.service"),
      unit("dovecot.service", { reload: [conf, ...more.map(({ path }) => path)], restart: [dropIn] }),
    ],
    // It would open port 143.
    disabledUnits: ["dovecot.socket"],
    ports: [imaps],
    after: ["storage", "tls", "accounts"],
  });
}
