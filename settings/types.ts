import type { OptionValues } from "../options/list.ts";
import type { SpfAll } from "./spf.ts";

/**
 * What a stack says, parsed, checked and with every default filled in: the one typed object that the plan,
 * the components and the check read. `settings/schema.ts` says how each key is written in the stack file.
 */
export interface Settings extends CoreSettings {
  /** By key; `options/` says what each means. */
  readonly options: OptionValues;
}

/** What every host has, whatever its options. */
export interface CoreSettings {
  /** The host's own name: HELO name, PTR, certificate, MX target. Example: `mail.example.org`. */
  readonly hostname: string;
  /** DNS zone that holds the host's own name. */
  readonly hostnameZone: string;
  /** AWS region of the stack, `aws:region`; empty where nobody has told it. */
  readonly region: string;
  /** Full address that receives root's mail, and that of postmaster@, abuse@ and reports, where no mailbox or alias takes them. */
  readonly owner: string;
  readonly ssh: {
    /** Networks (CIDR) from which port 22 is reachable. */
    readonly from: readonly string[];
  };
  readonly server: {
    readonly architecture: "arm64" | "amd64";
    /** EC2 instance type, fitting the architecture. */
    readonly instanceType: string;
    /** Size of the root disk in GiB. */
    readonly rootSize: number;
    /** Size of the data volume in GiB. */
    readonly dataSize: number;
    /** IANA time zone of the host. */
    readonly timeZone: string;
  };
  readonly network: {
    /** Address range of the VPC that is made, when no subnet is named. */
    readonly cidr: string;
    /** Existing subnet to live in, instead of a VPC of its own. */
    readonly subnetId?: string;
    readonly ipv6: boolean;
  };
  readonly acme: {
    /** ACME directory URL. */
    readonly directory: string;
    /** Its name in CAA records (RFC 8659 section 4.2), where one is known. */
    readonly caaIdentity?: string;
    /** PEM of the CA that signs the ACME server's own certificate, where the public ones do not. */
    readonly caCertificate?: string;
  };
  readonly resolver: {
    /** Resolver (IP address) that the deployment asks, where its own does not see the DNS as the world does. */
    readonly outside?: string;
    /** Root hints as zone-file text, where the root is not the internet's. */
    readonly rootHints?: string;
    /** Trust anchor (DS or DNSKEY record as text), where the root is not the internet's. */
    readonly trustAnchor?: string;
  };
  /** In the order of the stack file. */
  readonly domains: readonly Domain[];
}

export interface Domain {
  /** Lower case, A-labels. */
  readonly name: string;
  /** DNS zone that holds the domain's records. */
  readonly zone: string;
  /** The day (YYYY-MM-DD) the domain came to this host: its first DKIM selectors carry it, its TTLs lengthen after it. */
  readonly since: string;
  readonly mailboxes: readonly Mailbox[];
  readonly aliases: readonly Alias[];
  /** Full address that takes what no mailbox or alias takes. */
  readonly catchAll?: string;
  /** How its SPF record stands together with that of somebody else. Present only where it is to. */
  readonly spf?: {
    /** What the record says of all others. @default what the one says that is there */
    readonly all?: SpfAll;
  };
  readonly dmarc: {
    /** `ramp`: as far as the reports have let it come (`plan/ramps.ts`). */
    readonly policy: "none" | "quarantine" | "reject" | "ramp";
    /** Full address of aggregate reports. */
    readonly reportsTo: string;
  };
}

export interface Mailbox {
  /** Full address: the login. */
  readonly address: string;
  /** A hash from elsewhere ({SCHEME}… or crypt(3) form), instead of a generated password. Secret. */
  readonly passwordHash?: string;
  /** Names of devices that have a generated password of their own. Present only where there are some. */
  readonly appPasswords?: readonly string[];
  /** How much it holds, in GiB, instead of the option's size; 0 is without a limit. */
  readonly quota?: number;
  /** No login on any port; mail is still taken. */
  readonly suspended: boolean;
}

export interface Alias {
  /** Full address. */
  readonly address: string;
  /** Full addresses, here or elsewhere. */
  readonly to: readonly string[];
}
