/** The check before the first `up`: against the simulated services over HTTP, and a real registry. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mistaken, preflightHeading, runPreflight } from "../../check/preflight/run.ts";
import { type Surroundings, stackAsItIs } from "../../check/stack.ts";
import type { CheckResult } from "../../check/types.ts";
import { type FakeCloud, startFakeCloud } from "../local/fake-cloud.ts";
import { type DnsWorld, startDnsWorld } from "./dnsworld.ts";

let registry: DnsWorld;
const delegated = ["example NS a.ns.example.", "example NS b.ns.example."];

before(async () => {
  registry = await startDnsWorld({ org: { lines: delegated }, com: { lines: delegated } });
});
after(() => registry.close());

const config = {
  "aws:region": "eu-central-1",
  "mailhost:hostname": "mail.example.org",
  "mailhost:owner": "ann@example.org",
  "mailhost:ssh": { from: ["203.0.113.7/32"] },
  "mailhost:server": { architecture: "arm64", instanceType: "t4g.small" },
  "mailhost:domains": {
    "example.org": { since: "2026-11-21", mailboxes: { ann: {} } },
    "example.com": { since: "2026-11-21", mailboxes: { carol: {} } },
  },
} as const;

interface Asked {
  readonly config?: object;
  readonly environment?: Surroundings["environment"];
  readonly only?: string;
  readonly state?: object;
  readonly registry?: DnsWorld;
}

/** All that is said, and what `--json` would print of it. */
async function results(cloud: FakeCloud, asked: Asked = {}): Promise<readonly CheckResult[]> {
  const own = Object.entries({ ...config, ...asked.config }).map(([key, value]) => [
    key,
    typeof value === "string" ? { value } : { objectValue: value },
  ]);
  const { awsKey } = cloud;
  const found = await stackAsItIs("prod", {
    pulumi: async ([command, second]) => {
      if (command === "config") return JSON.stringify(Object.fromEntries(own));
      return JSON.stringify(second === "export" ? (asked.state ?? {}) : {});
    },
    environment: {
      AWS_ENDPOINT_URL: cloud.awsUrl,
      AWS_ACCESS_KEY_ID: awsKey.accessKeyId,
      AWS_SECRET_ACCESS_KEY: awsKey.secretAccessKey,
      CLOUDFLARE_BASE_URL: cloud.cloudflareUrl,
      CLOUDFLARE_API_TOKEN: cloud.cloudflareToken,
      ...asked.environment,
    },
    resolver: (asked.registry ?? registry).resolver,
    trustedCas: [],
  });
  if (found.kind === "mistaken") return mistaken(found.mistakes, { stack: "prod" });
  assert.equal(found.kind, "none yet");
  if (found.kind !== "none yet") return [];
  const { authority } = asked.registry ?? registry;
  return await runPreflight({
    ...found.target,
    nameservers: { org: [authority], com: [authority] },
    ...(asked.only !== undefined && { only: asked.only }),
  });
}

