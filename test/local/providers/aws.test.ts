import assert from "node:assert/strict";
import { test } from "node:test";
import { provider } from "../../../local/providers/aws/provider.ts";
import type { Properties } from "../../../local/providers/framework.ts";
import { Secret, UNKNOWN } from "../../../local/providers/framework.ts";
import { type Bench, bench, type Made } from "./bench.ts";
import { connect, type Refused } from "./client.ts";

const types = {
  vpc: "aws:ec2/vpc:Vpc",
  subnet: "aws:ec2/subnet:Subnet",
  gateway: "aws:ec2/internetGateway:InternetGateway",
  table: "aws:ec2/routeTable:RouteTable",
  route: "aws:ec2/route:Route",
  association: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  group: "aws:ec2/securityGroup:SecurityGroup",
  ingressRule: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  instance: "aws:ec2/instance:Instance",
  volume: "aws:ebs/volume:Volume",
  attachment: "aws:ec2/volumeAttachment:VolumeAttachment",
  eip: "aws:ec2/eip:Eip",
  eipAssociation: "aws:ec2/eipAssociation:EipAssociation",
  domainName: "aws:ec2/eipDomainName:EipDomainName",
} as const;

async function network({ make }: Bench) {
  const vpc = await make(types.vpc, {
    cidrBlock: "10.20.0.0/16",
    enableDnsHostnames: true,
    tags: { Name: "mail" },
  });
  const gateway = await make(types.gateway, { vpcId: vpc.id });
  const subnet = await make(types.subnet, { vpcId: vpc.id, cidrBlock: "10.20.0.0/24" });
  const table = await make(types.table, {
    vpcId: vpc.id,
    routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }],
  });
  const association = await make(types.association, { routeTableId: table.id, subnetId: subnet.id });
  const group = await make(types.group, {
    vpcId: vpc.id,
    description: "Mail host",
    ingress: [
      { protocol: "tcp", fromPort: 25, toPort: 25, cidrBlocks: ["0.0.0.0/0"], description: "Mail comes in" },
      { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["192.0.2.0/24", "198.51.100.0/24"] },
    ],
    egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
  });
  return { vpc, gateway, subnet, table, association, group };
}

async function image({ client }: Bench): Promise<string> {
  const { result } = await client.invoke("aws:ec2/getAmi:getAmi", {
    owners: ["136693071363"],
    mostRecent: true,
    filters: [{ name: "name", values: ["debian-13-arm64-*"] }],
  });
  return String(result.id);
}

async function machine(self: Bench) {
  const parts = await network(self);
  const instance = await self.make(types.instance, {
    ami: await image(self),
    instanceType: "t4g.small",
    subnetId: parts.subnet.id,
    vpcSecurityGroupIds: [parts.group.id],
    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
    rootBlockDevice: { volumeType: "gp3", volumeSize: 10, encrypted: true },
    userData: new Secret("#cloud-config\nhostname: mail\n"),
    tags: { Name: "mail" },
  });
  return { ...parts, instance };
}

