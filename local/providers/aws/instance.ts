/** EC2 instances. What replaces, replaces as in terraform-provider-aws (`internal/service/ec2/ec2_instance.go`). */
import { architectureOf } from "../../aws/catalog.ts";
import type { Failure, InputSchema, Properties, Value } from "../framework.ts";
import { type Ec2, until } from "./client.ts";
import {
  type ApiTag,
  accountId,
  arn,
  awsResource,
  type CommonInputs,
  given,
  type TagMap,
  tagSpecifications,
} from "./resource.ts";
import { type ApiVolume, describeVolume } from "./volumes.ts";

interface RootDevice {
  readonly volumeSize?: number;
  readonly volumeType?: string;
  readonly encrypted?: boolean;
  readonly iops?: number;
  readonly throughput?: number;
  readonly deleteOnTermination?: boolean;
}

interface MetadataOptions {
  readonly httpEndpoint?: string;
  readonly httpTokens?: string;
  readonly httpPutResponseHopLimit?: number;
  readonly httpProtocolIpv6?: string;
  readonly instanceMetadataTags?: string;
}

interface InstanceInputs extends CommonInputs {
  readonly ami: string;
  readonly instanceType: string;
  readonly subnetId?: string;
  readonly availabilityZone?: string;
  readonly vpcSecurityGroupIds?: readonly string[];
  readonly privateIp?: string;
  readonly associatePublicIpAddress?: boolean;
  readonly ipv6AddressCount?: number;
  readonly keyName?: string;
  readonly userData?: string;
  readonly userDataBase64?: string;
  readonly userDataReplaceOnChange?: boolean;
  readonly rootBlockDevice?: RootDevice;
  readonly metadataOptions?: MetadataOptions;
  readonly creditSpecification?: { readonly cpuCredits?: string };
  readonly disableApiTermination?: boolean;
  readonly disableApiStop?: boolean;
  readonly instanceInitiatedShutdownBehavior?: string;
  readonly monitoring?: boolean;
  readonly ebsOptimized?: boolean;
  readonly sourceDestCheck?: boolean;
  readonly forceDestroy?: boolean;
  readonly volumeTags?: TagMap;
}

export interface ApiInstance {
  readonly InstanceId: string;
  readonly ImageId: string;
  readonly InstanceType: string;
  readonly State: { readonly Name: string };
  readonly StateReason?: { readonly Message: string };
  readonly Placement: { readonly AvailabilityZone: string; readonly Tenancy: string };
  readonly SubnetId: string;
  readonly PrivateIpAddress: string;
  readonly PrivateDnsName: string;
  readonly PublicIpAddress?: string;
  readonly PublicDnsName: string;
  readonly SecurityGroups: readonly { readonly GroupId: string; readonly GroupName: string }[];
  readonly SourceDestCheck: boolean;
  readonly EbsOptimized: boolean;
  readonly Monitoring: { readonly State: string };
  readonly CpuOptions: { readonly CoreCount: number; readonly ThreadsPerCore: number };
  readonly MetadataOptions: {
    readonly HttpTokens: string;
    readonly HttpPutResponseHopLimit: number;
    readonly HttpEndpoint: string;
    readonly HttpProtocolIpv6: string;
    readonly InstanceMetadataTags: string;
  };
  readonly RootDeviceName: string;
  readonly BlockDeviceMappings: readonly {
    readonly DeviceName: string;
    readonly Ebs: { readonly VolumeId: string; readonly DeleteOnTermination: boolean };
  }[];
  readonly NetworkInterfaces: readonly {
    readonly NetworkInterfaceId: string;
    readonly Ipv6Addresses: readonly { readonly Ipv6Address: string }[];
  }[];
  readonly Tags: readonly ApiTag[];
}

export async function describeInstance(ec2: Ec2, id: string): Promise<ApiInstance | undefined> {
  const answer = await ec2.maybe<{ Reservations: { Instances: ApiInstance[] }[] }>("DescribeInstances", {
    InstanceIds: [id],
  });
  return answer?.Reservations[0]?.Instances[0];
}