async function cloudflare<T>(cloud: FakeCloud, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${cloud.cloudflareUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${cloud.cloudflareToken}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { result } = (await answer.json()) as { result: T };
  assert.ok(answer.ok);
  return result;
}

async function zoneId(cloud: FakeCloud, name: string): Promise<string> {
  const [zone] = await cloudflare<readonly { id: string }[]>(cloud, "GET", `/zones?name=${name}`);
  return zone?.id ?? assert.fail(`no zone ${name}`);
}

test("what stands above it says that there is no host, and what will need this", () => {
  assert.equal(
    preflightHeading({ stack: "prod" }),
    "The stack prod has no host yet. This is what `npx pulumi up --stack prod` will need:",
  );
  assert.match(preflightHeading({ stack: "dev", isLocal: true }), /`npm start`/);
});

test("all is right: every line, and what nobody can know", async (t) => {
  const found = await results(await startFakeCloud(t));
  const said = ({ right, leftOut }: CheckResult) => (leftOut ? "not looked at" : right ? "right" : "WRONG");
  assert.deepEqual(
    found.map((result) => `${result.group}, ${result.about}: ${said(result)}: ${result.text}`),
    [
      "Stack file, settings: right: the stack file is right: mail.example.org, 2 mailboxes of example.org, example.com",
      "AWS, aws.credential: right: the credential is good: arn:aws:iam::123456789012:user/mailhost, in the account 123456789012",
      "AWS, aws.rights: right: the credential may make a host: CreateVpc, CreateInternetGateway, CreateVolume, AllocateAddress, RunInstances; of what is done to one, AWS tells when there is one",
      "AWS, aws.type: right: AWS offers t4g.small in eu-central-1a, eu-central-1b, eu-central-1c",
      "AWS, aws.addresses: right: the account has 0 of 5 elastic IPs in eu-central-1: one more is free",
      "AWS, aws.processors: right: the account may run machines with 32 processors in eu-central-1",
      "AWS, aws.ptr: right: in eu-central-1 AWS sets the address's reverse name (PTR) by its API, once the A record is served",
      "Cloudflare, cloudflare.token: right: Cloudflare takes the token",
      "Cloudflare, cloudflare.zones: right: Cloudflare has the zones example.org, example.com",
      "Cloudflare, cloudflare.records: right: the token may edit the records of example.org, example.com",
      "Cloudflare, cloudflare.workers: right: the token gets at Workers; whether it may make one, Cloudflare does not tell beforehand",
      "Names, registry.example.org: right: example.org: the registry sends the world to Cloudflare's nameservers, a.ns.example and b.ns.example",
      "Names, registry.example.com: right: example.com: the registry sends the world to Cloudflare's nameservers, a.ns.example and b.ns.example",
      "Names, places.example.org: right: example.org: nothing stands in the way of the plan's records",
      "Names, places.example.com: right: example.com: nothing stands in the way of the plan's records",
      'Mail, outlook.port25: not looked at: whether AWS lets mail out by port 25: it tells nobody beforehand, and blocks it on every new account. Ask it to open the port today, or name a relay: docs/sending.md, "Port 25 is blocked"',
      "Mail, outlook.listed: not looked at: whether the host's address is on a blocklist: it is looked at from the host, when there is one",
    ],
  );
});

test("it asks, and makes nothing", async (t) => {
  const cloud = await startFakeCloud(t);
  const before = await cloud.aws.handle("DescribeVpcs", {});
  await results(cloud);
  assert.deepEqual(await cloud.aws.handle("DescribeVpcs", {}), before);
  assert.deepEqual(await cloud.aws.handle("DescribeAddresses", {}), { Addresses: [] });
  assert.deepEqual(await cloud.aws.handle("DescribeVolumes", {}), { Volumes: [] });
  assert.equal(cloud.world.machines.size, 0);
  assert.equal(existsSync(join(cloud.folder, "cloudflare/cloudflare.log")), false);
});

/** Faults one at a time: each is exactly these lines. */
const faults: Readonly<
  Record<
    string,
    {
      readonly put?: (cloud: FakeCloud) => Promise<unknown>;
      readonly asked?: Asked;
      readonly seen: readonly string[];
    }
  >
> = {
  "a right of EC2 is missing": {
    put: ({ aws }) => aws.setSwitches({ denied: "ec2:CreateVolume ec2:RunInstances" }),
    seen: ["the credential may not do ec2:CreateVolume, ec2:RunInstances in eu-central-1"],
  },
  "the right to look is missing": {
    put: ({ aws }) =>
      aws.setSwitches({
        denied:
          "ec2:DescribeAddresses ec2:DescribeInstanceTypeOfferings ec2:DescribeImages ec2:DescribeAccountAttributes",
      }),
    seen: [
      "the credential may not do ec2:DescribeAccountAttributes, ec2:DescribeAddresses, ec2:DescribeImages, ec2:DescribeInstanceTypeOfferings in eu-central-1",
    ],
  },
  "no address is left": {
    put: async ({ aws }) => {
      await aws.setSwitches({ addressLimit: 1 });
      await aws.handle("AllocateAddress", { Domain: "vpc" });
    },
    seen: ["the account has all 1 elastic IPs that AWS lets it have in eu-central-1, and the host needs one"],
  },
  "no machine may run": {
    put: ({ aws }) => aws.setSwitches({ processorLimit: 0 }),
    seen: [
      "AWS lets the account run no machine like t4g.small in eu-central-1: its quota of processors is 0",
    ],
  },
  "the machine's type is not offered": {
    asked: { config: { "mailhost:server": { instanceType: "r7g.large" } } },
    seen: ["AWS offers no r7g.large in this region"],
  },
  "the subnet is not there": {
    asked: { config: { "mailhost:network": { subnetId: "subnet-0123456789abcdef0" } } },
    seen: [
      "AWS does not show the subnet subnet-0123456789abcdef0 of mailhost:network.subnetId: InvalidSubnetID.NotFound: The subnet ID 'subnet-0123456789abcdef0' does not exist",
    ],
  },
  "AWS sets no reverse names there": {
    asked: { config: { "aws:region": "us-gov-west-1" } },
    seen: ["in us-gov-west-1 AWS sets reverse names (PTR) by hand alone, and the program cannot"],
  },
  "the secret is another": {
    asked: { environment: { AWS_SECRET_ACCESS_KEY: "another" } },
    seen: [
      "AWS does not answer as it should: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details",
    ],
  },
  "the key is not known": {
    asked: { config: { "aws:accessKey": "AKIANOBODY", "aws:secretKey": "x" } },
    seen: [
      "AWS does not answer as it should: InvalidClientTokenId: The security token included in the request is invalid",
    ],
  },
  "AWS is out of reach": {
    asked: { environment: { AWS_ENDPOINT_URL: "http://127.0.0.1:2" } },
    seen: ["AWS does not answer as it should: 127.0.0.1:2 gives no answer: connect ECONNREFUSED 127.0.0.1:2"],
  },
  "there is no token": {
    asked: { environment: { CLOUDFLARE_API_TOKEN: undefined } },
    seen: ["Cloudflare does not answer as it should: no token is set"],
  },
  "Cloudflare does not take the token": {
    asked: { environment: { CLOUDFLARE_API_TOKEN: "x".repeat(40) } },
    seen: ["Cloudflare does not answer as it should: Authentication error (10000)"],
  },
  "the token may not edit records": {
    put: async ({ cloudflare: service }) => service.setSwitches({ edit: false }),
    seen: ["Cloudflare does not let CLOUDFLARE_API_TOKEN edit the records of example.org, example.com"],
  },
  "the token gets at no Worker": {
    put: async ({ cloudflare: service }) => service.setSwitches({ workers: false }),
    seen: [
      "Cloudflare does not let CLOUDFLARE_API_TOKEN at the Workers of the account 023e105f4ecef8ad9ca31a8372d0c353: Authentication error (10000)",
    ],
  },
  "a zone is missing": {
    asked: {
      config: {
        "mailhost:domains": {
          "example.org": { since: "2026-11-21", mailboxes: { ann: {} } },
          "test.example.com": { since: "2026-11-21" },
          "example.edu": { since: "2026-11-21" },
        },
      },
    },
    seen: [
      "mailhost:domains.test.example.com: Cloudflare has no zone test.example.com",
      "mailhost:domains.example.edu: Cloudflare has no zone example.edu",
    ],
  },
  "records of others stand in the way": {
    put: async (cloud) => {
      const records = `/zones/${await zoneId(cloud, "example.org")}/dns_records`;
      const ttl = 300;
      for (const record of [
        { type: "MX", name: "example.org", content: "mx.old.example", priority: 10 },
        { type: "TXT", name: "example.org", content: '"v=spf1 a -all"' },
        { type: "TXT", name: "example.org", content: '"some-site-verification=1"' },
        { type: "TXT", name: "_dmarc.example.org", content: '"v=DMARC1; p=none"' },
        { type: "CNAME", name: "autoconfig.example.org", content: "setup.old.example" },
      ])
        await cloudflare(cloud, "POST", records, { ...record, ttl });
    },
    seen: [
      'The zone already has a record where example.org TXT is to be: example.org TXT "v=spf1 a -all"',
      'The zone already has a record where _dmarc.example.org TXT is to be: _dmarc.example.org TXT "v=DMARC1; p=none"',
      "The zone already has a record where example.org MX is to be: example.org MX mx.old.example",
      "The zone already has a record where autoconfig.example.org is to lead to the Worker: autoconfig.example.org CNAME setup.old.example",
    ],
  },
  "an SPF record is there, and the domain's is to stand together with it": {
    put: async (cloud) => {
      const records = `/zones/${await zoneId(cloud, "example.org")}/dns_records`;
      const record = { type: "TXT", name: "example.org", content: '"v=spf1 a -all"', ttl: 300 };
      await cloudflare(cloud, "POST", records, record);
    },
    asked: {
      config: {
        "mailhost:domains": { "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, spf: "merge" } },
      },
    },
    seen: [],
  },
  "Cloudflare has the zones at other nameservers": {
    put: async ({ cloudflare: service }) => service.setSwitches({ moved: true }),
    seen: ["example.org", "example.com"].map(
      (name) =>
        `${name}: the registry names a.ns.example and b.ns.example as its nameservers, and Cloudflare has it at cora.ns.cloudflare.com and dean.ns.cloudflare.com`,
    ),
  },
  "the region and a day are mistaken": {
    asked: {
      config: {
        "aws:region": "",
        "mailhost:domains": { "example.org": { since: "2126-11-21", mailboxes: { ann: {} } } },
      },
    },
    seen: [
      "aws:region: is missing; write the AWS region of the host, such as eu-central-1",
      `mailhost:domains.example.org.since: is in the future; write the day on which the domain comes here, such as ${new Date().toISOString().slice(0, 10)}`,
    ],
  },
};

for (const [name, { put, asked, seen }] of Object.entries(faults)) {
  test(`${name}: exactly that is wrong`, async (t) => {
    const cloud = await startFakeCloud(t);
    await put?.(cloud);
    const wrong = (await results(cloud, asked)).filter(({ right }) => !right);
    assert.deepEqual(
      wrong.map(({ text }) => text),
      seen,
    );
    for (const { text, remedy } of wrong) assert.match(remedy ?? "", /\w+.*[.\w]$/, text);
  });
}

test("what takes a record over is a line to type, with the name that the program gives it", async (t) => {
  const cloud = await startFakeCloud(t);
  const zone = await zoneId(cloud, "example.org");
  const records = `/zones/${zone}/dns_records`;
  const mx = (content: string) => ({ type: "MX", name: "example.org", content, priority: 10, ttl: 300 });
  const { id } = await cloudflare<{ id: string }>(cloud, "POST", records, mx("mx1.old.example"));
  await cloudflare(cloud, "POST", records, mx("mx2.old.example"));
  const [found] = (await results(cloud)).filter(({ right }) => !right);
  assert.equal(
    found?.remedy,
    `Take it over: \`npx pulumi import --stack prod cloudflare:index/dnsRecord:DnsRecord inbound-mx:example.org ${zone}/${id} --generate-code=false\`, or delete it in Cloudflare's dashboard, if nobody needs it, and run again. Delete these, too, before: example.org MX mx2.old.example.`,
  );
});

test("with one domain named, the others' zones and records are not looked at", async (t) => {
  const cloud = await startFakeCloud(t);
  const records = `/zones/${await zoneId(cloud, "example.com")}/dns_records`;
  const mx = { type: "MX", name: "example.com", content: "mx.old.example", priority: 10, ttl: 300 };
  await cloudflare(cloud, "POST", records, mx);
  const about = async (only?: string) =>
    (await results(cloud, only === undefined ? {} : { only })).map((result) => result.about);
  assert.ok((await about()).includes("places.mx:example.com"));
  assert.ok((await about("example.com")).includes("places.mx:example.com"));
  const ofOrg = await about("example.org");
  assert.ok(ofOrg.includes("registry.example.org"));
  assert.deepEqual(
    ofOrg.filter((name) => name.includes("example.com")),
    [],
  );
});

test("what an up that was cut off has made is its own: its records, and its address", async (t) => {
  const cloud = await startFakeCloud(t);
  const records = `/zones/${await zoneId(cloud, "example.org")}/dns_records`;
  const own = { type: "A", name: "mail.example.org", content: "203.0.113.9", ttl: 300 };
  await cloudflare(cloud, "POST", records, { ...own, comment: "mailhost abc123: The host." });
  await cloud.aws.setSwitches({ addressLimit: 0 });
  assert.equal((await results(cloud)).filter(({ right }) => !right).length, 2);
  const resource = (name: string, outputs: object) => ({
    urn: `urn:pulumi:prod::mailhost::x::${name}`,
    outputs,
  });
  const state = {
    deployment: {
      resources: [
        resource("mark-id", { result: "abc123" }),
        resource("server-address", { publicIp: "203.0.113.9" }),
      ],
    },
  };
  const found = await results(cloud, { state });
  assert.deepEqual(
    found.filter(({ right }) => !right),
    [],
  );
  assert.ok(found.some(({ text }) => text === "the host's address is there already: 203.0.113.9"));
});

test("where the credential may not see the quota of processors, that is said and is no fault", async (t) => {
  const cloud = await startFakeCloud(t);
  await cloud.aws.setSwitches({ denied: "servicequotas:GetServiceQuota" });
  const found = (await results(cloud)).find(({ about }) => about === "aws.processors");
  assert.equal(found?.leftOut, true);
  assert.match(
    found?.text ?? "",
    /may not ask \(servicequotas:GetServiceQuota\); see https:\/\/console\.aws/,
  );
});

test("a zone that Cloudflare does not keep is left to the preview, and needs no token", async (t) => {
  const cloud = await startFakeCloud(t);
  const found = await results(cloud, {
    config: {
      "mailhost:dns": { provider: "byHand" },
      "mailhost:mtaSts": "false",
      "mailhost:clientSetup": "false",
    },
    environment: { CLOUDFLARE_API_TOKEN: undefined },
  });
  assert.deepEqual(
    found.filter(({ right }) => !right),
    [],
  );
  assert.deepEqual(
    found
      .filter(({ group }) => group === "Cloudflare" || group === "Names")
      .map(({ about, leftOut }) => [about, leftOut]),
    [["places.byHand", true]],
  );
});

test("in a subnet that is named, the rights to make a network are not asked for", async (t) => {
  const cloud = await startFakeCloud(t);
  const { Subnets } = (await cloud.aws.handle("DescribeSubnets", {})) as {
    Subnets: readonly { SubnetId: string; AvailabilityZone: string }[];
  };
  const [subnet] = Subnets;
  const found = await results(cloud, { config: { "mailhost:network": { subnetId: subnet?.SubnetId } } });
  const rights = found.find(({ about }) => about === "aws.rights");
  assert.match(rights?.text ?? "", /: CreateSecurityGroup, CreateVolume, AllocateAddress, RunInstances;/);
});

test("what Amazon SES needs cannot be asked, and is said", async (t) => {
  const found = await results(await startFakeCloud(t), { config: { "mailhost:relay": "ses" } });
  assert.deepEqual(
    found.filter(({ about }) => about === "aws.rights").map(({ leftOut = false }) => leftOut),
    [false, true],
  );
});

test("a role that the stack file names is not taken on, and AWS is left out", async (t) => {
  const roles = { "aws:assumeRoles": [{ roleArn: "arn:aws:iam::123456789012:role/mail" }] };
  const found = await results(await startFakeCloud(t), { config: roles });
  const ofAws = found.filter(({ group }) => group === "AWS");
  assert.deepEqual(
    ofAws.map(({ about, leftOut }) => [about, leftOut]),
    [["aws.credential", true]],
  );
});

test("without any credential AWS is one line, with what to set", async (t) => {
  const before = { ...process.env };
  t.after(() => Object.assign(process.env, before));
  // Neither this machine's files nor its cloud's are asked.
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
  });
  const found = await results(await startFakeCloud(t), { environment: { AWS_PROFILE: "nobody" } });
  const [credential, ...more] = found.filter(({ group }) => group === "AWS");
  assert.match(credential?.text ?? "", /^AWS does not answer as it should: Could not /);
  assert.match(credential?.remedy ?? "", /^Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/);
  assert.deepEqual(more, []);
});

