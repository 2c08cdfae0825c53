import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { bundleDocument } from "../../plan/bundle.ts";
import { dkimSelectors } from "../../plan/dkim.ts";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { hostKeys } from "../../plan/hostKey.ts";
import { tlsKeys } from "../../plan/tlsKey.ts";
import { rotate } from "../../plan/turns.ts";
import { parseSettings } from "../../settings/parse.ts";
import { nothingSeen } from "../plan/seen.ts";
import { isSecret, type Options, runProgram, settled, stack } from "./program.ts";

// As Pulumi's runner has it before it runs a program.
let lookedUp = 0;
Error.prepareStackTrace = ({ stack }) => {
  lookedUp += 1;
  return stack;
};
const run = await runProgram(stack);
const settings = parseSettings(stack, {});
const bundles = hostBundles(settings);
const rotation = rotate(settings, {}, new Date(), nothingSeen);

test("no source map is looked up for the stack traces that Pulumi's runtime takes by the thousand", () => {
  assert.equal(lookedUp, 0);
});

test("every resource has its name", () => {
  const names = run.registrations
    .filter(({ name }) => !name.startsWith("host-"))
    .map(({ type, name }) => `${type.replace(/^.*:/, "")} ${name}`)
    .sort();
  assert.deepEqual(
    names,
    [
      "DnsRecord dns-a:mail.example.org",
      ...["example.com", "example.org"].flatMap((domain) =>
        ["imap", "imaps", "pop3", "pop3s", "submission", "submissions"].map(
          (service) => `DnsRecord dns-srv:_${service}._tcp.${domain}`,
        ),
      ),
      ...["example.com", "example.org"].flatMap((domain) => [
        `DnsRecord dns-txt:_smtp._tls.${domain}`,
        `DnsRecord policies-txt:_mta-sts.${domain}`,
      ]),
      "DnsRecord inbound-mx:example.com",
      "DnsRecord inbound-mx:example.org",
      ...tlsKeys(settings, rotation).map(
        ({ generation }) => `DnsRecord inbound-tlsa:_25._tcp.mail.example.org:${generation}`,
      ),
      "Command acme-url",
      "DnsRecord caa-caa:mail.example.org",
      "DnsRecord caa-caa:mail.example.org:issuewild",
      ...tlsKeys(settings, rotation).map(({ name }) => `PrivateKey ${name}`),
      ...dkimSelectors(settings, rotation).map(({ name }) => `DnsRecord dns-txt:${name}`),
      ...["example.com", "example.org", "mail.example.org"].flatMap((domain) => [
        `DnsRecord dns-txt:_dmarc.${domain}`,
        `DnsRecord dns-txt:${domain}`,
      ]),
      "Eip server-address",
      "EipAssociation server-address-association",
      "EipDomainName ptr-record",
      "Instance server-instance",
      "InternetGateway network-gateway",
      ...dkimSelectors(settings, rotation).map(({ name }) => `PrivateKey dkim-${name}`),
      "PrivateKey ssh-bootstrap",
      ...hostKeys(settings, rotation).map(({ generation }) => `PrivateKey ssh-host-${generation}`),
      "PrivateKey ssh-login",
      // bob came with a hash.
      "RandomPassword accounts-ann@example.org",
      "RandomPassword accounts-carol@example.com",
      "RandomPassword generated-srs",
      "RandomString mark-id",
      "RouteTable network-routes",
      "RouteTableAssociation network-routes-subnet",
      "SecurityGroup firewall-group",
      "Subnet network-subnet",
      "Volume server-data",
      "VolumeAttachment server-data-attachment",
      "Vpc network-vpc",
      ...["example.com", "example.org"].flatMap((domain) => [
        `WorkersCustomDomain web-autoconfig.${domain}`,
        `WorkersCustomDomain web-autodiscover.${domain}`,
        `WorkersCustomDomain web-mta-sts.${domain}`,
      ]),
      "WorkersScript web-script",
      "ZoneDnssec dnssec-example.com",
      "ZoneDnssec dnssec-example.org",
    ].sort(),
  );
});

