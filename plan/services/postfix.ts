import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";

const main = "/etc/postfix/main.cf";
const master = "/etc/postfix/master.cf";
const headers = "/etc/postfix/submission-headers";
const check = "/etc/postfix/check";
const defaults = "/etc/default/postfix";

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
      plainFile(check, { mode: "0755" }),
      plainFile(defaults),
      plainFile("/etc/systemd/system/postfix.service.d/mailhost.conf"),
    ],
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
        why: "Mail from mail programs, over TLS.",
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
