import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { newestImage } from "../../../local/aws/catalog.ts";
import { type AwsService, createAwsService } from "../../../local/aws/service.ts";
import { type FakeWorld, fakeWorld } from "../fake-world.ts";

type Texts =
  | "AllocationId"
  | "Architecture"
  | "AssociationId"
  | "AvailabilityZone"
  | "CidrBlock"
  | "CidrIp"
  | "DestinationCidrBlock"
  | "GroupId"
  | "HttpTokens"
  | "InstanceId"
  | "InternetGatewayId"
  | "IpProtocol"
  | "Ipv6CidrBlock"
  | "Key"
  | "Location"
  | "Message"
  | "Name"
  | "PrivateIpAddress"
  | "PtrRecord"
  | "PublicIp"
  | "PublicIpAddress"
  | "Reason"
  | "RouteTableId"
  | "Status"
  | "SubnetId"
  | "VolumeId"
  | "VpcId";
type Parts =
  | "Address"
  | "EnableDnsHostnames"
  | "InternetGateway"
  | "MetadataOptions"
  | "Parameter"
  | "PtrRecordUpdate"
  | "RouteTable"
  | "StateReason"
  | "Subnet"
  | "UserData"
  | "Vpc";
type Lists =
  | "Addresses"
  | "Images"
  | "InstanceTypeOfferings"
  | "Instances"
  | "IpPermissions"
  | "IpPermissionsEgress"
  | "IpRanges"
  | "Ipv6CidrBlockAssociationSet"
  | "Reservations"
  | "RouteTables"
  | "Routes"
  | "SecurityGroups"
  | "Subnets"
  | "Tags"
  | "Volumes"
  | "Vpcs";

/** An answer of the API, as far as the tests look into it. */
export type Answer = { readonly [name in Texts]?: string } & { readonly [name in Parts]?: Answer } & {
  readonly [name in Lists]?: readonly Answer[];
} & {
  readonly AvailableIpAddressCount?: number;
  readonly FromPort?: number;
  readonly MapPublicIpOnLaunch?: boolean;
  readonly Value?: string | boolean;
  /** A structure of an instance, a word of everything else. */
  readonly State?: Answer & string;
  readonly code?: string;
  readonly action?: string;
};

/** An empty account over a world of maps, in a folder that goes with the test. */
export interface TestAccount {
  readonly folder: string;
  readonly world: FakeWorld;
  readonly service: AwsService;
  call(action: string, parameters?: object, token?: string): Promise<Answer>;
}

export function newAccount(test: TestContext, world: FakeWorld = fakeWorld()): TestAccount {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-aws-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return openAccount(folder, world);
}

/** The account of a folder, as a daemon opens it at its start. */
export function openAccount(folder: string, world: FakeWorld): TestAccount {
  const service = createAwsService({
    stateDir: folder,
    world,
    region: "eu-central-1",
    log: (line) => {
      throw new Error(`went wrong behind an answer: ${line}`);
    },
    retryAfter: 0,
  });
  return {
    folder,
    world,
    service,
    call: async (action, parameters = {}, token) =>
      (await service.handle(action, parameters, token === undefined ? {} : { token })) as Answer,
  };
}

/** Ids of a network in which a machine can be launched and reached. */
export async function publicNetwork({ call }: TestAccount) {
  const vpcId = (await call("CreateVpc", { CidrBlock: "10.20.0.0/16" })).Vpc?.VpcId ?? "";
  const subnetId =
    (await call("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.20.0.0/24" })).Subnet?.SubnetId ?? "";
  const gatewayId = (await call("CreateInternetGateway")).InternetGateway?.InternetGatewayId ?? "";
  await call("AttachInternetGateway", { InternetGatewayId: gatewayId, VpcId: vpcId });
  const tableId = (await call("CreateRouteTable", { VpcId: vpcId })).RouteTable?.RouteTableId ?? "";
  await call("CreateRoute", {
    RouteTableId: tableId,
    DestinationCidrBlock: "0.0.0.0/0",
    GatewayId: gatewayId,
  });
  await call("AssociateRouteTable", { RouteTableId: tableId, SubnetId: subnetId });
  const groupId =
    (await call("CreateSecurityGroup", { GroupName: "mail", Description: "mail host", VpcId: vpcId }))
      .GroupId ?? "";
  return { vpcId, subnetId, gatewayId, tableId, groupId };
}

/** A launch that EC2 accepts. */
export function launchOf(network: { subnetId: string; groupId: string }): object {
  return {
    ImageId: newestImage("arm64").id,
    InstanceType: "t4g.small",
    SubnetId: network.subnetId,
    SecurityGroupIds: [network.groupId],
    UserData: Buffer.from("#cloud-config\n").toString("base64"),
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
    BlockDeviceMappings: [
      { DeviceName: "/dev/xvda", Ebs: { VolumeSize: 10, VolumeType: "gp3", Encrypted: true } },
    ],
    MinCount: 1,
    MaxCount: 1,
  };
}

/** Launches it and waits until it runs. */
export async function launched(
  account: TestAccount,
  network: { subnetId: string; groupId: string },
  more = {},
) {
  const answer = await account.call("RunInstances", { ...launchOf(network), ...more });
  await account.service.settled();
  return answer.Instances?.[0]?.InstanceId ?? "";
}
