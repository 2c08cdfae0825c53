/** A stack as policies see it, in which all is well, and for each policy one fault. */
import { generateKeyPairSync } from "node:crypto";
import type { RuleConfig } from "../../policy/rule.ts";

export interface Made {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly protect?: boolean;
}

export interface Scene {
  readonly resources: readonly Made[];
  /** The stack's outputs. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

const dkim = (bits: number) => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return `v=DKIM1; h=sha256; k=rsa; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`;
};

const tags = { Name: "server", "mailhost:stack": "dev" };
const group = (network: string) => ({
  vpcId: "vpc-0123456789abcdef0",
  description: "Mail host: the ports of its services",
  ingress: [
    { description: "Mail", protocol: "tcp", fromPort: 25, toPort: 25, cidrBlocks: ["0.0.0.0/0"] },
    { description: "SSH", protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: [network] },
  ],
  tags,
  tagsAll: tags,
});
const volume = {
  availabilityZone: "eu-central-1a",
  type: "gp3",
  size: 4,
  encrypted: true,
  tags,
  tagsAll: tags,
};
const instance = {
  ami: "ami-0a61b7f3e94c2d580",
  instanceType: "t4g.small",
  metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
  rootBlockDevice: { volumeType: "gp3", volumeSize: 8, encrypted: true },
  tags,
  tagsAll: tags,
};
const record = (name: string, type: string, content: string, more: object = {}): Made => ({
  type: "cloudflare:index/dnsRecord:DnsRecord",
  name: `${type} ${name}`.toLowerCase(),
  inputs: {
    name,
    type,
    ttl: 300,
    proxied: false,
    content: type === "TXT" ? `"${content}"` : content,
    ...more,
  },
});
const worker = (hostname: string): Made => ({
  type: "cloudflare:index/workersCustomDomain:WorkersCustomDomain",
  name: "worker",
  inputs: { hostname, zoneName: "example.org", service: "mailhost" },
});
const command = (stdin: string, more: object = {}): Made => ({
  type: "command:remote:Command",
  name: "postfix",
  inputs: { create: "sudo /usr/local/lib/mailhost/apply", stdin, ...more },
});
const postfix =
  "mailhost bundle postfix\nfiles: /etc/postfix/main.cf\n\n=== /etc/postfix/main.cf\nmyhostname = mail.example.org\n";

export const good: Scene = {
  resources: [
    { type: "aws:ec2/securityGroup:SecurityGroup", name: "group", inputs: group("203.0.113.7/32") },
    { type: "aws:ebs/volume:Volume", name: "volume", inputs: volume, protect: true },
    { type: "aws:ec2/instance:Instance", name: "instance", inputs: instance },
    {
      type: "aws:ec2/eip:Eip",
      name: "address",
      inputs: { domain: "vpc", tags, tagsAll: tags },
      protect: true,
    },
    { type: "aws:ec2/eipDomainName:EipDomainName", name: "ptr", inputs: { domainName: "mail.example.org" } },
    { type: "tls:index/privateKey:PrivateKey", name: "key", inputs: { algorithm: "RSA", rsaBits: 2048 } },
    command(postfix),
    record("mail.example.org", "A", "198.18.7.10"),
    record("example.org", "MX", "mail.example.org", { priority: 10 }),
    record("example.org", "TXT", "v=spf1 mx include:relay.example.net -all"),
    record("_dmarc.example.org", "TXT", "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"),
    record("k._domainkey.example.org", "TXT", dkim(2048)),
    worker("autoconfig.example.org"),
    // A name that takes no mail.
    record("www.example.org", "MX", ".", { priority: 0 }),
  ],
  outputs: {
    // A zone that somebody keeps by hand.
    dnsRecords: {
      "mx:example.com": {
        name: "example.com",
        type: "MX",
        ttl: 300,
        priority: 10,
        content: "mail.example.org",
      },
      "mx:example.com:mx.example.net": {
        ...{ name: "example.com", type: "MX", ttl: 300, priority: 20, content: "mx.example.net" },
      },
      "txt:_dmarc.example.com": {
        name: "_dmarc.example.com",
        type: "TXT",
        ttl: 300,
        content: "v=DMARC1; p=none",
      },
    },
  },
};

/** Instead of the resource of the same name, or beside them all. */
const withResource = (made: Made): Scene => ({
  ...good,
  resources: [...good.resources.filter(({ name }) => name !== made.name), made],
});
const changed = (name: string, inputs: Readonly<Record<string, unknown>>, protect?: boolean): Scene => {
  const before = good.resources.find((made) => made.name === name);
  if (before === undefined) throw new Error(`no resource ${name}`);
  return withResource({
    ...before,
    inputs: { ...before.inputs, ...inputs },
    ...(protect !== undefined && { protect }),
  });
};
const without = (gone: string): Scene => ({
  ...good,
  resources: good.resources.filter(({ name }) => name !== gone),
});

/** What is wrong, and what the policy says to do about it. */
export interface Fault {
  readonly what: string;
  readonly scene: Scene;
  readonly remedy: RegExp;
  /** With which the policy lets it pass, where it knows a word. */
  readonly word?: RuleConfig;
}

/** By policy; each fault is that of its policy alone. */
export const faults: Readonly<Record<string, readonly Fault[]>> = {
  "no-plain-secret": [
    {
      what: "a private key in a file",
      scene: withResource(command(`${postfix}-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n`)),
      remedy: /^stdin holds a private key in plain text.*Wrap the value in pulumi\.secret\(…\)/s,
    },
    {
      what: "a password's hash in a file",
      scene: withResource(
        command(
          `${postfix}ann@example.org:{SHA512-CRYPT}$6$3RHhb1IIz.YQpA3U$oq19qsB6GXr96VxKj.ANgCBFFOSVD/Tq.JwQAqDqPeNV8E2sLA4yAxs8CX1Ex/e0ngrzLqEYUnsMyvyLr4/eX.:\n`,
        ),
      ),
      remedy: /^stdin holds a password's hash in plain text.*pulumi config set --secret/s,
    },
    {
      what: "a login's key",
      scene: withResource(command(postfix, { connection: { host: "198.18.7.10", password: "hunter22" } })),
      remedy: /^connection\.password holds a secret in plain text/,
    },
    {
      what: "a token in the environment",
      scene: withResource(command(postfix, { environment: { CLOUDFLARE_API_TOKEN: "t".repeat(40) } })),
      remedy: /^environment\.CLOUDFLARE_API_TOKEN holds a secret/,
    },
  ],
  "ssh-not-open": [
    { what: "all of IPv4", scene: changed("group", group("0.0.0.0/0")), remedy: /mailhost:ssh\.from/ },
    { what: "half of it", scene: changed("group", group("0.0.0.0/1")), remedy: /is open to 0\.0\.0\.0\/1/ },
    {
      what: "every port of everybody",
      scene: changed("group", {
        ...group("203.0.113.7/32"),
        ingress: [{ description: "All", protocol: "-1", fromPort: 0, toPort: 0, ipv6CidrBlocks: ["::/0"] }],
      }),
      remedy: /is open to ::\/0\. Write the networks/,
    },
  ],
  "volumes-encrypted": [
    {
      what: "in so many words",
      scene: changed("volume", { encrypted: false }),
      remedy: /Leave `encrypted: true`/,
    },
    {
      what: "left out",
      scene: changed("volume", { encrypted: undefined }),
      remedy: /Leave `encrypted: true`/,
    },
  ],
  "machine-disks-encrypted": [
    {
      what: "the root disk",
      scene: changed("instance", { rootBlockDevice: { volumeType: "gp3", volumeSize: 8 } }),
      remedy: /^The root disk is not encrypted\. Leave/,
    },
    {
      what: "another disk",
      scene: changed("instance", { ebsBlockDevices: [{ deviceName: "/dev/sdg", volumeSize: 8 }] }),
      remedy: /^The disk \/dev\/sdg is not encrypted\. Leave/,
    },
  ],
  "volumes-protected": [
    { what: "not protected", scene: changed("volume", {}, false), remedy: /Leave `protect: true`/ },
  ],
  "address-protected": [
    { what: "not protected", scene: changed("address", {}, false), remedy: /Leave `protect: true`/ },
  ],
  imdsv2: [
    {
      what: "a token is optional",
      scene: changed("instance", { metadataOptions: { httpEndpoint: "enabled", httpTokens: "optional" } }),
      remedy: /Set metadataOptions\.httpTokens to "required"/,
    },
    {
      what: "nothing is said",
      scene: changed("instance", { metadataOptions: undefined }),
      remedy: /Set metadataOptions\.httpTokens to "required"/,
    },
  ],
  "ptr-is-helo": [
    {
      what: "another name",
      scene: changed("ptr", { domainName: "host.example.org" }),
      remedy:
        /leads back to host\.example\.org, and Postfix says HELO mail\.example\.org.*domainName mail\.example\.org/,
    },
    { what: "no name", scene: without("ptr"), remedy: /has no reverse name.*domainName mail\.example\.org/ },
  ],
  "mx-has-address": [
    {
      what: "a name without an address",
      scene: changed("mx example.org", { content: "mx.example.org" }),
      remedy:
        /The MX of example\.org is mx\.example\.org, and the stack publishes no address.*mailhost:hostname/,
    },
    {
      what: "an alias",
      scene: {
        ...good,
        resources: [
          ...good.resources.filter(({ name }) => name !== "mx example.org"),
          record("example.org", "MX", "mx.example.org", { priority: 10 }),
          record("mx.example.org", "CNAME", "mail.example.org"),
        ],
      },
      remedy: /mx\.example\.org, which is a CNAME.*an A record of its own/,
    },
    {
      what: "one in a zone that is kept by hand",
      scene: {
        ...good,
        outputs: {
          dnsRecords: {
            ...(good.outputs.dnsRecords as object),
            "mx:example.com": {
              name: "example.com",
              type: "MX",
              ttl: 300,
              priority: 10,
              content: "old.example.com",
            },
          },
        },
      },
      remedy: /The MX of example\.com is old\.example\.com/,
    },
  ],
  "one-spf": [
    {
      what: "two records",
      scene: withResource({ ...record("example.org", "TXT", "v=spf1 a -all"), name: "second" }),
      remedy: /example\.org would have 2 SPF records.*mailhost:relay\.spf/,
    },
    {
      what: "eleven look-ups, of which some are in a record of ours",
      scene: {
        ...good,
        resources: [
          ...good.resources.filter(({ name }) => name !== "txt example.org"),
          record("example.org", "TXT", "v=spf1 mx include:_spf.example.org -all"),
          record(
            "_spf.example.org",
            "TXT",
            `v=spf1 ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `include:s${n}.example.net`).join(" ")} -all`,
          ),
        ],
      },
      remedy: /takes 11 look-ups at least.*Take an `include:` out of mailhost:relay\.spf/,
    },
  ],
  "dmarc-present": [
    {
      what: "none",
      scene: without("txt _dmarc.example.org"),
      remedy: /example\.org has no DMARC record.*Publish one at _dmarc/,
    },
    {
      what: "one without a policy",
      scene: changed("txt _dmarc.example.org", { content: '"v=DMARC1"' }),
      remedy: /has no DMARC record with a policy/,
    },
    {
      what: "two",
      scene: withResource({ ...record("_dmarc.example.org", "TXT", "v=DMARC1; p=none"), name: "second" }),
      remedy: /has 2 DMARC records/,
    },
  ],
  "dmarc-never-back": [
    {
      what: "reject to none",
      scene: { ...good, outputs: { ...good.outputs, dmarcTakenBack: { "example.org": "reject to none" } } },
      remedy: /of example\.org would go from reject to none.*mayWeaken/,
      word: { mayWeaken: ["example.org"] },
    },
  ],
  "rsa-keys-long": [
    { what: "1024 bits", scene: changed("key", { rsaBits: 1024 }), remedy: /Set rsaBits to 2048/ },
  ],
  "dkim-keys-long": [
    {
      what: "1024 bits",
      scene: changed("txt k._domainkey.example.org", { content: `"${dkim(1024)}"` }),
      remedy: /has 1024 bits.*mailhost:dkim/,
    },
  ],
  "ttl-sane": [
    {
      what: "30 seconds",
      scene: changed("mx example.org", { ttl: 30 }),
      remedy: /lives 30 seconds.*Have 300/,
    },
    {
      what: "a week",
      scene: changed("mx example.org", { ttl: 604_800 }),
      remedy: /believed for days\. Have 300/,
    },
  ],
  "no-record-proxied": [
    {
      what: "the host's address",
      scene: changed("a mail.example.org", { proxied: true }),
      remedy: /Set `proxied: false`/,
    },
  ],
  "no-worker-at-mail-host": [
    {
      what: "a Worker at the MX's name",
      scene: withResource(worker("mail.example.org")),
      remedy: /mail\.example\.org is where mail goes.*a name of its own/,
    },
  ],
  "cost-tags": [
    {
      what: "a volume that is nobody's",
      scene: changed("volume", { tags: { Name: "v" }, tagsAll: { Name: "v" } }),
      remedy: /has no tag mailhost:stack.*aws:defaultTags/,
      word: { tags: ["Name"] },
    },
  ],
};
