import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { newestImage } from "../../../local/aws/catalog.ts";
import { AwsError } from "../../../local/aws/errors.ts";
import { type Answer, launched, launchOf, newAccount, openAccount, publicNetwork } from "./account.ts";

/** The promise is refused with this code, and a message that fits. */
async function refused(work: Promise<unknown>, code: string, message?: string | RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof AwsError, String(error));
    assert.equal(`${error.code}`, code, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    else if (message) assert.match(error.message, message);
    return true;
  });
}

function only(list: readonly Answer[] | undefined): Answer {
  assert.equal(list?.length, 1);
  return list?.[0] as Answer;
}

test("an action or a parameter that EC2 does not know is refused", async (context) => {
  const { call } = newAccount(context);
  await refused(call("CreateMailHost"), "InvalidAction");
  await refused(call("toString"), "InvalidAction");
  await refused(call("CreateVpc"), "MissingParameter", "The request must contain the parameter CidrBlock");
  await refused(call("CreateVpc", { CidrBlock: 10 }), "InvalidParameterValue");
  await refused(call("CreateVpc", { CidrBlock: "10.0.0.0/16", Cidr: "" }), "UnknownParameter", /Cidr/);
});

test("a new account has a default VPC with a public subnet in each zone", async (context) => {
  const { call } = newAccount(context);
  const vpc = only(
    (await call("DescribeVpcs", { Filters: [{ Name: "is-default", Values: ["true"] }] })).Vpcs,
  );
  assert.equal(vpc.CidrBlock, "172.31.0.0/16");
  const subnets = (
    await call("DescribeSubnets", { Filters: [{ Name: "vpc-id", Values: [String(vpc.VpcId)] }] })
  ).Subnets;
  assert.deepEqual(
    subnets?.map((subnet) => [subnet.AvailabilityZone, subnet.CidrBlock, subnet.MapPublicIpOnLaunch]),
    [
      ["eu-central-1a", "172.31.0.0/20", true],
      ["eu-central-1b", "172.31.16.0/20", true],
      ["eu-central-1c", "172.31.32.0/20", true],
    ],
  );
});

test("VPCs: ranges, attributes and the limit", async (context) => {
  const account = newAccount(context);
  const { call } = account;
  await refused(
    call("CreateVpc", { CidrBlock: "10.0.0.0/8" }),
    "InvalidVpc.Range",
    "The CIDR '10.0.0.0/8' is invalid.",
  );
  await refused(
    call("CreateVpc", { CidrBlock: "10.0.0.0/33" }),
    "InvalidParameterValue",
    /not a valid CIDR block/,
  );
  await refused(call("CreateVpc", { CidrBlock: "10.0.0.256/16" }), "InvalidParameterValue");
  // EC2 drops the host bits of a VPC's network (VPC user guide, "VPC CIDR blocks").
  const vpc = (await call("CreateVpc", { CidrBlock: "10.0.7.1/16" })).Vpc;
  assert.equal(vpc?.CidrBlock, "10.0.0.0/16");
  assert.match(vpc?.VpcId ?? "", /^vpc-[0-9a-f]{17}$/);
  await call("ModifyVpcAttribute", { VpcId: vpc?.VpcId, EnableDnsHostnames: { Value: true } });
  const attribute = await call("DescribeVpcAttribute", {
    VpcId: vpc?.VpcId,
    Attribute: "enableDnsHostnames",
  });
  assert.equal(attribute.EnableDnsHostnames?.Value, true);
  await account.service.setSwitches({ vpcLimit: 2 });
  await refused(call("CreateVpc", { CidrBlock: "10.1.0.0/16" }), "VpcLimitExceeded");
  await call("DeleteVpc", { VpcId: vpc?.VpcId });
  await refused(call("DescribeVpcs", { VpcIds: [vpc?.VpcId] }), "InvalidVpcID.NotFound");
});

