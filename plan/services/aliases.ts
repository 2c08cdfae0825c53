import { routes } from "../../settings/routes.ts";
import type { Settings } from "../../settings/types.ts";
import { bundle, textFile } from "../bundle.ts";
import { postfixTable } from "../postfixTable.ts";
import type { Bundle, HostFile } from "../types.ts";
import { localAliases, mailboxes, senderLogins } from "../users.ts";

const domains = "/etc/postfix/domains";
const forwarding = "/etc/postfix/aliases";
const logins = "/etc/postfix/alias-logins";

/** What is passed on instead of kept, and who may send as it. Postfix looks its tables up anew for each message. */
export function aliases(settings: Settings): Bundle {
  const files = [
    table(
      domains,
      "Mail domains of this host, for virtual_mailbox_domains.",
      settings.domains.map(({ name }) => [name, ["here"]]),
    ),
    table(forwarding, "For virtual_alias_maps. A name alone is the host's own: root is root@<hostname>.", [
      ...routes(settings).map(({ address, to }) => [address, to] as const),
      ...localAliases(settings).map(({ name, to }) => [name, to] as const),
    ]),
    table(
      logins,
      "Logins that may send as an alias, for smtpd_sender_login_maps and rspamd.",
      aliasLogins(settings),
    ),
  ];
  return bundle({
    name: "aliases",
    why: "The mail domains, and the addresses whose mail is passed on.",
    files,
    derivations: files.map(({ path }) => ({
      command: `postmap lmdb:${path}`,
      on: [path],
      makes: [`${path}.lmdb`],
    })),
    after: ["storage"],
  });
}

/** Mailboxes' own addresses are in a table of the bundle `accounts`, which alone changes with them. */
function aliasLogins(settings: Settings) {
  const own = new Set(mailboxes(settings).map(({ address }) => address));
  return senderLogins(settings)
    .filter(({ address }) => !own.has(address))
    .map(({ address, logins }) => [address, logins] as const);
}

function table(path: string, comment: string, entries: Parameters<typeof postfixTable>[1]): HostFile {
  return textFile(path, postfixTable(comment, entries));
}
