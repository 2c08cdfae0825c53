import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";

const main = "/etc/postfix/main.cf";
const master = "/etc/postfix/master.cf";
const headers = "/etc/postfix/submission-headers";
const defaults = "/etc/default/postfix";
const dropIn = "/etc/systemd/system/postfix.service.d/mailhost.conf";

/**
 * Postfix's own checkers only warn of what they do not know (a misspelt parameter, a service's option), and name no
 * line. So every warning is an error here, and the line is looked up by the parameter's name.
 */
const check = [
  "said=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null; postconf -P 2>&1 >/dev/null; postfix check 2>&1)",
  `name=$(printf '%s\\n' "$said" | sed -n 's/.*unused parameter: \\([^=]*\\)=.*/\\1/p' | head -n 1)`,
  `if test -n "$name"; then grep -nH -- "$name" ${main} ${master} >&2; fi`,
  `if test -n "$said"; then printf '%s\\n' "$said" >&2; exit 1; fi`,
].join("; ");

/** Takes mail from the world and from users, and delivers it to Dovecot and to the world. */
export function postfix(settings: Settings): Bundle {
  return bundle({
    name: "postfix",
    why: "Takes mail from other servers and from users, and passes it on.",
    packages: ["postfix", "postfix-lmdb", "postfix-pcre"],
    files: [
      file(main, { hostname: settings.hostname }),
      file(master),
      file(headers, { hostnamePattern: settings.hostname.replaceAll(".", "\\.") }),
      plainFile(defaults),
      plainFile(dropIn),
    ],
    derivations: [{ command: "systemctl daemon-reload", on: [dropIn] }],
    validate: [check],
    units: [unit("postfix.service", { reload: [main, master, headers] })],
    ports: [
      {
        name: "smtp",
        number: 25,
        protocol: "tcp",
        from: "anywhere",
        why: "Mail from other servers.",
      },
      {
        name: "submissions",
        number: 465,
        protocol: "tcp",
        from: "anywhere",
        why: "Mail from users' programs, over TLS.",
      },
      {
        name: "submission",
        number: 587,
        protocol: "tcp",
        from: "anywhere",
        why: "The same for programs that begin with STARTTLS.",
      },
    ],
    after: ["storage", "tls", "accounts", "aliases", "dovecot", "rspamd"],
  });
}
