/** Who receives and who may send: the tables that Postfix, Dovecot and rspamd get. */
import { addressParts } from "../settings/names.ts";
import { router, routes } from "../settings/routes.ts";
import type { Mailbox, Settings } from "../settings/types.ts";

/** The login user of Debian's cloud images, and the operator's. */
export const LOGIN_USER = "admin";

export interface MailboxOfHost {
  /** Full address, lower case: the login. */
  readonly address: string;
  readonly domain: string;
  /** What stands before the `@`: the name of the mailbox's folder. */
  readonly local: string;
  readonly suspended: boolean;
  /** How much it holds, in GiB, where it has a size of its own; 0 is without a limit. */
  readonly quota?: number;
}

/** Every mailbox of every domain, in the order of the stack file. Hashes are not here: they are secrets. */
export function mailboxes(settings: Settings): readonly MailboxOfHost[] {
  return settings.domains.flatMap((domain) =>
    domain.mailboxes.map(({ address, suspended, quota }) => ({
      address,
      ...addressParts(address),
      suspended,
      ...(quota === undefined ? {} : { quota }),
    })),
  );
}

export interface AppPassword {
  /** Address of the mailbox: the login. */
  readonly address: string;
  readonly device: string;
  /** Its place among the mailbox's own, from 1: no two of a mailbox share a file. */
  readonly slot: number;
  /** What it is called among secrets and credentials. */
  readonly key: string;
}

/** The passwords that single devices have. */
export function appPasswords(mailboxes: readonly Mailbox[]): readonly AppPassword[] {
  return mailboxes.flatMap(({ address, appPasswords: devices = [] }) =>
    devices.map((device, index) => ({ address, device, slot: index + 1, key: `${address}/${device}` })),
  );
}

/** The slots that are in use, each once. */
export function appPasswordSlots(settings: Pick<Settings, "domains">): readonly number[] {
  const all = appPasswords(settings.domains.flatMap((domain) => domain.mailboxes));
  return [...new Set(all.map(({ slot }) => slot))].sort((one, other) => one - other);
}

export interface SenderLogins {
  /** Full address, or `@domain` for the addresses of a catch-all. */
  readonly address: string;
  /** Logins (full mailbox addresses) that may send as it; never empty. */
  readonly logins: readonly string[];
}

/** Stands where no login may send as an address. A login is a full address, so nobody can have this one. */
export const noLogin = "nobody";

/**
 * The table for `smtpd_sender_login_maps`: whoever receives the mail of an address, directly or over aliases, may
 * answer as that address. So a catch-all's receiver may send as anything in the domain that is not somebody
 * else's; to keep from it the aliases that lead only elsewhere, these are entered with `noLogin`.
 */
export function senderLogins(settings: Settings): readonly SenderLogins[] {
  const receivers = receiversOf(settings);
  const own = mailboxes(settings).map(({ address }) => ({ address, logins: [address] }));
  const passedOn = routes(settings).map(({ address, to }) => {
    const logins = [...new Set(to.flatMap(receivers))];
    return { address, logins: logins.length > 0 ? logins : [noLogin] };
  });
  return [...own, ...passedOn];
}

/** The mailboxes that mail for an address ends up in. Settings have no loops. */
export function receiversOf(settings: Settings): (address: string) => readonly string[] {
  const step = router(settings);
  const known = new Map<string, readonly string[]>();
  const follow = (address: string): readonly string[] => {
    const next = step(address);
    if (next.kind === "mailbox") return [next.address];
    return next.kind === "route" ? [...new Set(next.route.to.flatMap(receivers))] : [];
  };
  // Where aliases share targets, following each way anew would take time without bound.
  const receivers = (address: string): readonly string[] => {
    const found = known.get(address) ?? follow(address);
    known.set(address, found);
    return found;
  };
  return receivers;
}

export interface LocalAlias {
  /** A name without domain, of the machine itself. */
  readonly name: string;
  /** Full addresses, or names of this table. */
  readonly to: readonly string[];
}

/**
 * The table for `alias_maps` (aliases(5)): mail to the machine's own names. root's goes to the owner, and all that
 * others may write to at the host's name goes to root: cron mail of the login user `admin` (so called in Debian's
 * images), and what RFC 5321 section 4.5.1 and RFC 2142 ask of any name that sends mail.
 */
export function localAliases(settings: Settings): readonly LocalAlias[] {
  const toRoot = [LOGIN_USER, "postmaster", "abuse", "mailer-daemon", "nobody"];
  return [{ name: "root", to: [settings.owner] }, ...toRoot.map((name) => ({ name, to: ["root"] }))];
}
