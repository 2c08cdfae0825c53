import * as pulumi from "@pulumi/pulumi";
import { clientSettings } from "../plan/clientSettings.ts";
import { hasWorkers } from "../plan/dnsProvider.ts";
import { storePassphrase } from "../plan/lockedStore.ts";
import { nameserver, transferSecret } from "../plan/nameserver.ts";
import type { Ramps } from "../plan/ramp.ts";
import type { KeyRotation } from "../plan/rotation.ts";
import { RSPAMD_PAGE_PASSWORD } from "../plan/rspamdPage.ts";
import { setupPage } from "../plan/setupPage.ts";
import { trustedHosts } from "../plan/trustedHosts.ts";
import { LOGIN_USER } from "../plan/users.ts";
import type { Mailbox, Settings } from "../settings/types.ts";
import type { Accounts } from "./accounts.ts";
import { zoneFiles } from "./dns/byHand.ts";
import type { RecordOutput } from "./dns.ts";
import { engineCommand, stackOption } from "./engine.ts";
import type { PublicKeys, SshKeys } from "./keys.ts";
import type { Server } from "./server.ts";

export interface StackOutputsArgs {
  readonly settings: Settings;
  readonly server: Server;
  readonly accounts: Accounts;
  readonly publicKeys: PublicKeys;
  readonly keyRotation: pulumi.Output<KeyRotation>;
  /** Nothing where no policy ramps. */
  readonly policyRamps: pulumi.Output<Ramps> | undefined;
  /** DMARC policies that this run makes milder, by domain. */
  readonly dmarcTakenBack: Readonly<Record<string, string>>;
  readonly records: Readonly<Record<string, RecordOutput>>;
  /** URL of the host's account at its certificate authority. */
  readonly acmeAccount: pulumi.Output<string>;
  /** DS records by zone. */
  readonly dnssec: Readonly<Record<string, pulumi.Output<string>>>;
  /** What the registrars have to be told, by zone that the host serves by itself. */
  readonly nameservers: Readonly<Record<string, pulumi.Output<readonly string[]>>>;
  readonly keys: SshKeys;
  /** The SSH key that the host shows, and the next. */
  readonly hostKeys: pulumi.Output<readonly string[]>;
  /** Passwords that the host's bundles asked for, by name. */
  readonly generated: pulumi.Output<Record<string, string>>;
}