/** Waits for a state; another end of the way, or a reason that the cloud gives, is an error. */
function instanceState(
  ec2: Ec2,
  id: string,
  wanted: "running" | "stopped" | "terminated",
): Promise<ApiInstance> {
  return until(`EC2 Instance (${id}) to be ${wanted}`, async () => {
    const found = await describeInstance(ec2, id);
    const state = found?.State.Name ?? "terminated";
    if (found !== undefined && state === wanted) return found;
    if (found?.StateReason !== undefined || state === "terminated") {
      throw new Error(
        `unexpected state '${state}', wanted target '${wanted}'. last error: ${found?.StateReason?.Message ?? "it is gone"}`,
      );
    }
    return undefined;
  });
}

export async function stopInstance(ec2: Ec2, id: string): Promise<void> {
  await ec2.call("StopInstances", { InstanceIds: [id] });
  await instanceState(ec2, id, "stopped");
}

async function startInstance(ec2: Ec2, id: string): Promise<void> {
  await ec2.call("StartInstances", { InstanceIds: [id] });
  await instanceState(ec2, id, "running");
}

/** Most bytes of user data before base64; terraform-provider-aws checks the same. */
const userDataLimit = 16384;

function check(inputs: Properties): Failure[] {
  const failures: Failure[] = [];
  const { userData } = inputs;
  if (typeof userData === "string" && Buffer.byteLength(userData) > userDataLimit) {
    failures.push({
      property: "userData",
      reason: `expected length of user_data to be in the range (0 - ${userDataLimit}), got ${Buffer.byteLength(userData)} bytes`,
    });
  }
  if (
    inputs.subnetId === undefined &&
    inputs.availabilityZone === undefined &&
    inputs.privateIp !== undefined
  ) {
    failures.push({
      property: "privateIp",
      reason: '"private_ip": all of `private_ip,subnet_id` must be specified',
    });
  }
  return failures;
}

/** `ipv6Addresses` and the like are read here, and not asked for. */
const unsimulated = [
  "capacityReservationSpecification",
  "cpuOptions",
  "ebsBlockDevices",
  "enablePrimaryIpv6",
  "enclaveOptions",
  "ephemeralBlockDevices",
  "getPasswordData",
  "hibernation",
  "hostId",
  "hostResourceGroupArn",
  "iamInstanceProfile",
  "instanceMarketOptions",
  "ipv6Addresses",
  "launchTemplate",
  "maintenanceOptions",
  "networkInterfaces",
  "placementGroup",
  "placementGroupId",
  "placementPartitionNumber",
  "primaryNetworkInterface",
  "privateDnsNameOptions",
  "secondaryNetworkInterfaces",
  "secondaryPrivateIps",
  "securityGroups",
];

const toggle: InputSchema = { type: "string", computed: true, oneOf: ["enabled", "disabled"] };

function rootMapping(root: RootDevice | undefined): object {
  if (root === undefined) return {};
  const Ebs = given({
    VolumeSize: root.volumeSize,
    VolumeType: root.volumeType,
    Encrypted: root.encrypted,
    Iops: root.iops,
    Throughput: root.throughput,
    DeleteOnTermination: root.deleteOnTermination,
  });
  return { BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs }] };
}

function metadataParameters(options: MetadataOptions): object {
  return given({
    HttpEndpoint: options.httpEndpoint,
    HttpTokens: options.httpTokens,
    HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
    HttpProtocolIpv6: options.httpProtocolIpv6,
    InstanceMetadataTags: options.instanceMetadataTags,
  });
}

function encoded(inputs: InstanceInputs): string | undefined {
  if (inputs.userDataBase64 !== undefined) return inputs.userDataBase64;
  return inputs.userData === undefined ? undefined : Buffer.from(inputs.userData, "utf8").toString("base64");
}