test("the security group opens exactly the plan's ports", () => {
  const { inputs } = run.find("firewall-group");
  const ingress = inputs.ingress as readonly {
    fromPort: number;
    toPort: number;
    protocol: string;
    cidrBlocks: string[];
  }[];
  assert.deepEqual(
    ingress
      .map((rule) => [rule.fromPort, rule.toPort, rule.protocol, rule.cidrBlocks])
      .sort((a, b) => Number(a[0]) - Number(b[0])),
    [
      [22, 22, "tcp", ["203.0.113.7/32"]],
      [25, 25, "tcp", ["0.0.0.0/0"]],
      [80, 80, "tcp", ["0.0.0.0/0"]],
      [465, 465, "tcp", ["0.0.0.0/0"]],
      [587, 587, "tcp", ["0.0.0.0/0"]],
      [993, 993, "tcp", ["0.0.0.0/0"]],
    ],
  );
});

test("every description is one that EC2 takes", () => {
  const { inputs } = run.find("firewall-group");
  const rules = [
    ...(inputs.ingress as { description: string }[]),
    ...(inputs.egress as { description: string }[]),
  ];
  for (const { description } of rules)
    assert.match(description, /^[0-9A-Za-z_ .:/()#,@[\]+=&;{}!$*-]{1,255}$/);
});

test("a zone stays signed when the stack goes: the registrar's DS record may ask for it", async () => {
  assert.deepEqual(run.find("dnssec-example.org").inputs, {
    zoneId: "zone-of-example.org",
    status: "active",
  });
  assert.ok(run.options("dnssec-example.org").retainOnDelete);
  assert.deepEqual(await settled(pulumi.output(run.outputs.dnssec)), {
    "example.com": "DS of dnssec-example.com",
    "example.org": "DS of dnssec-example.org",
  });
});

test("the machine: Debian's image, IMDSv2, encrypted disks", () => {
  const { userData, ...inputs } = run.find("server-instance").inputs;
  assert.deepEqual(inputs, {
    ami: "ami-0123456789abcdef0",
    instanceType: "t4g.small",
    subnetId: "id-of-network-subnet",
    vpcSecurityGroupIds: ["id-of-firewall-group"],
    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
    rootBlockDevice: { volumeType: "gp3", volumeSize: 8, encrypted: true },
    tags: { Name: "server", "mailhost:stack": "test" },
  });
  assert.ok(isSecret(userData));
  const text = String(userData.value);
  assert.match(text, /^#cloud-config\n/);
  assert.match(text, /ssh_authorized_keys:\n {2}- ssh-key public-ssh-login\n/);
  assert.match(text, /ecdsa_private: \|\n {4}private ssh-bootstrap\n/);
  assert.doesNotMatch(text, /private ssh-host|private ssh-login/);
  assert.deepEqual(run.find("server-data").inputs, {
    availabilityZone: "eu-central-1b",
    type: "gp3",
    size: 20,
    encrypted: true,
    tags: { Name: "server-data", "mailhost:stack": "test" },
  });
});

test("network, address, name, keys and passwords: exactly these inputs", () => {
  const own = (name: string) => ({ Name: name, "mailhost:stack": "test" });
  const expected: Readonly<Record<string, object>> = {
    "network-vpc": {
      cidrBlock: "10.20.0.0/16",
      enableDnsHostnames: true,
      enableDnsSupport: true,
      assignGeneratedIpv6CidrBlock: false,
      tags: own("network"),
    },
    "network-gateway": { vpcId: "id-of-network-vpc", tags: own("network") },
    "network-subnet": {
      vpcId: "id-of-network-vpc",
      availabilityZone: "eu-central-1b",
      cidrBlock: "10.20.0.0/24",
      mapPublicIpOnLaunch: false,
      tags: own("network"),
    },
    "network-routes": {
      vpcId: "id-of-network-vpc",
      routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: "id-of-network-gateway" }],
      tags: own("network"),
    },
    "network-routes-subnet": { routeTableId: "id-of-network-routes", subnetId: "id-of-network-subnet" },
    "server-address": { domain: "vpc", tags: own("server") },
    "server-address-association": {
      allocationId: "id-of-server-address",
      instanceId: "id-of-server-instance",
    },
    "server-data-attachment": {
      deviceName: "/dev/sdf",
      instanceId: "id-of-server-instance",
      volumeId: "id-of-server-data",
      stopInstanceBeforeDetaching: true,
    },
    "ptr-record": { allocationId: "eipalloc-0123456789abcdef0", domainName: "mail.example.org" },
    "ssh-login": { algorithm: "ED25519" },
    "ssh-host-20261121": { algorithm: "ED25519" },
    "ssh-bootstrap": { algorithm: "ECDSA", ecdsaCurve: "P256" },
    "dkim-20261121r._domainkey.example.org": { algorithm: "RSA", rsaBits: 2048 },
    "dkim-20261121e._domainkey.example.org": { algorithm: "ED25519" },
    "accounts-ann@example.org": { length: 24, special: false },
    "generated-srs": { length: 32, special: false },
    "mark-id": { length: 6, upper: false, special: false },
  };
  for (const [name, inputs] of Object.entries(expected))
    assert.deepEqual(run.find(name).inputs, inputs, name);
  assert.deepEqual(run.calls.get("aws:ec2/getAmi:getAmi"), {
    // Debian's own account (wiki.debian.org/Cloud/AmazonEC2Image).
    owners: ["136693071363"],
    mostRecent: true,
    filters: [
      { name: "name", values: ["debian-13-arm64-*"] },
      { name: "architecture", values: ["arm64"] },
    ],
  });
  assert.deepEqual(run.find("firewall-group").inputs.egress, [
    {
      description: "Mail, DNS, packages and certificates go out; the host is a gateway for nobody",
      protocol: "-1",
      fromPort: 0,
      toPort: 0,
      cidrBlocks: ["0.0.0.0/0"],
    },
  ]);
});

test("what outlives the machine is protected, and a newer image or subnet replaces nothing", () => {
  assert.deepEqual(pick(run.options("server-data")), {
    protect: true,
    retainOnDelete: true,
    deleteBeforeReplace: false,
    ignoreChanges: ["availabilityZone"],
  });
  assert.equal(run.options("server-address").protect, true);
  assert.deepEqual(pick(run.options("server-instance")), {
    protect: false,
    retainOnDelete: false,
    deleteBeforeReplace: true,
    ignoreChanges: ["ami", "userData"],
  });
  for (const name of ["server-data-attachment", "server-address-association"])
    assert.equal(run.options(name).deleteBeforeReplace, true, name);
});

test("a size alone runs one host step again, after the disk has it; a smaller one is asked about first", () => {
  assert.equal(run.find("host-volume").inputs.stdin, "id-of-server-data 20\n");
  assert.equal(run.find("host-rootdisk").inputs.stdin, "8\n");
  assert.ok(run.options("host-volume").dependsOn.includes("server-data"));
  assert.ok(run.options("host-rootdisk").dependsOn.includes("server-instance"));
  assert.deepEqual(run.options("server-data").beforeUpdate, ["server-data-refuse-smaller"]);
  assert.ok(run.options("server-instance").beforeUpdate.includes("server-refuse-smaller-root"));
});

test("an imported volume or address, which has no parent in the state, is adopted", () => {
  for (const name of ["server-data", "server-address"])
    assert.equal(run.options(name).orphanAlias, true, name);
  assert.equal(run.options("server-instance").orphanAlias, false);
});

test("the network is made in the data volume's zone, the first that offers the machine", () => {
  assert.equal(run.find("network-subnet").inputs.availabilityZone, "eu-central-1b");
  assert.equal(run.find("server-data").inputs.availabilityZone, "eu-central-1b");
});

test("order: A before PTR, PTR before what sends, a mailbox before its MX", () => {
  assert.ok(run.options("ptr-record").dependsOn.includes("dns-a:mail.example.org"));
  for (const name of ["host-postfix", "host-certbot"]) {
    // A component's children are made when all is there that it depends on.
    assert.ok(run.options(name).dependsOn.includes("ptr-record"), name);
    assert.ok(run.options("inbound-mx:example.org").dependsOn.includes(`${name}-files`), name);
  }
  assert.ok(run.options("inbound-mx:example.org").dependsOn.includes("host-accounts-secrets"));
  // Its own page alone: with a hundred domains the pages of all would be thirty thousand things to wait for.
  assert.deepEqual(
    run.options("policies-txt:_mta-sts.example.org").dependsOn.filter((name) => name.startsWith("web-")),
    ["web-mta-sts.example.org"],
  );
  assert.ok(run.options("web-mta-sts.example.org").dependsOn.includes("web-script"));
  assert.ok(run.options("host-bootstrap").dependsOn.includes("server-address-association"));
  assert.ok(run.options("host-volume").dependsOn.includes("host-storage-files"));
});

test("records carry their reason, and long TXT values are split", () => {
  const mx = run.find("inbound-mx:example.org").inputs;
  assert.deepEqual(mx, {
    zoneId: "zone-of-example.org",
    name: "example.org",
    type: "MX",
    // A new domain's records live for 300 seconds, for its first 14 days.
    ttl: Date.now() < Date.parse("2026-11-21") + 14 * 86_400_000 ? 300 : 3600,
    proxied: false,
    priority: 10,
    content: "mail.example.org",
    comment: "mailhost a1b2c3: Mail for this domain goes to the mail host",
  });
  assert.equal(run.find("dns-a:mail.example.org").inputs.content, "198.18.0.40");
  assert.match(
    run.find("dns-txt:20261121r._domainkey.example.org").inputs.content as string,
    /^"v=DKIM1;[^"]{200,255}" "[^"]+"$/,
  );
  for (const { type, inputs } of run.registrations) {
    if (type === "cloudflare:index/dnsRecord:DnsRecord") assert.ok((inputs.comment as string).length <= 100);
  }
});

test("an SRV record comes in its parts, as Cloudflare takes it", () => {
  const { data, priority, content } = run.find("dns-srv:_submission._tcp.example.org").inputs;
  assert.deepEqual([priority, content], [10, undefined]);
  assert.deepEqual(data, { priority: 10, weight: 1, port: 587, target: "mail.example.org" });
});

test("one Worker answers at all names, in the account of their zones", () => {
  const { content, ...script } = run.find("web-script").inputs;
  assert.deepEqual(script, {
    accountId: "account-of-example.org",
    scriptName: "mailhost-mail-example-org-5e495c",
    mainModule: "worker.js",
    compatibilityDate: "2026-09-01",
  });
  assert.match(String(content), /"host": "autodiscover\.example\.com"/);
  assert.deepEqual(run.find("web-autoconfig.example.com").inputs, {
    accountId: "account-of-example.com",
    zoneId: "zone-of-example.com",
    hostname: "autoconfig.example.com",
    service: "mailhost-mail-example-org-5e495c",
  });
  assert.deepEqual(run.outputs.setupPages, {
    "example.org": "https://autoconfig.example.org/",
    "example.com": "https://autoconfig.example.com/",
  });
});

test("the host key that was once the only one stays the host's, and whoever logs in knows the next one", async () => {
  assert.deepEqual(run.options("ssh-host-20261121").formerNames, ["ssh-host"]);
  const [, next] = hostKeys(settings, rotation);
  const { hostKey, nextHostKey } = await settled(
    run.outputs.ssh as pulumi.Output<{ readonly hostKey: string; readonly nextHostKey: string }>,
  );
  assert.deepEqual(
    [hostKey, nextHostKey],
    ["ssh-key public-ssh-host-20261121", `ssh-key public-ssh-host-${next?.generation}`],
  );
  assert.equal(run.find("host-identity").inputs.stdin, run.find("host-bootstrap").inputs.stdin);
});

test("the first connection expects the bootstrap key, all others the lasting one", () => {
  const commands = run.registrations.filter(({ type }) => type === "command:remote:Command");
  assert.ok(commands.length > 12);
  for (const { name, inputs } of commands) {
    // It holds the login key, so it is a secret as a whole.
    assert.ok(isSecret(inputs.connection), name);
    const connection = inputs.connection.value as Record<string, unknown>;
    assert.equal(
      connection.hostKey,
      name === "host-bootstrap" ? "ssh-key public-ssh-bootstrap" : "ssh-key public-ssh-host-20261121",
      name,
    );
    assert.deepEqual(inputs.triggers, ["id-of-server-instance"], name);
  }
});

test("each bundle is one readable text, its secrets apart", () => {
  for (const bundle of bundles) {
    // The accounts are nothing but secrets.
    if (bundle.name !== "accounts")
      assert.equal(run.find(`host-${bundle.name}-files`).inputs.stdin, bundleDocument(bundle), bundle.name);
    const secrets = run.registrations.find(({ name }) => name === `host-${bundle.name}-secrets`);
    assert.equal(secrets !== undefined, bundle.secretFiles.length > 0, bundle.name);
    const confirm = run.registrations.some(({ name }) => name === `host-${bundle.name}-confirm`);
    assert.equal(confirm, bundle.confirm, bundle.name);
  }
  assert.equal(run.find("host-packages").inputs.stdin, `${hostPackages(bundles).join("\n")}\n`);
});

test("what a step with a secret standard input says is kept as one, and goes to no log", () => {
  const commands = run.registrations.filter(({ type }) => type === "command:remote:Command");
  const confidential = commands
    .filter(({ name }) => {
      const kept = run.options(name).additionalSecretOutputs;
      return kept.includes("stdout") && kept.includes("stderr");
    })
    .map(({ name }) => name);
  // The mocked host key is no secret; the real one is (test/e2e/host/50-secrets.test.ts).
  const hasHostKey = ["host-bootstrap", "host-identity"];
  const secret = commands.filter(({ name, inputs }) => isSecret(inputs.stdin) || hasHostKey.includes(name));
  assert.deepEqual(
    confidential,
    secret.map(({ name }) => name),
  );
  assert.ok(secret.length >= 3);
  for (const { name, inputs } of commands)
    assert.equal(inputs.logging, confidential.includes(name) ? "none" : undefined, name);
});

test("outputs: passwords are secret, client settings are not", async () => {
  const credentials = run.outputs.credentials as pulumi.Output<Record<string, string>>;
  assert.equal(await pulumi.isSecret(credentials), true);
  assert.deepEqual(await settled(credentials), {
    "ann@example.org": "password of accounts-ann@example.org",
    "carol@example.com": "password of accounts-carol@example.com",
  });
  assert.equal(await pulumi.isSecret(run.outputs.ssh as pulumi.Output<unknown>), true);
  assert.equal(run.outputs.hostname, "mail.example.org");
  const records = run.outputs.dnsRecords as Record<string, { why: string; content: pulumi.Output<string> }>;
  assert.equal(records["mx:example.org"]?.why, "Mail for this domain goes to the mail host");
  assert.match(JSON.stringify(Object.keys(records)), /"txt:_dmarc\.example\.com"/);
  assert.deepEqual(run.outputs.domains, ["example.org", "example.com"]);
  assert.deepEqual(run.outputs.mailboxes, {
    "ann@example.org": "generated password",
    "bob@example.org": "password of its owner's",
    "carol@example.com": "generated password",
  });
  assert.deepEqual(run.outputs.mailStore, {
    path: "/srv/mail/<domain>/<mailbox>",
    removed: "kept until you delete it by its name",
  });
  assert.deepEqual(run.outputs.nextSteps, [
    "Passwords: npx pulumi stack output credentials --show-secrets --stack test",
    "Mail program: IMAP mail.example.org 993 SSL/TLS, SMTP mail.example.org 465 SSL/TLS, login with the whole mail address",
    "Is it all right? npm run check -- --stack test",
  ]);
  assert.deepEqual(run.outputs.clientSettings, {
    login: "the whole mail address",
    incoming: { protocol: "IMAP", host: "mail.example.org", port: 993, security: "SSL/TLS" },
    outgoing: { protocol: "SMTP", host: "mail.example.org", port: 465, security: "SSL/TLS" },
    outgoingAlternative: { protocol: "SMTP", host: "mail.example.org", port: 587, security: "STARTTLS" },
  });
});

function pick({ protect, retainOnDelete, deleteBeforeReplace, ignoreChanges }: Options) {
  return { protect, retainOnDelete, deleteBeforeReplace, ignoreChanges };
}
