import * as pulumi from "@pulumi/pulumi";
import { RSPAMD_PAGE_PASSWORD } from "../plan/rspamdPage.ts";
import { setupPage } from "../plan/setupPage.ts";
import type { Settings } from "../settings/types.ts";
import type { Accounts } from "./accounts.ts";
import type { RecordOutput } from "./dns.ts";
import type { DkimKeys, SshKeys } from "./keys.ts";
import { LOGIN_USER } from "./remote.ts";
import type { Server } from "./server.ts";

export interface StackOutputsArgs {
  readonly settings: Settings;
  readonly server: Server;
  readonly accounts: Accounts;
  readonly dkim: DkimKeys;
  readonly records: Readonly<Record<string, RecordOutput>>;
  readonly keys: SshKeys;
  /** Passwords that the host's bundles asked for, by name. */
  readonly generated: pulumi.Output<Record<string, string>>;
}

/** What the stack tells its owner. */
export function stackOutputs(args: StackOutputsArgs): Record<string, unknown> {
  const { settings, server, accounts, dkim, records, keys, generated } = args;
  const { hostname } = settings;
  const { keepDays } = settings.options.removed;
  // The local cloud says how its engine is called, and knows its stack.
  const { MAILHOST_PULUMI: engine = "npx pulumi" } = process.env;
  const named = process.env.MAILHOST_PULUMI === undefined ? ` --stack ${pulumi.getStack()}` : "";
  return {
    hostname,
    publicIp: server.address.publicIp,
    ...(settings.network.ipv6 && { publicIpv6: server.publicIpv6 }),
    domains: settings.domains.map((domain) => domain.name),
    /** Generated passwords by mailbox address, app passwords by `<address>/<device>`. */
    credentials: pulumi.secret(accounts.credentials),
    /** What a person types into a mail program (RFC 8314: TLS from the first byte). */
    clientSettings: {
      login: "the whole mail address",
      incoming: { protocol: "IMAP", host: hostname, port: 993, security: "SSL/TLS" },
      outgoing: { protocol: "SMTP", host: hostname, port: 465, security: "SSL/TLS" },
      outgoingAlternative: { protocol: "SMTP", host: hostname, port: 587, security: "STARTTLS" },
    },
    /** Where people find these, and a profile for Apple devices, by domain. */
    ...(settings.options.clientSetup && {
      setupPages: Object.fromEntries(settings.domains.map(({ name }) => [name, setupPage(name)])),
    }),
    /** Where the mail lies on the host's data volume; that of a domain or mailbox no longer listed stays there. */
    mailStore: {
      path: "/srv/mail/<domain>/<mailbox>",
      removed: `kept ${keepDays === undefined ? "until you delete it by its name" : `for ${keepDays} days`}`,
    },
    dnsRecords: records,
    dkimPublicKeys: dkim.publicKeys,
    /** What rspamd's own page asks for (docs/spam.md). */
    ...(settings.options.rspamdPage && {
      rspamdPassword: pulumi.secret(generated.apply((all) => all[RSPAMD_PAGE_PASSWORD])),
    }),
    /** Everything a login on the host takes. */
    ssh: pulumi.secret({
      host: server.address.publicIp,
      port: 22,
      user: LOGIN_USER,
      privateKey: keys.login.privateKeyOpenssh,
      hostKey: keys.host.publicKeyOpenssh.apply((key) => key.trim()),
    }),
    nextSteps: [
      `Passwords: ${engine} stack output credentials --show-secrets${named}`,
      `Mail program: IMAP ${hostname} 993 SSL/TLS, SMTP ${hostname} 465 SSL/TLS, login with the whole address`,
      `Is it all right? npm run check${named === "" ? "" : ` --${named}`}`,
    ],
  };
}
