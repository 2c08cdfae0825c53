/**
 * The seams inside the local cloud. The simulated AWS and Cloudflare services decide what exists and what is
 * an error; the world (machines, networks, DNS) makes it real and judges nothing.
 */

/** A security-group rule as the packet filter sees it. Port -1 with protocol `-1` is everything. */
export interface FirewallRule {
  readonly direction: "ingress" | "egress";
  /** `tcp`, `udp`, `icmp`, `icmpv6` or `-1`. */
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly cidr: string;
}

export interface MachineSpec {
  /** `i-…` */
  readonly id: string;
  readonly privateIpv4: string;
  /** Prefix length and first address (the gateway) of its subnet. */
  readonly subnetPrefix: number;
  readonly gateway: string;
  readonly hostname: string;
  /** Decoded `#cloud-config`. */
  readonly userData: string;
  /** Root disk, GiB. */
  readonly rootSize: number;
}

/** Makes the simulated cloud's decisions real. Every call is idempotent and survives a restart of the daemon. */
export interface World {
  /** Creates the machine from the image and boots it; resolves when it is on its way up. */
  launch(spec: MachineSpec): Promise<void>;
  /** Powers off hard and deletes the root disk. */
  terminate(instanceId: string): Promise<void>;
  stop(instanceId: string): Promise<void>;
  start(instanceId: string): Promise<void>;
  reboot(instanceId: string): Promise<void>;
  /** `absent` where no such machine is known. */
  state(instanceId: string): Promise<"running" | "stopped" | "absent">;

  createVolume(volumeId: string, sizeGiB: number): Promise<void>;
  deleteVolume(volumeId: string): Promise<void>;
  /** Appears in the machine as /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_<volumeId without its dash>. */
  attachVolume(volumeId: string, instanceId: string): Promise<void>;
  detachVolume(volumeId: string, instanceId: string): Promise<void>;

  /** All rules of all groups of the machine; replaces what was set before. */
  setFirewall(instanceId: string, rules: readonly FirewallRule[]): Promise<void>;
  /** Public addresses of this cloud that may be given out as elastic IPs. */
  readonly publicPool: readonly string[];
  /** 1:1 NAT of a public address to a machine's private one; `undefined` takes it away. */
  mapAddress(publicIpv4: string, privateIpv4: string | undefined): Promise<void>;
  /** Outbound port 25 of machines, blocked as on a new AWS account. */
  setPort25Blocked(blocked: boolean): Promise<void>;

  readonly dns: DnsWorld;
  readonly ses: SesWorld;
  readonly edge: EdgeWorld;
}

/** One DNS record as a nameserver holds it. */
export interface PublishedRecord {
  /** Fully qualified, without a trailing dot. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  /** RDATA in zone-file form (`10 mail.example.org.`, `"v=spf1" " -all"`). */
  readonly rdata: string;
}

export interface DnsWorld {
  /** Zones that the simulated Cloudflare account holds, served and signed: `example.org`, `example.com`. */
  readonly zones: readonly string[];
  /** Zones that the simulated AWS account holds at Route 53, served as well. */
  readonly route53Zones: readonly string[];
  /** Names of their nameservers. */
  readonly route53Servers: readonly string[];
  /** Replaces the whole RRset (name, type); an empty list removes it. Served when the promise resolves. */
  setRrset(zone: string, name: string, type: string, records: readonly PublishedRecord[]): Promise<void>;
  /** PTR of a public address; `undefined` takes it away. */
  setPtr(publicIpv4: string, name: string | undefined): Promise<void>;
  /** Asks a validating resolver of the outside world. */
  resolve(name: string, type: string): Promise<readonly string[]>;
}

/** The edge of Cloudflare's network: where proxied names lead, and where Workers run. */
export interface EdgeWorld {
  /** IPv4 address of proxied names. */
  readonly address: string;
  /** Starts a script (module syntax) and ends it. @throws with what it says where it does not start */
  tryScript(source: string): Promise<void>;
  /** Scripts by host name, instead of those before; each name gets a certificate. Served when the promise resolves. */
  serve(scripts: Readonly<Record<string, string>>): Promise<void>;
}

/** Where Amazon SES takes mail after a login, and sends it on. */
export interface SesWorld {
  /** All that it knows of its customer; replaces what it knew before. In force when the promise resolves. */
  serve(account: SesAccount): Promise<void>;
}

export interface SesAccount {
  readonly region: string;
  /** Mail goes to verified identities alone. */
  readonly sandbox: boolean;
  readonly identities: readonly {
    /** The domain. */
    readonly name: string;
    readonly arn: string;
    readonly verified: boolean;
    readonly selector: string;
    /** Base64 of PKCS #1 or PKCS #8. */
    readonly privateKey: string;
    /** Domain of the envelope senders, where its MX record was found. */
    readonly mailFrom?: string;
    /** What is done while that is not so. */
    readonly withoutMailFrom: "amazon" | "refuse";
  }[];
  readonly logins: readonly {
    readonly username: string;
    readonly password: string;
    readonly userArn: string;
    /** ARNs of the identities that its policies let it send as. */
    readonly maySendAs: readonly string[];
  }[];
}

/** What a running local cloud tells the programs around it: `<cloud folder>/cloud.json`. */
export interface CloudInfo {
  /** Number of this cloud on the machine; its public range is 198.18.<slot>.0/24. */
  readonly slot: number;
  /** PID of the daemon. */
  readonly pid: number;
  /** Unix socket of the daemon's own API: /aws/…, /world/… */
  readonly socket: string;
  /** Base URL of Cloudflare's API, `http://127.0.0.1:<port>/client/v4`. */
  readonly cloudflareUrl: string;
  readonly cloudflareToken: string;
  /** Base URL of AWS's APIs, as AWS's own clients speak to them: `http://127.0.0.1:<port>`. */
  readonly awsUrl: string;
  readonly awsKey: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Validating resolver of the outside world, asked over the wire. */
  readonly resolver: string;
  /** Authoritative servers of the hosted zones. */
  readonly nameservers: readonly string[];
  readonly rootHints: string;
  readonly trustAnchor: string;
  readonly acmeDirectory: string;
  /** PEM of the CA of the ACME server's own HTTPS certificate. */
  readonly acmeCa: string;
  /** PEM of the root that issued certificates chain to. */
  readonly issuerCa: string;
  /** The other side of the internet: its domain, MX address, and the base URL of its judgements. */
  readonly peer: { readonly domain: string; readonly address: string; readonly api: string };
  /** Address from which this machine reaches the cloud; the stack opens port 22 to it. */
  readonly operatorAddress: string;
  readonly architecture: "arm64" | "amd64";
}
