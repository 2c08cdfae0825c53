/** The plan's vocabulary: pure data and pure functions of settings and facts. */

import type { SpfPart } from "./spf.ts";

/** What only a later stage learns. Plain values here; components lift them out of Outputs. */
export interface Facts {
  readonly publicIpv4: string;
  /** Present only when the settings ask for IPv6. */
  readonly publicIpv6?: string;
  /** URL of the host's account at the ACME server. Present only where a CAA record asks for it. */
  readonly acmeAccount?: string;
  /**
   * Public keys as their records have them: DKIM's (`p=` values, base64) by selector's full name
   * `<selector>._domainkey.<domain>`, TLS's (SHA-256 in hex) as `tls-<generation>`.
   */
  readonly publicKeys: Readonly<Record<string, string>>;
}

/** One of the facts: an address, a URL, or a public key. */
export type FactName =
  | "acmeAccount"
  | "publicIpv4"
  | "publicIpv6"
  | `${string}._domainkey.${string}`
  | `tls-${string}`;

/** A text that is made out of one fact. One alone, so that a new domain's key is no news to the others' records. */
export interface FactText {
  readonly fact: FactName;
  readonly text: (value: string) => string;
}

/** What goes into secret files, and nowhere else. */
export interface Secrets {
  /** DKIM private keys, PKCS#8 PEM, by selector's full name `<selector>._domainkey.<domain>`. */
  readonly dkimPrivateKeys: Readonly<Record<string, string>>;
  /** The private key of TLS in use, PKCS#8 PEM, by its name `tls-<generation>`. */
  readonly tlsKeys: Readonly<Record<string, string>>;
  /** Password hashes ({SCHEME}…), by mailbox address, and by `<address>/<device>` those of app passwords. */
  readonly passwordHashes: Readonly<Record<string, string>>;
  /** Passwords that only the host itself and its owner use, by the name a bundle asks for them (`Bundle.generates`). */
  readonly generated: Readonly<Record<string, string>>;
  /** Login at Amazon SES: `username` and `password`; nothing where it is not the relay. */
  readonly ses: Readonly<Record<string, string>>;
  /** No secrets: what is known as late as they are, for a file that goes along with them. */
  readonly known: Known;
}

/** What the stack knows of itself once its parts are there. */
export interface Known {
  /** The stack's name. */
  readonly stack: string;
  readonly facts: Facts;
  /** DS records that the registrars have to have, by zone. */
  readonly ds: Readonly<Record<string, string>>;
}

/** One DNS record, and the reason for it. */
export interface DnsRecord {
  /** Zone that holds it. */
  readonly zone: string;
  /** Fully qualified, without a trailing dot. */
  readonly name: string;
  readonly type: "A" | "AAAA" | "CAA" | "MX" | "SRV" | "TLSA" | "TXT";
  /** Seconds. */
  readonly ttl: number;
  /** MX (RFC 5321 section 5) and SRV only. */
  readonly priority?: number;
  /** Where records of one name and type stand side by side: what tells this one's resource from the first one's. */
  readonly label?: string;
  /**
   * The value, unquoted: TXT as one string, however long; SRV as `weight port target` (RFC 2782);
   * TLSA as `usage selector type digest` (RFC 6698), CAA as `flags tag "value"` (RFC 8659). A plain string where
   * no fact is needed, so that the preview before the first `up` shows it already.
   */
  readonly content: string | FactText;
  /** SPF alone, where the stack file wants it: how it stands in one record with somebody else's; else the content is its own. */
  readonly joins?: SpfPart;
  /** One sentence of at most 83 characters; it is in the record's comment in the zone too. */
  readonly why: string;
}

/**
 * What one address of the web answers: served by a Worker at Cloudflare, so that the host needs no port for it.
 * In a text, `%ADDRESS%` is the mail address that the request named, and `%UUID%` another random one each time.
 */
export interface WebPage {
  /** Zone that holds the host name. */
  readonly zone: string;
  /** The whole name: `autoconfig.example.org`. */
  readonly host: string;
  /** Lower case, from the slash on; asked for in any case. */
  readonly path: string;
  readonly method: "GET" | "POST";
  /** Beside what every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: { readonly text: string } | { readonly base64: string };
  /**
   * Where the request names a mail address: as `?address=`, or as the element EMailAddress of its body. It must be one
   * of this domain's; else the request is refused. @default the content has no place for one
   */
  readonly address?: { readonly in: "query" | "body"; readonly domain: string };
}

/** A listening port of the host: security group, host firewall, docs and checks all derive from these. */
export interface Port {
  /** Name as in RFC 6335's registry: `smtp`, `submissions`, `imaps`. */
  readonly name: string;
  readonly number: number;
  readonly protocol: "tcp" | "udp";
  /** `anywhere`, or the networks (CIDR) it is open to. */
  readonly from: "anywhere" | readonly string[];
  /** A sentence of at most 255 characters, without apostrophes: EC2 takes none in a rule's description. */
  readonly why: string;
}

export interface Directory {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** Octal, four digits: `0750`. */
  readonly mode: string;
}

export interface HostFile {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** Octal, four digits: `0644`. */
  readonly mode: string;
  /** Ends with a newline. */
  readonly content: string;
}

/** A file whose content holds a key, a password or a hash: it travels apart and is never shown. */
export interface SecretFile extends Omit<HostFile, "content"> {
  /** The kinds of secrets that go into it: a change of the others does not concern it. */
  readonly needs: readonly (keyof Secrets)[];
  readonly content: (secrets: Secrets) => string;
}

/** A command that makes something out of files (`postmap`), run after they changed and before units reload. */
export interface Derivation {
  readonly command: string;
  /** Paths of this bundle whose change asks for it. */
  readonly on: readonly string[];
  /** Paths of what it makes: where one is missing, the command runs although nothing changed. Default: none. */
  readonly makes?: readonly string[];
}

export interface Unit {
  /** systemd unit, with its suffix. */
  readonly name: string;
  /** Paths (or directories, ending in `/`) of this bundle whose change asks for a reload. */
  readonly reload: readonly string[];
  /** The same for a restart; it wins over a reload. */
  readonly restart: readonly string[];
}

/** What one service needs on the host. */
export interface Bundle {
  readonly name: string;
  /** What the service does here, in a sentence for docs. */
  readonly why: string;
  readonly packages: readonly string[];
  readonly directories: readonly Directory[];
  readonly files: readonly HostFile[];
  readonly secretFiles: readonly SecretFile[];
  readonly derivations: readonly Derivation[];
  /** Commands that judge the new configuration as a whole, at its final paths, before it goes live. */
  readonly validate: readonly string[];
  /** Units that are enabled and running when the bundle is applied. */
  readonly units: readonly Unit[];
  /** Units of the distribution that this host does not want: disabled and stopped. */
  readonly disabledUnits: readonly string[];
  readonly ports: readonly Port[];
  /**
   * Names of passwords that are made for it once and kept in the state, 32 letters and digits each:
   * `Secrets.generated` has them.
   */
  readonly generates: readonly string[];
  /** Names of bundles that must be applied before. */
  readonly after: readonly string[];
  /** True where a mistake could lock the operator out: a second login has to prove the change before it stays. */
  readonly confirm: boolean;
}
