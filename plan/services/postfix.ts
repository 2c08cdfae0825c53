import { reportsMailbox } from "../../settings/routes.ts";
import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, textFile, unit } from "../bundle.ts";
import { type RelayRoute, relayRoute } from "../relay.ts";
import { render } from "../template.ts";
import { senderPattern, TRUSTED_HOST, type TrustedHost, trustedHosts } from "../trustedHosts.ts";
import type { Bundle, HostFile, Port } from "../types.ts";

const main = "/etc/postfix/main.cf";
const master = "/etc/postfix/master.cf";
const openssl = "/etc/postfix/openssl.cnf";
const headers = "/etc/postfix/submission-headers";
const check = "/etc/postfix/check";
const senders = "/etc/postfix/sender-transports";
const backupMx = "/etc/postfix/backup-mx";
const backupRecipients = "/etc/postfix/backup-mx-recipients";
const trustedFiles = {
  networks: "/etc/postfix/trusted-networks",
  certificates: "/etc/postfix/trusted-certificates",
  logins: "/etc/postfix/trusted-logins",
  senders: "/etc/postfix/trusted-senders",
};
const dropIn = "/etc/systemd/system/postfix.service.d/mailhost.conf";
const defaults = "/etc/default/postfix";

const smtp: Port = {
  name: "smtp",
  number: 25,
  protocol: "tcp",
  from: "anywhere",
  why: "Mail from other servers.",
};
export const submissions: Port = {
  name: "submissions",
  number: 465,
  protocol: "tcp",
  from: "anywhere",
  why: "Mail from mail programs, over TLS.",
};
export const submission: Port = {
  name: "submission",
  number: 587,
  protocol: "tcp",
  from: "anywhere",
  why: "The same for programs that begin with STARTTLS.",
};

/** Takes mail from the world and from users, and delivers it to Dovecot and to the world. */
export function postfix(settings: Settings): Bundle {
  const { options } = settings;
  const relay = relayRoute(settings) ?? false;
  const backups = Object.entries(options.backupMx).map(([domain, server]) => ({ domain, server }));
  const backupTables = backups.length > 0 ? [backupMx, backupRecipients] : [];
  const hosts = trustedHosts(settings);
  const trusted = hosts.length > 0 && trustedModel(hosts);
  const trustedTables = trusted ? trustedHostFiles(trusted) : [];
  const bySender = options.srs || (relay && !relay.all);
  return bundle({
    name: "postfix",
    why: "Takes mail from other servers and from users, and passes it on.",
    packages: ["postfix", "postfix-lmdb", "postfix-pcre"],
    files: [
      file(main, {
        hostname: settings.hostname,
        options,
        reportsMailbox: reportsMailbox(settings.hostname),
        relay,
        bySender,
        backups: backups.length > 0,
        trusted,
      }),
      file(master, { options, relay, trusted }),
      ...(bySender ? [file(senders, senderModel(settings, relay))] : []),
      ...backupTables.map((path) => file(path, { backups })),
      ...trustedTables,
      file(headers, { hostnamePattern: pattern(settings.hostname), options: settings.options }),
      plainFile(check, { mode: "0755" }),
      plainFile(openssl),
      plainFile(defaults),
      plainFile(dropIn),
    ],
    validate: [check],
    units: [
      unit("postfix.service", {
        reload: [
          ...[main, master, headers, openssl, ...backupTables, ...(bySender ? [senders] : [])],
          ...trustedTables.map(({ path }) => path),
        ],
        restart: [dropIn],
      }),
    ],
    ports: [smtp, submissions, submission],
    after: [
      "storage",
      "tls",
      "accounts",
      "aliases",
      "dovecot",
      "rspamd",
      ...(options.srs ? ["srs"] : []),
      ...(options.relay.host === undefined ? [] : ["relay"]),
    ],
  });
}

function trustedModel(hosts: readonly TrustedHost[]) {
  return {
    hosts,
    networks: hosts.some(({ networks }) => networks.length > 0),
    certificates: hosts.some(({ fingerprint }) => fingerprint),
    logins: hosts.some(({ login }) => login),
    marker: TRUSTED_HOST,
  };
}

/** The tables of those kinds that there are, and each host's senders. */
function trustedHostFiles(trusted: ReturnType<typeof trustedModel>): readonly HostFile[] {
  const { hosts } = trusted;
  return [
    ...(["networks", "certificates", "logins"] as const)
      .filter((kind) => trusted[kind])
      .map((kind) => file(trustedFiles[kind], { hosts })),
    ...hosts.map(({ name, senders }) =>
      textFile(
        `${trustedFiles.senders}.${name}`,
        render(trustedFiles.senders.slice(1), { name, patterns: senders.map(senderPattern) }),
      ),
    ),
  ];
}

/** Patterns of the domains that go through the relay, and of all names that this host sends as. */
function senderModel(settings: Settings, relay: RelayRoute | false) {
  const anyOf = (names: readonly string[]) => names.map(pattern).join("|");
  const relayed = relay && relay.domains.length > 0 ? { names: anyOf(relay.domains), to: relay.to } : false;
  const own = anyOf([settings.hostname, ...settings.domains.map(({ name }) => name)]);
  return { relayed, own, srs: settings.options.srs };
}

function pattern(name: string): string {
  return name.replaceAll(".", "\\.");
}