test("a whole host: made, unchanged by a refresh, and taken away again", async (context) => {
  const self = await bench(context);
  const { make, refresh, client, world } = self;
  const parts = await machine(self);
  const eip = await make(types.eip, { domain: "vpc", tags: { Name: "mail" } });
  const volume = await make(types.volume, {
    availabilityZone: String(parts.subnet.state.availabilityZone),
    size: 10,
    type: "gp3",
    encrypted: true,
  });
  const attachment = await make(types.attachment, {
    instanceId: parts.instance.id,
    volumeId: volume.id,
    deviceName: "/dev/sdf",
    stopInstanceBeforeDetaching: true,
  });
  const eipAssociation = await make(types.eipAssociation, {
    allocationId: eip.id,
    instanceId: parts.instance.id,
  });
  world.records.set("mail.example.org A", [
    { name: "mail.example.org", type: "A", ttl: 60, rdata: String(eip.state.publicIp) },
  ]);
  const domainName = await make(types.domainName, { allocationId: eip.id, domainName: "mail.example.org" });

  assert.deepEqual([...world.mapped], [[eip.state.publicIp, "10.20.0.4"]]);
  assert.equal(world.volumes.get(volume.id)?.instanceId, parts.instance.id);
  assert.deepEqual([...world.ptrs.values()], ["mail.example.org"]);
  assert.equal(domainName.state.ptrRecord, "mail.example.org.");
  assert.match(attachment.id, /^vai-\d+$/);
  assert.ok(parts.instance.state.userData instanceof Secret, "what came as a secret stays one");

  const all = { ...parts, eip, volume, attachment, eipAssociation, domainName };
  for (const [name, made] of Object.entries(all)) {
    assert.deepEqual(await refresh(types[name as keyof typeof types], made), {}, name);
  }

  // As the engine does it: the last one made goes first.
  for (const name of [
    "domainName",
    "eipAssociation",
    "attachment",
    "volume",
    "eip",
    "instance",
    "group",
    "association",
    "table",
    "subnet",
    "gateway",
    "vpc",
  ] as const) {
    await client.delete(types[name], all[name].id, all[name].state);
    assert.equal(await refresh(types[name], all[name]), "gone", name);
    await client.delete(types[name], all[name].id, all[name].state);
  }
  assert.deepEqual(
    [world.machines.size, world.volumes.size, world.mapped.size, world.ptrs.size],
    [0, 0, 0, 0],
  );
});

test("what replaces replaces, and what does not is updated", async (context) => {
  const self = await bench(context);
  const { changes } = self;
  const { vpc, subnet, table, group, instance } = await machine(self);
  const change = (type: string, made: Made, news: Properties) =>
    changes(type, made, { ...made.inputs, ...news });
  assert.deepEqual(await change(types.vpc, vpc, { cidrBlock: "10.21.0.0/16" }), {
    cidrBlock: "update-replace",
  });
  assert.deepEqual(await change(types.vpc, vpc, { enableDnsHostnames: false }), {
    enableDnsHostnames: "update",
  });
  // AWS had picked it.
  assert.deepEqual(await change(types.subnet, subnet, { availabilityZone: "eu-central-1a" }), {});
  assert.deepEqual(await change(types.subnet, subnet, { availabilityZone: "eu-central-1b" }), {
    availabilityZone: "add-replace",
  });
  assert.deepEqual(await change(types.subnet, subnet, { mapPublicIpOnLaunch: true }), {
    mapPublicIpOnLaunch: "update",
  });
  assert.deepEqual(await change(types.group, group, { description: "Another" }), {
    description: "update-replace",
  });
  assert.deepEqual(await change(types.group, group, { name: "mail" }), { name: "update-replace" });
  assert.deepEqual(await change(types.group, group, { ingress: [] }), { ingress: "update" });
  assert.deepEqual(await change(types.table, table, { routes: [] }), { routes: "update" });
  for (const [news, expected] of [
    [{ ami: "ami-0a61b7f3e94c2d581" }, { ami: "update-replace" }],
    [{ subnetId: "subnet-00000000000000000" }, { subnetId: "update-replace" }],
    [{ keyName: "mine" }, { keyName: "add-replace" }],
    [{ instanceType: "t4g.medium" }, { instanceType: "update" }],
    [{ instanceType: "t3.small" }, { instanceType: "update-replace" }],
    [{ userData: "#cloud-config\n" }, { userData: "update" }],
    [
      { userData: "#cloud-config\n", userDataReplaceOnChange: true },
      { userData: "update-replace", userDataReplaceOnChange: "update" },
    ],
    [{ metadataOptions: { httpTokens: "optional" } }, { "metadataOptions.httpTokens": "update" }],
    [
      { rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: true } },
      { "rootBlockDevice.volumeSize": "update" },
    ],
    [
      { rootBlockDevice: { volumeType: "gp3", volumeSize: 10, encrypted: false } },
      { "rootBlockDevice.encrypted": "update-replace" },
    ],
    [{ tags: { Name: "other" } }, { "tags.Name": "update" }],
  ] as [Properties, Record<string, string>][]) {
    assert.deepEqual(await change(types.instance, instance, news), expected);
  }
});