test("subnets lie in their VPC, do not overlap, and lose five addresses to EC2", async (context) => {
  const { call } = newAccount(context);
  const vpcId = (await call("CreateVpc", { CidrBlock: "10.20.0.0/16", AmazonProvidedIpv6CidrBlock: true }))
    .Vpc?.VpcId;
  const subnet = (await call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.20.1.0/28" })).Subnet;
  assert.equal(subnet?.AvailableIpAddressCount, 11);
  await refused(call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.21.0.0/24" }), "InvalidSubnet.Range");
  await refused(call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.20.1.0/29" }), "InvalidSubnet.Range");
  await refused(
    call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.20.0.0/20" }),
    "InvalidSubnet.Conflict",
    "The CIDR '10.20.0.0/20' conflicts with another subnet",
  );
  await refused(
    call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.20.2.0/24", AvailabilityZone: "eu-central-1z" }),
    "InvalidParameterValue",
    /availabilityZone is invalid/,
  );
  const vpc = only((await call("DescribeVpcs", { VpcIds: [vpcId] })).Vpcs);
  const block = String(vpc.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock);
  assert.match(block, /^2001:db8:.*::\/56$/);
  const ipv6 = block.replace("::/56", "::/64");
  await refused(
    call("AssociateSubnetCidrBlock", { SubnetId: subnet?.SubnetId, Ipv6CidrBlock: "2001:db9::/64" }),
    "InvalidSubnet.Range",
  );
  await refused(
    call("ModifySubnetAttribute", {
      SubnetId: subnet?.SubnetId,
      AssignIpv6AddressOnCreation: { Value: true },
    }),
    "InvalidParameterValue",
  );
  await call("AssociateSubnetCidrBlock", { SubnetId: subnet?.SubnetId, Ipv6CidrBlock: ipv6 });
  await refused(call("DeleteVpc", { VpcId: vpcId }), "DependencyViolation", /vpc .* has dependencies/);
});

test("a gateway hangs on one VPC, and routes lead only to it", async (context) => {
  const account = newAccount(context);
  const { call } = account;
  const { vpcId, gatewayId, tableId, subnetId } = await publicNetwork(account);
  const other = (await call("CreateVpc", { CidrBlock: "10.30.0.0/16" })).Vpc?.VpcId;
  const second = (await call("CreateInternetGateway")).InternetGateway?.InternetGatewayId;
  await refused(
    call("AttachInternetGateway", { InternetGatewayId: gatewayId, VpcId: other }),
    "Resource.AlreadyAssociated",
  );
  await refused(
    call("AttachInternetGateway", { InternetGatewayId: second, VpcId: vpcId }),
    "InvalidParameterValue",
  );
  await refused(call("DeleteInternetGateway", { InternetGatewayId: gatewayId }), "DependencyViolation");
  const route = { RouteTableId: tableId, DestinationCidrBlock: "0.0.0.0/0" };
  await refused(call("CreateRoute", { ...route, GatewayId: gatewayId }), "RouteAlreadyExists");
  await refused(
    call("CreateRoute", { ...route, GatewayId: "igw-00000000000000000" }),
    "InvalidGatewayID.NotFound",
  );
  await refused(
    call("CreateRoute", { RouteTableId: tableId, DestinationIpv6CidrBlock: "::/0", GatewayId: second }),
    "InvalidParameterValue",
    /belong to different networks/,
  );
  await refused(
    call("DeleteRoute", { RouteTableId: tableId, DestinationCidrBlock: "1.0.0.0/8" }),
    "InvalidRoute.NotFound",
  );
  await refused(call("DeleteRouteTable", { RouteTableId: tableId }), "DependencyViolation");
  const secondTable = (await call("CreateRouteTable", { VpcId: vpcId })).RouteTable?.RouteTableId;
  await refused(
    call("AssociateRouteTable", { RouteTableId: secondTable, SubnetId: subnetId }),
    "Resource.AlreadyAssociated",
  );
  await call("DetachInternetGateway", { InternetGatewayId: gatewayId, VpcId: vpcId });
  const table = only((await call("DescribeRouteTables", { RouteTableIds: [tableId] })).RouteTables);
  assert.deepEqual(
    table.Routes?.map((each) => [each.DestinationCidrBlock, each.State]),
    [
      ["10.20.0.0/16", "active"],
      ["0.0.0.0/0", "blackhole"],
    ],
  );
});

test("security groups: names, rules and what is refused", async (context) => {
  const account = newAccount(context);
  const { call } = account;
  const { vpcId, groupId } = await publicNetwork(account);
  const create = (GroupName: string, Description = "mail host") =>
    call("CreateSecurityGroup", { GroupName, Description, VpcId: vpcId });
  await refused(
    create("mail"),
    "InvalidGroup.Duplicate",
    `The security group 'mail' already exists for VPC '${vpcId}'`,
  );
  await refused(create("sg-mail"), "InvalidParameterValue", /may not be in the format sg-\*/);
  await refused(create("other", "ports für alle"), "InvalidParameterValue", /GroupDescription/);
  const rule = (fromPort: number, toPort: number, CidrIp = "0.0.0.0/0", IpProtocol = "tcp") => ({
    GroupId: groupId,
    IpPermissions: [{ IpProtocol, FromPort: fromPort, ToPort: toPort, IpRanges: [{ CidrIp }] }],
  });
  const authorize = (parameters: object) => call("AuthorizeSecurityGroupIngress", parameters);
  await authorize(rule(25, 25));
  await refused(
    authorize(rule(25, 25)),
    "InvalidPermission.Duplicate",
    'the specified rule "peer: 0.0.0.0/0, TCP, from port: 25, to port: 25, ALLOW" already exists',
  );
  await refused(authorize(rule(30, 20)), "InvalidParameterValue", /portRange/);
  await refused(authorize(rule(1, 70000)), "InvalidParameterValue", "TCP/UDP port (70000) out of range");
  await refused(
    authorize(rule(1, 2, "10.0.0.0/33")),
    "InvalidParameterValue",
    "CIDR block 10.0.0.0/33 is malformed",
  );
  await refused(authorize(rule(1, 2, "0.0.0.0/0", "smtp")), "InvalidParameterValue", /Unknown protocol/);
  await refused(authorize({ GroupId: groupId, IpPermissions: [] }), "MissingParameter");
  const twice = rule(465, 465);
  await refused(
    authorize({ ...twice, IpPermissions: [...twice.IpPermissions, ...twice.IpPermissions] }),
    "InvalidParameterValue",
    "The same permission must not appear multiple times",
  );
  // EC2 drops host bits: the rule is there afterwards with the network's first address (ansible#25403).
  await authorize(rule(22, 22, "192.0.2.77/24"));
  await refused(authorize(rule(22, 22, "192.0.2.0/24")), "InvalidPermission.Duplicate");
  await refused(
    call("RevokeSecurityGroupIngress", rule(26, 26)),
    "InvalidPermission.NotFound",
    "The specified rule does not exist in this security group.",
  );
  const group = only((await call("DescribeSecurityGroups", { GroupIds: [groupId] })).SecurityGroups);
  assert.deepEqual(
    group.IpPermissions?.map((each) => [each.FromPort, each.IpRanges?.[0]?.CidrIp]),
    [
      [25, "0.0.0.0/0"],
      [22, "192.0.2.0/24"],
    ],
  );
  assert.equal(group.IpPermissionsEgress?.[0]?.IpProtocol, "-1", "a new group lets everything out");
});

test("images: Debian's own, several of each architecture", async (context) => {
  const { call } = newAccount(context);
  const byName = async (pattern: string, owner = "136693071363") =>
    (await call("DescribeImages", { Owners: [owner], Filters: [{ Name: "name", Values: [pattern] }] }))
      .Images;
  const arm = await byName("debian-13-arm64-*");
  assert.ok(arm && arm.length > 1);
  assert.ok(arm.every((image) => image.Architecture === "arm64"));
  assert.deepEqual(await byName("debian-13-*", "099720109477"), []);
  assert.deepEqual(await byName("debian-12-*"), []);
  const parameter = await call("GetParameter", { Name: "/aws/service/debian/release/13/latest/amd64" });
  assert.equal(parameter.Parameter?.Value, newestImage("x86_64").id);
  await refused(
    call("GetParameter", { Name: "/aws/service/debian/release/99/latest/amd64" }),
    "ParameterNotFound",
  );
});

test("instance types are offered in some zones and not in others", async (context) => {
  const { call } = newAccount(context);
  const zones = async (type: string, LocationType = "availability-zone") => {
    const Filters = [{ Name: "instance-type", Values: [type] }];
    const answer = await call("DescribeInstanceTypeOfferings", { LocationType, Filters });
    return (answer.InstanceTypeOfferings ?? []).map((each) => each.Location);
  };
  assert.deepEqual(await zones("t4g.small"), ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
  assert.deepEqual(await zones("m7i.large"), ["eu-central-1b", "eu-central-1c"]);
  assert.deepEqual(await zones("c7i.large", "availability-zone-id"), ["euc1-az2"]);
  assert.deepEqual(await zones("t4g.small", "region"), ["eu-central-1"]);
  assert.deepEqual(await zones("r7g.large"), []);
  assert.deepEqual(await zones("t9.small"), []);
  await refused(zones("t4g.small", "planet"), "InvalidParameterValue");
  await refused(
    call("DescribeInstanceTypeOfferings", { Filters: [{ Name: "size", Values: ["small"] }] }),
    "InvalidParameterValue",
  );
});

test("a launch is checked before anything is made", async (context) => {
  const account = newAccount(context);
  const { call, world } = account;
  const network = await publicNetwork(account);
  const run = (changes: object) => call("RunInstances", { ...launchOf(network), ...changes });
  await refused(run({ ImageId: "debian" }), "InvalidAMIID.Malformed");
  await refused(
    run({ ImageId: "ami-00000000000000000" }),
    "InvalidAMIID.NotFound",
    /\[ami-0+\]' does not exist/,
  );
  await refused(
    run({ InstanceType: "t9.small" }),
    "InvalidParameterValue",
    "Invalid value 't9.small' for InstanceType.",
  );
  await refused(run({ InstanceType: "t3.small" }), "InvalidParameterValue", /architecture 'x86_64'.*'arm64'/);
  // Its zone, eu-central-1a, lacks some families.
  await refused(
    run({ InstanceType: "c7i.large", ImageId: newestImage("x86_64").id }),
    "Unsupported",
    /c7i\.large\) is not supported in your requested Availability Zone \(eu-central-1a\).*choosing eu-central-1b\./,
  );
  await refused(run({ SubnetId: "subnet-00000000000000000" }), "InvalidSubnetID.NotFound");
  await refused(run({ SecurityGroupIds: ["sg-00000000000000000"] }), "InvalidGroup.NotFound");
  await refused(run({ KeyName: "mine" }), "InvalidKeyPair.NotFound");
  await refused(
    run({ UserData: Buffer.alloc(16385, "a").toString("base64") }),
    "InvalidParameterValue",
    "User data is limited to 16384 bytes",
  );
  await refused(run({ UserData: "#cloud-config" }), "InvalidParameterValue", /BASE64/);
  await refused(run({ PrivateIpAddress: "10.20.0.3" }), "InvalidParameterValue", /reserved/);
  await refused(run({ PrivateIpAddress: "10.20.0.255" }), "InvalidParameterValue", /reserved/);
  await refused(run({ PrivateIpAddress: "10.21.0.9" }), "InvalidParameterValue", /does not fall within/);
  await refused(run({ MetadataOptions: { HttpTokens: "always" } }), "InvalidParameterValue");
  await refused(run({ MetadataOptions: { HttpPutResponseHopLimit: 65 } }), "InvalidParameterValue");
  await refused(run({ Ipv6AddressCount: 1 }), "InvalidParameterValue", /does not have an IPv6 CIDR block/);
  await refused(
    run({ BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 4 } }] }),
    "InvalidBlockDeviceMapping",
    /expect size>= 8GB/,
  );
  const other = await call("CreateSecurityGroup", {
    GroupName: "elsewhere",
    Description: "in the default VPC",
  });
  await refused(
    run({ SecurityGroupIds: [other.GroupId] }),
    "InvalidParameter",
    /belong to different networks/,
  );
  assert.equal(world.machines.size, 0);
  const volumes = (await call("DescribeVolumes")).Volumes;
  assert.deepEqual(volumes, []);
});