export const instance = awsResource<InstanceInputs>({
  inputs: {
    ami: { type: "string", required: true, replaceOnChange: true },
    instanceType: { type: "string", required: true },
    subnetId: { type: "string", computed: true, replaceOnChange: true },
    availabilityZone: { type: "string", computed: true, replaceOnChange: true },
    vpcSecurityGroupIds: { type: "list", set: true, computed: true, items: { type: "string" } },
    privateIp: { type: "string", computed: true, replaceOnChange: true },
    associatePublicIpAddress: { type: "boolean", computed: true, replaceOnChange: true },
    ipv6AddressCount: { type: "integer", computed: true },
    keyName: { type: "string", computed: true, replaceOnChange: true },
    tenancy: { type: "string", computed: true, oneOf: ["default"] },
    userData: { type: "string", conflictsWith: ["userDataBase64"] },
    userDataBase64: { type: "string" },
    userDataReplaceOnChange: { type: "boolean", default: false },
    rootBlockDevice: {
      type: "object",
      computed: true,
      properties: {
        volumeId: { type: "string", computed: true },
        deviceName: { type: "string", computed: true },
        volumeSize: { type: "integer", computed: true },
        volumeType: { type: "string", computed: true },
        encrypted: { type: "boolean", computed: true, replaceOnChange: true },
        kmsKeyId: { type: "string", computed: true, replaceOnChange: true },
        iops: { type: "integer", computed: true },
        throughput: { type: "integer", computed: true },
        deleteOnTermination: { type: "boolean", computed: true, replaceOnChange: true },
      },
    },
    metadataOptions: {
      type: "object",
      computed: true,
      properties: {
        httpEndpoint: toggle,
        httpTokens: { type: "string", computed: true, oneOf: ["optional", "required"] },
        httpPutResponseHopLimit: { type: "integer", computed: true },
        httpProtocolIpv6: toggle,
        instanceMetadataTags: toggle,
      },
    },
    creditSpecification: {
      type: "object",
      computed: true,
      properties: { cpuCredits: { type: "string", computed: true } },
    },
    disableApiTermination: { type: "boolean", computed: true },
    disableApiStop: { type: "boolean", computed: true },
    instanceInitiatedShutdownBehavior: { type: "string", computed: true },
    monitoring: { type: "boolean", computed: true },
    ebsOptimized: { type: "boolean", computed: true },
    sourceDestCheck: { type: "boolean", default: true },
    forceDestroy: { type: "boolean", default: false },
    volumeTags: { type: "map", items: { type: "string" }, computed: true, replaceOnChange: true },
  },
  outputs: {
    arn: {},
    instanceState: { changesWith: ["instanceType", "userData", "userDataBase64"] },
    outpostArn: {},
    passwordData: {},
    primaryNetworkInterfaceId: {},
    privateDns: {},
    publicDns: {},
    publicIp: {},
    instanceLifecycle: {},
    spotInstanceRequestId: {},
    ipv6Addresses: { changesWith: ["ipv6AddressCount"] },
    secondaryPrivateIps: {},
    securityGroups: {},
    cpuOptions: {},
    hostId: {},
    iamInstanceProfile: {},
    placementGroup: {},
  },
  unsimulated,
  taggedAs: "instance",
  check,
  diff: ({ changes, inputs, oldInputs }) =>
    changes.map((change) => {
      const replaces =
        (/^userData(Base64)?$/.test(change.path) && inputs.userDataReplaceOnChange === true) ||
        (change.path === "instanceType" && otherArchitecture(oldInputs.instanceType, inputs.instanceType));
      return replaces ? { ...change, replace: true } : change;
    }),
  create: async (ec2, inputs, tags) => {
    const zone = inputs.availabilityZone;
    const parameters = given({
      ImageId: inputs.ami,
      InstanceType: inputs.instanceType,
      SubnetId: inputs.subnetId,
      SecurityGroupIds: inputs.vpcSecurityGroupIds,
      PrivateIpAddress: inputs.privateIp,
      KeyName: inputs.keyName,
      UserData: encoded(inputs),
      AssociatePublicIpAddress: inputs.associatePublicIpAddress,
      Ipv6AddressCount: inputs.ipv6AddressCount || undefined,
      Placement: zone === undefined ? undefined : { AvailabilityZone: zone },
      MetadataOptions: inputs.metadataOptions && metadataParameters(inputs.metadataOptions),
      CreditSpecification: inputs.creditSpecification?.cpuCredits
        ? { CpuCredits: inputs.creditSpecification.cpuCredits }
        : undefined,
      DisableApiTermination: inputs.disableApiTermination,
      DisableApiStop: inputs.disableApiStop,
      InstanceInitiatedShutdownBehavior: inputs.instanceInitiatedShutdownBehavior,
      EbsOptimized: inputs.ebsOptimized,
      Monitoring: inputs.monitoring === undefined ? undefined : { Enabled: inputs.monitoring },
      MinCount: 1,
      MaxCount: 1,
    });
    const volumeTags = tagSpecifications("volume", inputs.volumeTags ?? {}).TagSpecifications ?? [];
    const specifications = [...(tags.TagSpecifications ?? []), ...volumeTags];
    const answer = await ec2.call<{ Instances: ApiInstance[] }>("RunInstances", {
      ...parameters,
      ...rootMapping(inputs.rootBlockDevice),
      ...(specifications.length > 0 ? { TagSpecifications: specifications } : {}),
    });
    return answer.Instances[0]?.InstanceId ?? "";
  },
  complete: async (ec2, id, inputs, resource) => {
    resource.log("status", "booting");
    await instanceState(ec2, id, "running");
    if (inputs.sourceDestCheck === false) {
      await ec2.call("ModifyInstanceAttribute", { InstanceId: id, SourceDestCheck: { Value: false } });
    }
  },
  read: async (ec2, id, { inputs, state }) => {
    const found = await describeInstance(ec2, id);
    if (found === undefined || ["terminated", "shutting-down"].includes(found.State.Name)) return undefined;
    return { outputs: await outputsOf(ec2, found, inputs, state), tags: found.Tags };
  },
  update: async (ec2, { id, inputs, oldInputs, changed }) => {
    const modify = (parameters: object) =>
      ec2.call("ModifyInstanceAttribute", { InstanceId: id, ...parameters });
    if (changed("vpcSecurityGroupIds") && inputs.vpcSecurityGroupIds)
      await modify({ Groups: inputs.vpcSecurityGroupIds });
    if (changed("disableApiTermination")) {
      await modify({ DisableApiTermination: { Value: inputs.disableApiTermination ?? false } });
    }
    if (changed("disableApiStop"))
      await modify({ DisableApiStop: { Value: inputs.disableApiStop ?? false } });
    if (changed("sourceDestCheck"))
      await modify({ SourceDestCheck: { Value: inputs.sourceDestCheck ?? true } });
    if (changed("instanceInitiatedShutdownBehavior")) {
      const Value = inputs.instanceInitiatedShutdownBehavior ?? "stop";
      await modify({ InstanceInitiatedShutdownBehavior: { Value } });
    }
    if (changed("metadataOptions") && inputs.metadataOptions) {
      const options = metadataParameters(inputs.metadataOptions);
      await ec2.call("ModifyInstanceMetadataOptions", { InstanceId: id, ...options });
    }
    if (changed("monitoring")) {
      await ec2.call(inputs.monitoring ? "MonitorInstances" : "UnmonitorInstances", { InstanceIds: [id] });
    }
    if (changed("creditSpecification") && inputs.creditSpecification?.cpuCredits) {
      const CpuCredits = inputs.creditSpecification.cpuCredits;
      await ec2.call("ModifyInstanceCreditSpecification", {
        InstanceCreditSpecifications: [{ InstanceId: id, CpuCredits }],
      });
    }
    if (changed("ipv6AddressCount")) await setIpv6Count(ec2, id, inputs.ipv6AddressCount ?? 0);
    if (changed("rootBlockDevice")) await modifyRoot(ec2, id, inputs.rootBlockDevice ?? {}, oldInputs);
    const stopped = (["instanceType", "userData", "userDataBase64", "ebsOptimized"] as const).filter(changed);
    if (stopped.length === 0) return;
    // EC2 changes these of a stopped machine only; the official provider stops it and starts it again.
    await stopInstance(ec2, id);
    if (changed("instanceType")) await modify({ InstanceType: { Value: inputs.instanceType } });
    if (changed("userData") || changed("userDataBase64")) {
      await modify({ UserData: { Value: encoded(inputs) ?? "" } });
    }
    if (changed("ebsOptimized")) await modify({ EbsOptimized: { Value: inputs.ebsOptimized ?? false } });
    await startInstance(ec2, id);
  },
  delete: async (ec2, id, state) => {
    const found = await describeInstance(ec2, id);
    if (found === undefined || found.State.Name === "terminated") return;
    if (state.forceDestroy === true) {
      await ec2.call("ModifyInstanceAttribute", { InstanceId: id, DisableApiTermination: { Value: false } });
    }
    await ec2.call("TerminateInstances", { InstanceIds: [id] });
    await instanceState(ec2, id, "terminated").catch(async (error: unknown) => {
      if ((await describeInstance(ec2, id)) !== undefined) throw error;
    });
  },
});

