import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, textFile } from "../bundle.ts";
import { hasLockedStore } from "../lockedStore.ts";
import { nameserver } from "../nameserver.ts";
import { ownPasswords } from "../ownPasswords.ts";
import { render } from "../template.ts";
import type { Bundle, HostFile } from "../types.ts";
import { webmail } from "../webmail.ts";

const users = "/etc/sysusers.d/mailhost.conf";

/**
 * The data volume: everything that is not rebuilt by a deployment lies on it. This bundle is applied before the
 * volume is mounted and before any package is installed; the program `storage` then does the mounting. It lets the
 * volume's file system grow, too, and `rootdisk` that of the root disk.
 */
export function storage(settings: Settings): Bundle {
  const isLocked = hasLockedStore(settings);
  return bundle({
    name: "storage",
    why: "Mounts the data volume, on which mail, queue, rspamd's memory, certificates and keys lie.",
    packages: isLocked ? ["fscrypt"] : [],
    files: [
      plainFile("/usr/local/lib/mailhost/storage", { mode: "0755" }),
      plainFile("/usr/local/lib/mailhost/rootdisk", { mode: "0755" }),
      plainFile("/usr/local/lib/mailhost/packages", { mode: "0755" }),
      // Here and not among the accounts: their list, which it is run for, comes to the host before their other files.
      plainFile("/usr/local/lib/mailhost/removed", { mode: "0755" }),
      file(users, {
        nameserver: nameserver(settings) !== undefined,
        web: webmail(settings) !== undefined,
        ownPasswords: ownPasswords(settings) !== undefined,
        reports: settings.options.reports !== false,
      }),
      bind("Postfix's queue", "/srv/postfix", "/var/spool/postfix"),
      bind("Redis's database", "/srv/redis", "/var/lib/redis"),
      bind("rspamd's files", "/srv/rspamd", "/var/lib/rspamd"),
      bind("The ACME account and the certificates", "/srv/letsencrypt", "/etc/letsencrypt"),
      ...(isLocked ? lockedStore() : []),
    ],
    derivations: [{ command: `systemd-sysusers ${users}`, on: [users] }],
  });
}

/** What opens the store, and what lies in it beyond what any data volume holds. */
function lockedStore(): readonly HostFile[] {
  return [
    plainFile("/usr/local/lib/mailhost/store", { mode: "0755" }),
    plainFile("/etc/systemd/system/mailhost-store.service"),
    // Read when a passphrase or a recovery key is made: what it costs to try one is kept with each.
    plainFile("/etc/fscrypt.conf"),
    plainFile("/etc/tmpfiles.d/mailhost-store.conf"),
    bind("The keys that sign mail", "/srv/dkim", "/etc/rspamd/dkim"),
    bind("The key that speaks TLS", "/srv/tls-key", "/etc/mailhost/tls"),
    bind("Postfix's caches", "/srv/postfix-data", "/var/lib/postfix"),
  ];
}

/** A mount unit is named after its mount point (systemd.mount(5)); none of ours needs escaping. */
function bind(what: string, from: string, to: string): HostFile {
  const path = `/etc/systemd/system/${to.slice(1).replaceAll("/", "-")}.mount`;
  return textFile(path, render("etc/systemd/system/bind.mount", { what, from, to }));
}