test("an instance boots with its user data, address and firewall, and goes with its root volume", async (context) => {
  const account = newAccount(context);
  const { call, world, service } = account;
  const network = await publicNetwork(account);
  await call("AuthorizeSecurityGroupIngress", {
    GroupId: network.groupId,
    IpPermissions: [{ IpProtocol: "tcp", FromPort: 25, ToPort: 25, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
  });
  const answer = await call("RunInstances", launchOf(network));
  const instance = only(answer.Instances);
  const id = String(instance.InstanceId);
  assert.match(id, /^i-[0-9a-f]{17}$/);
  assert.equal(instance.State?.Name, "pending");
  assert.equal(instance.PrivateIpAddress, "10.20.0.4", "the first four addresses are EC2's");
  await service.settled();
  assert.deepEqual(world.machines.get(id), {
    state: "running",
    spec: {
      id,
      privateIpv4: "10.20.0.4",
      subnetPrefix: 24,
      gateway: "10.20.0.1",
      hostname: "ip-10-20-0-4.eu-central-1.compute.internal",
      userData: "#cloud-config\n",
      rootSize: 10,
    },
  });
  assert.deepEqual(world.firewalls.get(id), [
    { direction: "egress", protocol: "-1", fromPort: -1, toPort: -1, cidr: "0.0.0.0/0" },
    { direction: "ingress", protocol: "tcp", fromPort: 25, toPort: 25, cidr: "0.0.0.0/0" },
  ]);
  const described = only(
    only((await call("DescribeInstances", { InstanceIds: [id] })).Reservations).Instances,
  );
  assert.equal(described.State?.Name, "running");
  assert.equal(described.MetadataOptions?.HttpTokens, "required");
  await refused(call("DeleteSubnet", { SubnetId: network.subnetId }), "DependencyViolation");
  await refused(
    call("DeleteSecurityGroup", { GroupId: network.groupId }),
    "DependencyViolation",
    `resource ${network.groupId} has a dependent object`,
  );

  await call("TerminateInstances", { InstanceIds: [id] });
  await service.settled();
  assert.equal(world.machines.size, 0);
  assert.deepEqual((await call("DescribeVolumes")).Volumes, []);
  const gone = only(only((await call("DescribeInstances", { InstanceIds: [id] })).Reservations).Instances);
  assert.equal(gone.State?.Name, "terminated");
  await call("DeleteSecurityGroup", { GroupId: network.groupId });
  await call("DeleteSubnet", { SubnetId: network.subnetId });
});

test("protection against termination and stop, and what needs a stopped machine", async (context) => {
  const account = newAccount(context);
  const { call, service, world } = account;
  const id = await launched(account, await publicNetwork(account), { DisableApiTermination: true });
  const modify = (changes: object) => call("ModifyInstanceAttribute", { InstanceId: id, ...changes });
  await refused(
    call("TerminateInstances", { InstanceIds: [id] }),
    "OperationNotPermitted",
    /disableApiTermination/,
  );
  await modify({ DisableApiStop: { Value: true } });
  await refused(call("StopInstances", { InstanceIds: [id] }), "OperationNotPermitted", /disableApiStop/);
  const userData = { UserData: { Value: Buffer.from("#cloud-config\n# new\n").toString("base64") } };
  await refused(
    modify(userData),
    "IncorrectInstanceState",
    `The instance '${id}' is not in the 'stopped' state.`,
  );
  await modify({ DisableApiStop: { Value: false } });
  await call("StopInstances", { InstanceIds: [id] });
  await service.settled();
  assert.equal(world.machines.get(id)?.state, "stopped");
  await modify(userData);
  await refused(modify({ InstanceType: { Value: "t3.small" } }), "InvalidParameterValue", /architecture/);
  await modify({ InstanceType: { Value: "t4g.medium" } });
  await call("StartInstances", { InstanceIds: [id] });
  await service.settled();
  assert.equal(world.machines.get(id)?.state, "running");
  const attribute = await call("DescribeInstanceAttribute", { InstanceId: id, Attribute: "userData" });
  assert.equal(attribute.UserData?.Value, userData.UserData.Value);
});

test("a machine that switches itself off is stopped, or terminated where it was launched so", async (context) => {
  const account = newAccount(context);
  const { call, service, world } = account;
  const network = await publicNetwork(account);
  const stays = await launched(account, network);
  const goes = await launched(account, network, { InstanceInitiatedShutdownBehavior: "terminate" });
  for (const machine of world.machines.values()) machine.state = "stopped";
  await call("DescribeInstances");
  await service.settled();
  const states = (await call("DescribeInstances")).Reservations?.map((each) => only(each.Instances));
  assert.deepEqual(Object.fromEntries(states?.map((each) => [each.InstanceId, each.State?.Name]) ?? []), {
    [stays]: "stopped",
    [goes]: "terminated",
  });
  const machine = world.machines.get(stays);
  assert.ok(machine);
  machine.state = "running";
  const back = only(only((await call("DescribeInstances", { InstanceIds: [stays] })).Reservations).Instances);
  assert.equal(back.State?.Name, "running", "its power came back");
});

test("a launch that the world cannot do ends terminated, and says why", async (context) => {
  const account = newAccount(context);
  const { call, world } = account;
  world.failures.set("launch", new Error("no space left on device"));
  const id = await launched(account, await publicNetwork(account));
  const instance = only(
    only((await call("DescribeInstances", { InstanceIds: [id] })).Reservations).Instances,
  );
  assert.equal(instance.State?.Name, "terminated");
  assert.equal(instance.StateReason?.Message, "Server.InternalError: no space left on device");
});

test("volumes: grow only, one machine at a time, in its zone", async (context) => {
  const account = newAccount(context);
  const { call, world } = account;
  const network = await publicNetwork(account);
  const id = await launched(account, network);
  const create = (changes: object) =>
    call("CreateVolume", {
      AvailabilityZone: "eu-central-1a",
      Size: 10,
      VolumeType: "gp3",
      Encrypted: true,
      ...changes,
    });
  await refused(create({ AvailabilityZone: "eu-central-1z" }), "InvalidZone.NotFound");
  await refused(
    create({ VolumeType: "gp9" }),
    "UnknownVolumeType",
    "Unsupported volume type 'gp9' for volume creation.",
  );
  await refused(create({ Size: 0 }), "InvalidParameterValue");
  await refused(create({ Size: undefined }), "MissingParameter");
  await refused(create({ VolumeType: "gp2", Throughput: 200 }), "InvalidParameterCombination");
  const volumeId = (await create({})).VolumeId;
  assert.equal(world.volumes.get(String(volumeId))?.size, 10);
  const attach = (changes: object) =>
    call("AttachVolume", { VolumeId: volumeId, InstanceId: id, Device: "/dev/sdf", ...changes });
  await refused(attach({ Device: "/dev/nvme1n1" }), "InvalidParameterValue", /not a valid EBS device name/);
  await refused(attach({ Device: "/dev/xvda" }), "InvalidParameterValue", /already in use/);
  const far = (await create({ AvailabilityZone: "eu-central-1b" })).VolumeId;
  await refused(attach({ VolumeId: far }), "InvalidVolume.ZoneMismatch");
  await attach({});
  assert.equal(world.volumes.get(String(volumeId))?.instanceId, id);
  await refused(attach({}), "VolumeInUse", `${volumeId} is already attached to an instance`);
  await refused(
    call("DeleteVolume", { VolumeId: volumeId }),
    "VolumeInUse",
    `Volume ${volumeId} is currently attached to ${id}`,
  );
  await refused(
    call("ModifyVolume", { VolumeId: volumeId, Size: 9 }),
    "InvalidParameterValue",
    "New size cannot be smaller than existing size",
  );
  await call("ModifyVolume", { VolumeId: volumeId, Size: 20 });
  assert.equal(world.volumes.get(String(volumeId))?.size, 20);
  await call("DetachVolume", { VolumeId: volumeId });
  await refused(
    call("DetachVolume", { VolumeId: volumeId }),
    "IncorrectState",
    `Volume '${volumeId}' is in the 'available' state.`,
  );
  await call("DeleteVolume", { VolumeId: volumeId });
  await refused(call("DescribeVolumes", { VolumeIds: [volumeId] }), "InvalidVolume.NotFound");
});

test("a data volume survives the termination of its machine", async (context) => {
  const account = newAccount(context);
  const { call, service, world } = account;
  const id = await launched(account, await publicNetwork(account));
  const volumeId = String(
    (await call("CreateVolume", { AvailabilityZone: "eu-central-1a", Size: 10 })).VolumeId,
  );
  await call("AttachVolume", { VolumeId: volumeId, InstanceId: id, Device: "/dev/sdf" });
  await call("TerminateInstances", { InstanceIds: [id] });
  await service.settled();
  assert.deepEqual(world.volumes.get(volumeId), { size: 10 });
  const volume = only((await call("DescribeVolumes", { VolumeIds: [volumeId] })).Volumes);
  assert.equal(volume.State, "available");
});

test("elastic IPs come from the pool, are mapped only where a route leads out, and are limited", async (context) => {
  const account = newAccount(context);
  const { call, service, world } = account;
  const network = await publicNetwork(account);
  const address = await call("AllocateAddress", { Domain: "vpc" });
  assert.match(String(address.AllocationId), /^eipalloc-[0-9a-f]{17}$/);
  assert.equal(address.PublicIp, world.publicPool[0]);
  const { promise: power, resolve: switchOn } = Promise.withResolvers<void>();
  const boot = world.launch;
  world.launch = (spec) => power.then(() => boot(spec));
  const launch = await call("RunInstances", launchOf(network));
  const id = String(only(launch.Instances).InstanceId);
  const associate = (changes: object = {}) =>
    call("AssociateAddress", { AllocationId: address.AllocationId, InstanceId: id, ...changes });
  await refused(associate(), "IncorrectInstanceState", /pending instance/);
  switchOn();
  await service.settled();
  const association = await associate();
  assert.deepEqual([...world.mapped], [[world.publicPool[0], "10.20.0.4"]]);
  const described = only(
    only((await call("DescribeInstances", { InstanceIds: [id] })).Reservations).Instances,
  );
  assert.equal(described.PublicIpAddress, address.PublicIp);
  const second = await launched(account, network);
  await refused(associate({ InstanceId: second }), "Resource.AlreadyAssociated");
  await refused(call("ReleaseAddress", { AllocationId: address.AllocationId }), "InvalidIPAddress.InUse");
  await refused(
    call("DetachInternetGateway", { InternetGatewayId: network.gatewayId, VpcId: network.vpcId }),
    "DependencyViolation",
    /mapped public address/,
  );
  await call("DeleteRoute", { RouteTableId: network.tableId, DestinationCidrBlock: "0.0.0.0/0" });
  assert.equal(world.mapped.size, 0, "without a route to the gateway nothing comes in");
  await call("DisassociateAddress", { AssociationId: association.AssociationId });
  await call("ReleaseAddress", { AllocationId: address.AllocationId });
  await service.setSwitches({ addressLimit: 1 });
  await call("AllocateAddress", {});
  await refused(
    call("AllocateAddress", {}),
    "AddressLimitExceeded",
    "The maximum number of addresses has been reached.",
  );
});

test("an address cannot be mapped in a VPC without a gateway", async (context) => {
  const account = newAccount(context);
  const { call } = account;
  const vpcId = (await call("CreateVpc", { CidrBlock: "10.40.0.0/16" })).Vpc?.VpcId;
  const subnetId = (await call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.40.0.0/24" })).Subnet?.SubnetId;
  const id = await launched(account, { subnetId: String(subnetId), groupId: "" }, { SecurityGroupIds: [] });
  const address = await call("AllocateAddress");
  await refused(
    call("AssociateAddress", { AllocationId: address.AllocationId, InstanceId: id }),
    "Gateway.NotAttached",
    `Network ${vpcId} is not attached to any internet gateway`,
  );
});

test("a PTR waits for its forward record, and locks the address", async (context) => {
  const account = newAccount(context);
  const { call, service, world } = account;
  const { AllocationId, PublicIp } = await call("AllocateAddress");
  const modify = (DomainName: string) =>
    call("ModifyAddressAttribute", { AllocationId, DomainName }, "the same each time");
  const attribute = async () =>
    (await call("DescribeAddressesAttribute", { AllocationIds: [AllocationId], Attribute: "domain-name" }))
      .Addresses;
  await refused(modify("not a name"), "InvalidParameterValue");
  assert.deepEqual(await attribute(), []);
  const asked = await modify("mail.example.org");
  assert.equal(asked.Address?.PtrRecordUpdate?.Status, "PENDING");
  await service.settled();
  assert.equal(only(await attribute()).PtrRecordUpdate?.Status, "FAILED");
  assert.match(
    String(only(await attribute()).PtrRecordUpdate?.Reason),
    /mail\.example\.org does not resolve to/,
  );
  assert.ok(world.lookups > 1, "one failed lookup is not the end");
  assert.equal(world.ptrs.size, 0);

  world.records.set("mail.example.org A", [
    { name: "mail.example.org", type: "A", ttl: 60, rdata: String(PublicIp) },
  ]);
  await modify("mail.example.org");
  await service.settled();
  assert.equal(only(await attribute()).PtrRecord, "mail.example.org.");
  assert.equal(only(await attribute()).PtrRecordUpdate, undefined);
  assert.deepEqual([...world.ptrs], [[PublicIp, "mail.example.org"]]);
  await refused(call("ReleaseAddress", { AllocationId }), "InvalidAddress.Locked");
  await call("ResetAddressAttribute", { AllocationId, Attribute: "domain-name" });
  await service.settled();
  assert.equal(world.ptrs.size, 0);
  await call("ReleaseAddress", { AllocationId });
});

test("tags are limited, and aws: is reserved", async (context) => {
  const { call } = newAccount(context);
  const vpcId = (
    await call("CreateVpc", {
      CidrBlock: "10.0.0.0/16",
      TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "Name", Value: "mail" }] }],
    })
  ).Vpc?.VpcId;
  const tag = (Key: string, Value?: string) => ({ Resources: [vpcId], Tags: [{ Key, Value }] });
  await refused(call("CreateTags", tag("aws:name", "x")), "InvalidParameterValue", /reserved/);
  await refused(call("CreateTags", tag("k".repeat(128), "x")), "InvalidParameterValue");
  // The code of what is tagged, as moto answers it too.
  const nowhere = { ...tag("owner", "me"), Resources: ["vpc-00000000000000000"] };
  await refused(call("CreateTags", nowhere), "InvalidVpcID.NotFound");
  await call("CreateTags", tag("owner", "me"));
  await call("DeleteTags", tag("owner", "somebody else"));
  const tags = async () => only((await call("DescribeVpcs", { VpcIds: [vpcId] })).Vpcs).Tags;
  assert.deepEqual(await tags(), [
    { Key: "Name", Value: "mail" },
    { Key: "owner", Value: "me" },
  ]);
  await call("DeleteTags", tag("owner"));
  assert.deepEqual(await tags(), [{ Key: "Name", Value: "mail" }]);
  const found = (await call("DescribeVpcs", { Filters: [{ Name: "tag:Name", Values: ["ma*"] }] })).Vpcs;
  assert.equal(only(found).VpcId, vpcId);
});

