import { z } from "zod";
import { bundle, directory, file, plainFile, secretFile, textFile, unit } from "../plan/bundle.ts";
import { ownPasswords } from "../plan/ownPasswords.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { silentName } from "../plan/silent.ts";
import { render, verbatim } from "../plan/template.ts";
import type { Bundle, DnsRecord } from "../plan/types.ts";
import {
  type Dictionary,
  dictionaries,
  usualDictionaries,
  type Webmail,
  webmail,
  zoneOfName,
} from "../plan/webmail.ts";
import { hostName } from "../settings/hostName.ts";
import { closestAbove } from "../settings/names.ts";
import type { Domain, Settings } from "../settings/types.ts";
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
  names: z
    .array(hostName("write one of a domain here, such as webmail.example.org"))
    .default([])
    .meta({
      description:
        "Names beside the host's own at which webmail answers, in the domains of this stack. Each gets an A record, and the certificate has it.",
      examples: [["webmail.example.org"]],
    }),
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
      examples: [true, { names: ["webmail.example.org"] }, { dictionaries: ["en-gb", "de-de"] }],
      synonyms: ["webmail", "roundcube"],
    }),
  agree(chosen, settings, report) {
    if (typeof chosen === "boolean") return;
    const taken = new Set([settings.hostname, ...settings.domains.map(({ name }) => name)]);
    for (const [index, name] of chosen.names.entries()) {
      const path = ["names", index];
      if (taken.has(name))
        report(path, "leads elsewhere or here already; write a name of its own, such as webmail");
      else if (workers.some((label) => name.startsWith(`${label}.`)))
        report(path, "is a name that mail programs look for other things at; write another, such as webmail");
      else if (zoneOfName(name, settings) === undefined)
        report(path, "lies in no zone of this stack; write a name below one of its domains");
      taken.add(name);
    }
  },
  records: (_chosen, settings, ttlOf) => recordsOf(settings, ttlOf),
  bundles: (_chosen, settings) => bundlesOf(settings),
});

/** What the names of Workers begin with (plan/web.ts). */
const workers = ["autoconfig", "autodiscover", "openpgpkey", "mta-sts"];

function recordsOf(settings: Settings, ttlOf: (domain: Domain) => number): readonly DnsRecord[] {
  const kinds = [
    { type: "A", fact: "publicIpv4", why: "Webmail: the address of the mail host" },
    ...(settings.network.ipv6
      ? [{ type: "AAAA", fact: "publicIpv6", why: "Webmail: the IPv6 address of the mail host" } as const]
      : []),
  ] as const;
  return (webmail(settings)?.names ?? []).flatMap((name) => {
    const zone = zoneOfName(name, settings) ?? settings.hostnameZone;
    const closest = closestAbove(
      name,
      settings.domains.map((domain) => domain.name),
    );
    const domain = settings.domains.find((each) => each.name === closest);
    const ttl = domain === undefined ? 3600 : ttlOf(domain);
    return [
      ...kinds.map(({ type, fact, why }) => ({
        zone,
        name,
        type,
        ttl,
        content: { fact, text: (address: string) => address },
        why,
      })),
      // An address, and so, to who knows no better, a mail server.
      ...silentName(name, zone, ttl),
    ];
  });
}

function bundlesOf(settings: Settings): readonly Bundle[] {
  const chosen = webmail(settings);
  return chosen === undefined ? [] : [webmailBundle(chosen, settings)];
}

function webmailBundle(chosen: Webmail, settings: Settings): Bundle {
  const { hostname, network, options } = settings;
  const own = ownPasswords(settings);
  const names = [hostname, ...chosen.names];
  const roundcube = {
    hostname,
    patterns: names.map((name) => `^${name.replaceAll(".", "\\.")}$`),
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
      file(nginx, { ipv6: network.ipv6, names: names.join(" ") }),
      plainFile(nginxUnit),
      plainFile(php),
      plainFile(phpSettings),
      plainFile(phpUnit),
      ...["cleandb", "gc"].map((job) =>
        textFile(
          `/etc/systemd/system/roundcube-${job}.service.d/mailhost.conf`,
          verbatim("etc/systemd/system/roundcube.service.d/mailhost.conf"),
        ),
      ),
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
    validate: ["nginx -t -q -e stderr", "php-fpm8.4 -t", dovecotJudge],
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