test("a relay for all mail needs no port 25", async (t) => {
  const relay = {
    host: "smtp.example.net",
    username: "ann",
    password: "x",
    spf: ["include:spf.example.net"],
  };
  const found = await results(await startFakeCloud(t), { config: { "mailhost:relay": relay } });
  assert.equal(
    found.find(({ about }) => about === "outlook.port25")?.text,
    "mail leaves through the relay smtp.example.net: outgoing port 25 is not needed",
  );
});

test("a registry that names others, and one that vouches for a key of somebody else's", async (t) => {
  const digest = "49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC0011";
  const elsewhere = await startDnsWorld({
    org: { lines: ["example NS ns1.registrar.example.", ...delegated.slice(0, 1)] },
    com: { lines: [...delegated, `example DS 4711 13 2 ${digest}`] },
  });
  t.after(() => elsewhere.close());
  const cloud = await startFakeCloud(t);
  const found = await results(cloud, { registry: elsewhere });
  assert.deepEqual(
    found.filter(({ right }) => !right).map(({ text }) => text),
    [
      "example.org: the registry names a.ns.example and ns1.registrar.example as its nameservers, and Cloudflare has it at a.ns.example and b.ns.example",
      `example.com: the DS record at the registry is 4711 13 2 ${digest}, and Cloudflare does not sign the zone: resolvers that validate find nothing in it`,
    ],
  );
});