/** What the stack tells its owner. */
export function stackOutputs(args: StackOutputsArgs): Record<string, unknown> {
  const {
    settings,
    server,
    accounts,
    publicKeys,
    keyRotation,
    policyRamps,
    dmarcTakenBack,
    records,
    acmeAccount,
    dnssec,
    nameservers,
    keys,
    hostKeys,
    generated,
  } = args;
  const { hostname } = settings;
  const client = clientSettings(hostname);
  const { keepDays } = settings.options.removed;
  const named = stackOption();
  const byHand = zoneFiles(settings, Object.values(records));
  const own = nameserver(settings);
  const signing = (own?.secondaries ?? []).flatMap(({ name, key }) =>
    key === undefined ? [] : [[name, key] as const],
  );
  const loggingIn = trustedHosts(settings).filter(({ login }) => login);
  return {
    hostname,
    publicIp: server.address.publicIp,
    ...(settings.network.ipv6 && { publicIpv6: server.publicIpv6 }),
    domains: settings.domains.map((domain) => domain.name),
    /** Each mailbox, and how it may be logged in to: their hashes hide it in a preview. */
    mailboxes: Object.fromEntries(
      settings.domains.flatMap(({ mailboxes }) =>
        mailboxes.map((mailbox) => [mailbox.address, mailboxText(mailbox)]),
      ),
    ),
    /** Generated passwords by mailbox address, app passwords by `<address>/<device>`. */
    credentials: pulumi.secret(accounts.credentials),
    clientSettings: client,
    /** Where people find these, and a profile for Apple devices, by domain. */
    ...(settings.options.clientSetup && {
      setupPages: Object.fromEntries(
        settings.domains
          .filter(({ zone }) => hasWorkers(settings.options.dns, zone))
          .map(({ name }) => [name, setupPage(name)]),
      ),
    }),
    /** Where the mail lies on the host's data volume; that of a domain or mailbox no longer listed stays there. */
    mailStore: {
      path: "/srv/mail/<domain>/<mailbox>",
      removed: `kept ${keepDays === undefined ? "until you delete it by its name" : `for ${keepDays} days`}`,
    },
    dnsRecords: records,
    /** What somebody has to put in by hand, by zone. */
    ...(byHand.size > 0 && { dnsZoneFiles: Object.fromEntries(byHand) }),
    /** The only one that may have certificates for the host's names. */
    acmeAccount,
    /** What the registrar has to have of each zone that is signed. */
    dnssec,
    /** What the registrars of the zones have to be told that the host serves by itself, by zone. */
    ...(own !== undefined && { nameservers }),
    /** What each secondary nameserver has to know to copy these zones. */
    ...(signing.length > 0 && {
      transferKeys: pulumi.secret(
        generated.apply((all) =>
          Object.fromEntries(
            signing.map(([secondary, key]) => [
              secondary,
              { key: key.name, algorithm: key.algorithm, secret: transferSecret(key, all) },
            ]),
          ),
        ),
      ),
    }),
    /** DKIM's and TLS's, as their records have them. */
    publicKeys,
    /** Which keys are in which state, and since when. The next run goes on from here. */
    keyRotation,
    /** Where each policy stands that ramps, by the name of its record, and since when. The next run goes on from here. */
    ...(policyRamps && { policyRamps }),
    /** Domains whose DMARC policy this run makes milder: forged mail that is refused today would be taken again. */
    ...(Object.keys(dmarcTakenBack).length > 0 && { dmarcTakenBack }),
    /** What rspamd's own page asks for (docs/spam.md). */
    ...(settings.options.rspamdPage && {
      rspamdPassword: pulumi.secret(generated.apply((all) => all[RSPAMD_PAGE_PASSWORD])),
    }),
    /** Logins of trusted hosts, by the names that the stack file has for them. */
    ...(loggingIn.length > 0 && {
      trustedHosts: pulumi.secret(
        generated.apply((all) =>
          Object.fromEntries(
            loggingIn.map(({ name, login, passwordName }) => [name, { login, password: all[passwordName] }]),
          ),
        ),
      ),
    }),
    /** Everything a login on the host takes. */
    ssh: pulumi.secret({
      host: server.address.publicIp,
      port: 22,
      user: LOGIN_USER,
      privateKey: keys.login.privateKeyOpenssh,
      hostKey: hostKeys.apply(([shown]) => shown),
      /** As good as that one: the host may have changed over to it. */
      ...(keys.next && { nextHostKey: hostKeys.apply(([, next]) => next) }),
    }),
    nextSteps: [
      ...(byHand.size > 0
        ? [`Records to put in by hand: ${engineCommand("stack output dnsZoneFiles --json")}`]
        : []),
      ...(own === undefined
        ? []
        : [`Nameservers, for the registrars: ${engineCommand("stack output nameservers --json")}`]),
      `Passwords: ${engineCommand("stack output credentials --show-secrets")}`,
      `Mail program: ${inWords(client.incoming)}, ${inWords(client.outgoing)}, login with ${client.login}`,
      `Is it all right? npm run check${named === "" ? "" : ` --${named}`}`,
      // Where a person makes the store, the same command has told it.
      ...(storePassphrase(settings) === undefined
        ? []
        : [`The locked store's recovery key, to be written down: npm run unlock -- --recovery-key${named}`]),
    ],
  };
}

function mailboxText({ passwordHash, appPasswords = [], quota, suspended }: Mailbox): string {
  return [
    ...(suspended ? ["suspended"] : []),
    passwordHash === undefined ? "generated password" : "password of its owner's",
    ...appPasswords.map((device) => `app password ${device}`),
    ...(quota === undefined ? [] : [quota === 0 ? "no quota" : `quota ${quota} GiB`]),
  ].join(", ");
}

type MailServer = ReturnType<typeof clientSettings>["incoming" | "outgoing"];

function inWords({ protocol, host, port, security }: MailServer): string {
  return `${protocol} ${host} ${port} ${security}`;
}