test("drift shows: what somebody changed by hand, and what is gone", async (context) => {
  const self = await bench(context);
  const { refresh, call, update } = self;
  const { vpc, subnet, table, group, instance } = await machine(self);
  await call("AuthorizeSecurityGroupIngress", {
    GroupId: group.id,
    IpPermissions: [{ IpProtocol: "tcp", FromPort: 8080, ToPort: 8080, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
  });
  assert.deepEqual(await refresh(types.group, group), { ingress: "update" });
  await update(types.group, group, group.inputs);
  await call("ModifyVpcAttribute", { VpcId: vpc.id, EnableDnsHostnames: { Value: false } });
  assert.deepEqual(await refresh(types.vpc, vpc), { enableDnsHostnames: "update" });
  await call("CreateTags", { Resources: [vpc.id], Tags: [{ Key: "Name", Value: "other" }] });
  assert.deepEqual(await refresh(types.vpc, vpc), { enableDnsHostnames: "update", "tags.Name": "update" });
  await call("ModifySubnetAttribute", { SubnetId: subnet.id, MapPublicIpOnLaunch: { Value: true } });
  assert.deepEqual(await refresh(types.subnet, subnet), { mapPublicIpOnLaunch: "update" });
  await call("DeleteRoute", { RouteTableId: table.id, DestinationCidrBlock: "0.0.0.0/0" });
  assert.deepEqual(await refresh(types.table, table), { routes: "update" });
  await call("ModifyInstanceMetadataOptions", { InstanceId: instance.id, HttpTokens: "optional" });
  assert.deepEqual(await refresh(types.instance, instance), { "metadataOptions.httpTokens": "update" });
  await call("TerminateInstances", { InstanceIds: [instance.id] });
  assert.equal(await refresh(types.instance, instance), "gone");
});

test("a rule added by hand is taken away by the update that a refresh leads to", async (context) => {
  const self = await bench(context);
  const { call, client } = self;
  const { group } = await network(self);
  await call("AuthorizeSecurityGroupIngress", {
    GroupId: group.id,
    IpPermissions: [{ IpProtocol: "tcp", FromPort: 8080, ToPort: 8080, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
  });
  const found = await client.read(types.group, group.id, group.state, group.inputs);
  await client.update(types.group, group.id, found.properties, found.inputs, group.inputs);
  assert.deepEqual(await self.refresh(types.group, group), {});
});

test("updates reach the machine: stopped where EC2 asks for it, and running again", async (context) => {
  const self = await bench(context);
  const { update, world, refresh } = self;
  const { group, instance } = await machine(self);
  const bigger = await update(types.instance, instance, { ...instance.inputs, instanceType: "t4g.medium" });
  assert.equal(bigger.state.instanceType, "t4g.medium");
  assert.equal(world.machines.get(instance.id)?.state, "running");
  assert.deepEqual(await refresh(types.instance, bigger), {});
  const opened = await update(types.group, group, {
    ...group.inputs,
    ingress: [{ protocol: "tcp", fromPort: 993, toPort: 993, cidrBlocks: ["0.0.0.0/0"] }],
  });
  assert.deepEqual(
    world.firewalls.get(instance.id)?.filter((rule) => rule.direction === "ingress"),
    [{ direction: "ingress", protocol: "tcp", fromPort: 993, toPort: 993, cidr: "0.0.0.0/0" }],
  );
  assert.deepEqual(await refresh(types.group, opened), {});
});

test("what is wrong is said before anything is made", async (context) => {
  const { mistakes } = await bench(context);
  const group = (rule: Properties) =>
    mistakes(types.group, {
      vpcId: "vpc-00000000000000000",
      ingress: [{ protocol: "tcp", fromPort: 1, toPort: 2, ...rule }],
    });
  assert.match((await mistakes(types.vpc, {}))[0] ?? "", /Missing required argument.*"cidr_block"/);
  assert.match(
    (await mistakes(types.vpc, { cidrBlock: "10.0.0.1/16" }))[0] ?? "",
    /did you mean "10\.0\.0\.0\/16"/,
  );
  assert.match(
    (await mistakes(types.vpc, { cidrBlock: "10.0.0.0/16", colour: "red" }))[0] ?? "",
    /Invalid or unknown key/,
  );
  assert.match(
    (await mistakes(types.vpc, { cidrBlock: "10.0.0.0/16", ipv6IpamPoolId: "x" }))[0] ?? "",
    /does not simulate ipv6IpamPoolId/,
  );
  assert.match((await group({ cidrBlocks: ["192.0.2.1/24"] }))[0] ?? "", /did you mean "192\.0\.2\.0\/24"/);
  assert.match((await group({}))[0] ?? "", /no source/);
  assert.match(
    (await group({ cidrBlocks: ["0.0.0.0/0"], description: "nobody's" }))[0] ?? "",
    /doesn't comply/,
  );
  assert.match((await group({ protocol: "-1", cidrBlocks: ["0.0.0.0/0"] }))[0] ?? "", /must both be 0/);
  assert.match(
    (
      await mistakes(types.instance, { ami: "ami-1", instanceType: "t4g.small", userData: "a".repeat(16385) })
    )[0] ?? "",
    /length of user_data/,
  );
  assert.deepEqual(
    await mistakes(types.subnet, { vpcId: UNKNOWN, cidrBlock: UNKNOWN, ipv6CidrBlock: UNKNOWN }),
    [],
  );
});

test("errors carry EC2's code", async (context) => {
  const self = await bench(context);
  const { make } = self;
  const { vpc } = await network(self);
  await assert.rejects(make(types.subnet, { vpcId: vpc.id, cidrBlock: "10.20.0.0/20" }), (error: Refused) =>
    /CreateSubnet, api error InvalidSubnet\.Conflict: /.test(error.message),
  );
});

test("a creation that fails half-way keeps what it made", async (context) => {
  const self = await bench(context);
  const { client, world } = self;
  const { subnet } = await network(self);
  world.failures.set("launch", new Error("no space left on device"));
  const { inputs } = await client.check(types.instance, {
    ami: await image(self),
    instanceType: "t4g.small",
    subnetId: subnet.id,
  });
  await assert.rejects(client.create(types.instance, inputs), (error: Refused) => {
    assert.match(error.message, /no space left on device/);
    assert.match(error.kept?.id ?? "", /^i-/);
    return true;
  });
});

test("a run that was killed after the cloud's answer finds what it made", async (context) => {
  const { client, call } = await bench(context);
  const inputs = { cidrBlock: "10.20.0.0/16", tags: { Name: "mail" } };
  const { inputs: checked } = await client.check(types.vpc, inputs);
  const first = await client.create(types.vpc, checked);
  const again = await client.create(types.vpc, checked);
  assert.equal(again.id, first.id);
  const { Vpcs } = (await call("DescribeVpcs", {})) as { Vpcs: unknown[] };
  assert.equal(Vpcs.length, 2, "this one and the default VPC");
});

test("an account that is eventually consistent is waited for", async (context) => {
  const self = await bench(context);
  await self.aws.setSwitches({ visibleAfter: 300, ptrAfter: 100 });
  const { vpc } = await network(self);
  assert.equal(vpc.state.enableDnsHostnames, true);
});

test("a PTR without its forward record fails with the cloud's reason", async (context) => {
  const { make, world } = await bench(context);
  const eip = await make(types.eip, { domain: "vpc" });
  await assert.rejects(
    make(types.domainName, { allocationId: eip.id, domainName: "mail.example.org" }),
    /unexpected state 'FAILED'.*does not resolve to the Elastic IP address/,
  );
  assert.equal(world.ptrs.size, 0);
});

test("imports take the official provider's ids", async (context) => {
  const self = await bench(context);
  const { client, make } = self;
  const { subnet, table, association, instance } = await machine(self);
  const volume = await make(types.volume, { availabilityZone: "eu-central-1a", size: 10 });
  const attachment = await make(types.attachment, {
    instanceId: instance.id,
    volumeId: volume.id,
    deviceName: "/dev/sdf",
  });
  const imported = async (type: string, id: string) => (await client.read(type, id)).id;
  assert.equal(await imported(types.association, `${subnet.id}/${table.id}`), association.id);
  assert.equal(await imported(types.attachment, `/dev/sdf:${volume.id}:${instance.id}`), attachment.id);
  const found = await client.read(types.instance, instance.id);
  assert.deepEqual(
    (await client.diff(types.instance, found.inputs, instance.inputs, found.properties)).changes,
    {},
  );
  assert.equal(await imported(types.vpc, "vpc-00000000000000000"), "");
});

test("rules as resources of their own", async (context) => {
  const self = await bench(context);
  const { make, refresh, changes, update, call, client } = self;
  const { group } = await network(self);
  const given = {
    securityGroupId: group.id,
    ipProtocol: "TCP",
    cidrIpv4: "0.0.0.0/0",
    fromPort: 465,
    toPort: 465,
  };
  const rule = await make(types.ingressRule, given);
  assert.match(rule.id, /^sgr-[0-9a-f]{17}$/);
  assert.deepEqual(await refresh(types.ingressRule, rule), {});
  assert.deepEqual(await changes(types.ingressRule, rule, { ...given, fromPort: 460 }), {
    fromPort: "update",
  });
  const { cidrIpv4: _, ...rest } = given;
  assert.deepEqual(await changes(types.ingressRule, rule, { ...rest, cidrIpv6: "::/0" }), {
    cidrIpv4: "delete-replace",
    cidrIpv6: "add-replace",
  });
  const changed = await update(types.ingressRule, rule, { ...given, fromPort: 460 });
  assert.equal(changed.state.fromPort, 460);
  await assert.rejects(make(types.ingressRule, { ...given, fromPort: 460 }), /InvalidPermission\.Duplicate/);
  await call("RevokeSecurityGroupIngress", { GroupId: group.id, SecurityGroupRuleIds: [rule.id] });
  assert.equal(await refresh(types.ingressRule, changed), "gone");
  await client.delete(types.ingressRule, rule.id, rule.state);
});

test("functions: one answer or a clear error", async (context) => {
  const self = await bench(context);
  const { client } = self;
  const { subnet } = await network(self);
  const ami = (args: Properties) =>
    client
      .invoke("aws:ec2/getAmi:getAmi", { owners: ["136693071363"], ...args })
      .then(({ result }) => result);
  const name = (value: string) => [{ name: "name", values: [value] }];
  await assert.rejects(ami({ filters: name("debian-13-*") }), /returned more than one result/);
  await assert.rejects(ami({ filters: name("debian-99-*"), mostRecent: true }), /returned no results/);
  const found = await ami({ filters: name("debian-13-amd64-*"), mostRecent: true });
  assert.equal(found.architecture, "x86_64");
  const parameter = await client.invoke("aws:ssm/getParameter:getParameter", {
    name: "/aws/service/debian/release/13/latest/amd64",
  });
  assert.deepEqual(parameter.result.value, new Secret(found.id ?? null));
  const offerings = await client.invoke("aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", {
    locationType: "availability-zone",
    filters: [{ name: "instance-type", values: ["m7i.large"] }],
  });
  assert.deepEqual(offerings.result.locations, ["eu-central-1b", "eu-central-1c"]);
  const { result } = await client.invoke("aws:ec2/getSubnet:getSubnet", { id: subnet.id });
  assert.equal(result.vpcId, subnet.state.vpcId);
  await assert.rejects(
    client.invoke("aws:ec2/getSubnet:getSubnet", { id: "subnet-00000000000000000" }),
    /no matching EC2 Subnet found/,
  );
});

test("without a local cloud there is one clear sentence", async (context) => {
  const client = await connect(provider);
  context.after(() => client.close());
  const before = process.env.MAILHOST_CLOUD;
  process.env.MAILHOST_CLOUD = "/nowhere";
  try {
    await assert.rejects(
      client.create(types.vpc, { cidrBlock: "10.0.0.0/16" }),
      (error: Refused) => error.message === "no local cloud is running: npm start",
    );
  } finally {
    if (before === undefined) delete process.env.MAILHOST_CLOUD;
    else process.env.MAILHOST_CLOUD = before;
  }
});