test("a new object is not found at once where the account is eventually consistent", async (context) => {
  const { call, service } = newAccount(context);
  await service.setSwitches({ visibleAfter: 60_000 });
  const vpcId = (await call("CreateVpc", { CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId;
  await refused(call("DescribeVpcs", { VpcIds: [vpcId] }), "InvalidVpcID.NotFound");
  await refused(call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.0.0.0/24" }), "InvalidVpcID.NotFound");
  await service.setSwitches({ visibleAfter: 0 });
  await call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.0.0.0/24" });
});

test("switches are known ones, of their type, and reach the world", async (context) => {
  const { service, world } = newAccount(context);
  await service.setSwitches({ port25Blocked: true });
  assert.equal(world.port25Blocked, true);
  await refused(service.setSwitches({ port26Blocked: true } as object), "InvalidParameterValue");
  await refused(service.setSwitches({ port25Blocked: "no" } as unknown as object), "InvalidParameterValue");
});

test("a call with a token is done once, until its caller says that it knows the answer", async (context) => {
  const { call, service } = newAccount(context);
  const create = (token: string, cidr = "10.0.0.0/16") =>
    call("CreateVpc", { CidrBlock: cidr }, token).then((answer) => answer.Vpc?.VpcId);
  const first = await create("one");
  assert.equal(await create("one"), first);
  assert.notEqual(await create("one", "10.1.0.0/16"), first, "other parameters are another call");
  assert.notEqual(await create("two"), first);
  service.confirm(["one"]);
  const again = await create("one");
  assert.notEqual(again, first);
  await call("DeleteVpc", { VpcId: again });
  assert.notEqual(await create("one"), again, "what is deleted is not found again");
});

test("the state outlives the daemon, and its work goes on where it was cut off", async (context) => {
  const account = newAccount(context);
  const { call, service, world, folder } = account;
  const network = await publicNetwork(account);
  const address = await call("AllocateAddress");
  const id = await launched(account, network);
  const volumeId = String(
    (await call("CreateVolume", { AvailabilityZone: "eu-central-1a", Size: 10 })).VolumeId,
  );
  await call("AttachVolume", { VolumeId: volumeId, InstanceId: id, Device: "/dev/sdf" });
  await call("AssociateAddress", { AllocationId: address.AllocationId, InstanceId: id });
  await service.setSwitches({ port25Blocked: true });
  assert.equal(statSync(join(folder, "aws.json")).mode & 0o777, 0o600);

  // The daemon dies while a second machine is on its way, and the computer below loses all it ran.
  const cut = { ...world, launch: () => new Promise<void>(() => undefined) };
  const dying = openAccount(folder, cut);
  const second = only((await dying.call("RunInstances", launchOf(network))).Instances).InstanceId;
  world.mapped.clear();
  world.firewalls.clear();
  for (const machine of world.machines.values()) machine.state = "stopped";
  for (const volume of world.volumes.values()) delete volume.instanceId;
  world.port25Blocked = false;

  const after = openAccount(folder, world);
  await after.service.restore();
  assert.equal(world.machines.get(id)?.state, "running");
  assert.equal(world.machines.get(String(second))?.state, "running");
  assert.deepEqual([...world.mapped], [[address.PublicIp, "10.20.0.4"]]);
  assert.equal(world.firewalls.size, 2);
  assert.equal(world.volumes.get(volumeId)?.instanceId, id);
  assert.equal(world.port25Blocked, true);
});

test("a machine whose disk is gone is terminated at the next start", async (context) => {
  const account = newAccount(context);
  const id = await launched(account, await publicNetwork(account));
  account.world.machines.clear();
  const after = openAccount(account.folder, account.world);
  await after.service.restore();
  const instance = only(
    only((await after.call("DescribeInstances", { InstanceIds: [id] })).Reservations).Instances,
  );
  assert.equal(instance.State?.Name, "terminated");
});

test("the log has every change and error, and no user data", async (context) => {
  const account = newAccount(context);
  const { call, folder } = account;
  await launched(account, await publicNetwork(account), {
    UserData: Buffer.from("#cloud-config # a secret").toString("base64"),
  });
  await refused(call("DeleteVpc", { VpcId: "vpc-00000000000000000" }), "InvalidVpcID.NotFound");
  const text = readFileSync(join(folder, "aws.log"), "utf8");
  assert.equal(statSync(join(folder, "aws.log")).mode & 0o777, 0o600);
  assert.ok(!text.includes(Buffer.from("a secret").toString("base64").slice(0, 8)));
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
  assert.deepEqual(
    lines.map((line) => line.code ?? line.action),
    [
      "CreateVpc",
      "CreateSubnet",
      "CreateInternetGateway",
      "AttachInternetGateway",
      "CreateRouteTable",
      "CreateRoute",
      "AssociateRouteTable",
      "CreateSecurityGroup",
      "RunInstances",
      "InvalidVpcID.NotFound",
    ],
  );
});

test("a reset leaves an empty account and an empty world", async (context) => {
  const account = newAccount(context);
  const { call, service, world } = account;
  const id = await launched(account, await publicNetwork(account));
  const address = await call("AllocateAddress");
  await call("CreateVolume", { AvailabilityZone: "eu-central-1a", Size: 10 });
  await call("AssociateAddress", { AllocationId: address.AllocationId, InstanceId: id });
  await service.reset();
  assert.deepEqual([world.machines.size, world.volumes.size, world.mapped.size], [0, 0, 0]);
  assert.equal((await call("DescribeVpcs")).Vpcs?.length, 1);
});
