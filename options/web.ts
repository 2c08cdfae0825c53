import { z } from "zod";
import { bundle, directory, file, plainFile, secretFile, unit } from "../plan/bundle.ts";
import { ownPasswords } from "../plan/ownPasswords.ts";
import { render } from "../plan/template.ts";
import type { Bundle } from "../plan/types.ts";
import { type Dictionary, dictionaries, usualDictionaries, type Webmail, webmail } from "../plan/webmail.ts";
import type { Settings } from "../settings/types.ts";
import { option } from "./option.ts";

const nginx = "/etc/nginx/nginx.conf";
const nginxUnit = "/etc/systemd/system/nginx.service.d/mailhost.conf";
const php = "/etc/php/8.4/fpm/php-fpm.conf";
const phpSettings = "/etc/php/8.4/fpm/conf.d/90-mailhost.ini";
const phpUnit = "/etc/systemd/system/php8.4-fpm.service.d/mailhost.conf";
const database = "/usr/local/lib/mailhost/webmail-database";
const dovecot = "/etc/dovecot/mailhost.d/webmail.conf";
const sieve = "/etc/dovecot/mailhost.d/inside-sieve.conf";
const key = "/etc/mailhost/webmail/key.inc.php";
const passwordDriver = "/usr/share/roundcube/plugins/password/drivers/mailhost.php";
const plugin = "/var/lib/roundcube/plugins/mailhost";

/** Name of the generated password that Roundcube encrypts its sessions with. */
const SESSION_KEY = "webmail";

const choice = z.strictObject({
  dictionaries: z
    .array(z.enum(Object.keys(dictionaries) as [Dictionary, ...Dictionary[]]))
    .min(1)
    .default([...usualDictionaries])
    .meta({
      description: `Languages that the spelling of letters is looked at in, on the host itself. Known are ${Object.keys(dictionaries).join(", ")}.`,
      examples: [["en-gb", "de-de"]],
    }),
});

/** Mail in a browser: Roundcube behind nginx, which opens port 443. */
export const web = option({
  key: "web",
  schema: z
    .union([z.literal([false, true]), choice])
    .default(false)
    .meta({
      description:
        "Whether mail can be read and written in a browser, at https://<hostname>/: Roundcube, with rules, absence notes and the change of one's password. Opens port 443; and port 80 answers always.",
      examples: [true, { dictionaries: ["en-gb", "de-de"] }],
    }),
  bundles: (_chosen, settings) => bundlesOf(settings),
});

function bundlesOf(settings: Settings): readonly Bundle[] {
  const chosen = webmail(settings);
  return chosen === undefined ? [] : [webmailBundle(chosen, settings)];
}

function webmailBundle(chosen: Webmail, settings: Settings): Bundle {
  const { hostname, network, options } = settings;
  const own = ownPasswords(settings);
  const roundcube = {
    hostname,
    patterns: [`^${hostname.replaceAll(".", "\\.")}$`],
    dictionaries: chosen.dictionaries.map((name) => dictionaries[name]),
    folders: options.sharedFolders,
    passwords: own?.change === true ? own : false,
  };
  return bundle({
    name: "web",
    why: "Shows mail in a browser.",
    packages: [
      "nginx",
      "php8.4-fpm",
      "php8.4-enchant",
      "roundcube-core",
      "roundcube-plugins",
      "roundcube-sqlite3",
      // Roundcube's package makes a database of its own elsewhere, unless this one is there.
      "dbconfig-no-thanks",
      "dovecot-managesieved",
      ...chosen.dictionaries.map((name) => `hunspell-${name}`),
    ],
    directories: [
      directory("/srv/webmail", { owner: "webmail", mode: "0700" }),
      directory("/etc/mailhost/webmail"),
      directory(plugin),
    ],
    files: [
      file(nginx, { ipv6: network.ipv6, names: hostname }),
      plainFile(nginxUnit),
      plainFile(php),
      plainFile(phpSettings),
      plainFile(phpUnit),
      plainFile("/etc/systemd/system/roundcube-cleandb.service.d/mailhost.conf"),
      plainFile("/etc/systemd/system/roundcube-gc.service.d/mailhost.conf"),
      plainFile(database, { mode: "0755" }),
      file("/etc/mailhost/webmail/config.inc.php", roundcube),
      plainFile(`${plugin}/mailhost.php`),
      ...(roundcube.passwords === false ? [] : [plainFile(passwordDriver)]),
      plainFile(dovecot),
      file(sieve, { open: options.managesieve }),
    ],
    secretFiles: [
      secretFile(
        key,
        ["generated"],
        ({ generated }) => render(key.slice(1), { key: generated[SESSION_KEY] ?? "" }),
        { owner: "webmail", mode: "0400" },
      ),
    ],
    generates: [SESSION_KEY],
    validate: ["nginx -t -q -e stderr", "php-fpm8.4 -t", "doveconf -n >/dev/null"],
    units: [
      // Dovecot reads what a new protocol's settings mean only when it starts.
      unit("dovecot.service", { reload: [dovecot], restart: [sieve] }),
      unit("php8.4-fpm.service", { restart: [php, phpSettings, phpUnit, database] }),
      unit("nginx.service", { reload: [nginx], restart: [nginxUnit] }),
      unit("roundcube-gc.timer"),
      unit("roundcube-cleandb.timer"),
    ],
    // It looks after sessions in files; Roundcube has none.
    disabledUnits: ["phpsessionclean.timer"],
    ports: [
      {
        name: "https",
        number: 443,
        protocol: "tcp",
        from: "anywhere",
        why: "Webmail, for browsers.",
      },
    ],
    after: ["certbot", "dovecot", "postfix"],
  });
}