/** An instance type of another processor cannot run what is on the disk. */
function otherArchitecture(before: Value | undefined, after: Value | undefined): boolean {
  if (typeof before !== "string" || typeof after !== "string") return false;
  const [one, other] = [architectureOf(before), architectureOf(after)];
  return one !== undefined && other !== undefined && one !== other;
}

async function setIpv6Count(ec2: Ec2, id: string, count: number): Promise<void> {
  const card = (await describeInstance(ec2, id))?.NetworkInterfaces[0];
  if (card === undefined) return;
  const has = card.Ipv6Addresses.map((each) => each.Ipv6Address);
  const NetworkInterfaceId = card.NetworkInterfaceId;
  if (has.length < count) {
    await ec2.call("AssignIpv6Addresses", { NetworkInterfaceId, Ipv6AddressCount: count - has.length });
  } else if (has.length > count) {
    await ec2.call("UnassignIpv6Addresses", { NetworkInterfaceId, Ipv6Addresses: has.slice(count) });
  }
}

async function modifyRoot(ec2: Ec2, id: string, root: RootDevice, oldInputs: Properties): Promise<void> {
  const found = await describeInstance(ec2, id);
  const volumeId = found?.BlockDeviceMappings.find((each) => each.DeviceName === found.RootDeviceName)?.Ebs
    .VolumeId;
  const old = (oldInputs.rootBlockDevice ?? {}) as RootDevice;
  const differs = (name: keyof RootDevice) => (root[name] !== old[name] ? root[name] : undefined);
  const changes = given({
    Size: differs("volumeSize"),
    VolumeType: differs("volumeType"),
    Iops: differs("iops"),
    Throughput: differs("throughput"),
  });
  if (Object.keys(changes).length > 0) await ec2.call("ModifyVolume", { VolumeId: volumeId, ...changes });
}

async function attribute<T>(ec2: Ec2, id: string, name: string): Promise<T | undefined> {
  const key = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  const answer = await ec2.call<Record<string, { Value?: T }>>("DescribeInstanceAttribute", {
    InstanceId: id,
    Attribute: name,
  });
  return answer[key]?.Value;
}

async function outputsOf(
  ec2: Ec2,
  found: ApiInstance,
  inputs: Properties,
  state: Properties,
): Promise<Properties> {
  const id = found.InstanceId;
  const rootMap = found.BlockDeviceMappings.find((each) => each.DeviceName === found.RootDeviceName);
  const root = rootMap && (await describeVolume(ec2, rootMap.Ebs.VolumeId));
  const userData = (await attribute<string>(ec2, id, "userData")) ?? "";
  const known = { ...state, ...inputs };
  const asBase64 = known.userDataBase64 !== undefined;
  const card = found.NetworkInterfaces[0];
  const ipv6 = card?.Ipv6Addresses.map((each) => each.Ipv6Address) ?? [];
  const credits = await ec2.call<{ InstanceCreditSpecifications: { CpuCredits: string }[] }>(
    "DescribeInstanceCreditSpecifications",
    { InstanceIds: [id] },
  );
  const cpuCredits = credits.InstanceCreditSpecifications[0]?.CpuCredits;
  return {
    arn: arn(ec2, `instance/${id}`, accountId),
    ami: found.ImageId,
    instanceType: found.InstanceType,
    instanceState: found.State.Name,
    instanceLifecycle: "",
    spotInstanceRequestId: "",
    subnetId: found.SubnetId,
    availabilityZone: found.Placement.AvailabilityZone,
    tenancy: found.Placement.Tenancy,
    vpcSecurityGroupIds: found.SecurityGroups.map((group) => group.GroupId),
    securityGroups: found.SecurityGroups.map((group) => group.GroupName),
    privateIp: found.PrivateIpAddress,
    privateDns: found.PrivateDnsName,
    secondaryPrivateIps: [],
    publicIp: found.PublicIpAddress ?? "",
    publicDns: found.PublicDnsName,
    associatePublicIpAddress: known.associatePublicIpAddress ?? found.PublicIpAddress !== undefined,
    primaryNetworkInterfaceId: card?.NetworkInterfaceId ?? "",
    ipv6Addresses: ipv6,
    ipv6AddressCount: ipv6.length,
    keyName: "",
    hostId: "",
    iamInstanceProfile: "",
    placementGroup: "",
    outpostArn: "",
    passwordData: "",
    ...(userData === ""
      ? { userData: undefined, userDataBase64: undefined }
      : asBase64
        ? { userDataBase64: userData }
        : { userData: Buffer.from(userData, "base64").toString("utf8") }),
    userDataReplaceOnChange: known.userDataReplaceOnChange ?? false,
    forceDestroy: known.forceDestroy ?? false,
    rootBlockDevice: root && rootOutputs(root, rootMap),
    metadataOptions: {
      httpEndpoint: found.MetadataOptions.HttpEndpoint,
      httpTokens: found.MetadataOptions.HttpTokens,
      httpPutResponseHopLimit: found.MetadataOptions.HttpPutResponseHopLimit,
      httpProtocolIpv6: found.MetadataOptions.HttpProtocolIpv6,
      instanceMetadataTags: found.MetadataOptions.InstanceMetadataTags,
    },
    creditSpecification: cpuCredits ? { cpuCredits } : undefined,
    cpuOptions: { coreCount: found.CpuOptions.CoreCount, threadsPerCore: found.CpuOptions.ThreadsPerCore },
    disableApiTermination: (await attribute<boolean>(ec2, id, "disableApiTermination")) ?? false,
    disableApiStop: (await attribute<boolean>(ec2, id, "disableApiStop")) ?? false,
    instanceInitiatedShutdownBehavior:
      (await attribute<string>(ec2, id, "instanceInitiatedShutdownBehavior")) ?? "stop",
    monitoring: found.Monitoring.State === "enabled",
    ebsOptimized: found.EbsOptimized,
    sourceDestCheck: found.SourceDestCheck,
  };
}

function rootOutputs(root: ApiVolume, mapping: ApiInstance["BlockDeviceMappings"][number]): Properties {
  return {
    volumeId: root.VolumeId,
    deviceName: mapping.DeviceName,
    volumeSize: root.Size,
    volumeType: root.VolumeType,
    encrypted: root.Encrypted,
    iops: root.Iops,
    throughput: root.Throughput,
    kmsKeyId: root.KmsKeyId ?? "",
    deleteOnTermination: mapping.Ebs.DeleteOnTermination,
  };
}
