import {
  type Account,
  type Action,
  describe,
  find,
  firewallOf,
  gatewayOf,
  isAlive,
  matches,
  networkOf,
  publicIpOf,
  saveNetwork,
  tagList,
} from "./account.ts";
import {
  accountId,
  architectureOf,
  debianOwner,
  type Image,
  imageRootDevice,
  imageRootSize,
  isBurstable,
  knownImage,
  offerings,
  processorsOf,
  publicImages,
  publicName,
  publicParameter,
  zoneId,
} from "./catalog.ts";
import { formatAddress, ipv6At, parseAddress } from "./cidr.ts";
import { AwsError, notSimulated } from "./errors.ts";
import { groupsFor } from "./groups.ts";
import { newId } from "./ids.ts";
import type { Parameters, Tags } from "./parameters.ts";
import type { Instance, InstanceState, MetadataOptions, Subnet, Volume } from "./state.ts";
import { openVolume, volumeSettings } from "./volumes.ts";

/** Most bytes of user data before base64 (EC2 user guide, "Run commands when you launch an EC2 instance"). */
const userDataLimit = 16384;
/** Terminated instances are still described for an hour. */
const terminatedFor = 60 * 60 * 1000;

/** Images, instances, and the public parameters that name images. */
export const instanceActions: Readonly<Record<string, Action>> = {
  DescribeImages: (_account, parameters) => {
    const ids = parameters.maybeStrings("ImageIds");
    const owners = parameters.maybeStrings("Owners") ?? [];
    const filters = parameters.filters();
    parameters.maybeBoolean("IncludeDeprecated");
    parameters.end();
    for (const id of ids ?? []) imageOf(id);
    const found = publicImages().filter(
      (image) =>
        (ids === undefined || ids.length === 0 || ids.includes(image.id)) &&
        (owners.length === 0 || owners.includes(debianOwner)) &&
        filters.every((filter) =>
          filter.values.some((value) => matches(value, imageValue(image, filter.name))),
        ),
    );
    return { Images: found.map(showImage) };
  },

  /** AWS Systems Manager's action, for the public parameters only. */
  GetParameter: (account, parameters) => {
    const name = parameters.string("Name");
    parameters.maybeBoolean("WithDecryption");
    parameters.end();
    const value = publicParameter(name);
    if (value === undefined) throw new AwsError("ParameterNotFound", `Parameter ${name} not found.`);
    return {
      Parameter: {
        Name: name,
        Type: "String",
        Value: value,
        Version: 3,
        ARN: `arn:aws:ssm:${account.region}::parameter${name}`,
        DataType: "aws:ec2:image",
      },
    };
  },

  DescribeInstanceTypeOfferings: (account, parameters) => {
    const kind = parameters.maybeString("LocationType") ?? "region";
    const filters = parameters.filters();
    parameters.end();
    const isRegion = kind === "region";
    if (!isRegion && kind !== "availability-zone" && kind !== "availability-zone-id") {
      throw new AwsError("InvalidParameterValue", `The location type '${kind}' is not valid.`);
    }
    const location = (zone: string) =>
      isRegion ? account.region : kind === "availability-zone" ? zone : zoneId(zone);
    const found = offerings(account.region).map((each) => ({
      InstanceType: each.instanceType,
      LocationType: kind,
      Location: location(each.zone),
    }));
    const fields = { "instance-type": "InstanceType", location: "Location" } as const;
    for (const { name } of filters) {
      if (!(name in fields)) throw new AwsError("InvalidParameterValue", `The filter '${name}' is invalid`);
    }
    const matching = found.filter((each) =>
      filters.every(({ name, values }) => values.includes(each[fields[name as keyof typeof fields]])),
    );
    const unique = new Map(matching.map((each) => [`${each.InstanceType} ${each.Location}`, each]));
    return { InstanceTypeOfferings: [...unique.values()] };
  },

  RunInstances: (account, parameters) => {
    const instance = launch(account, parameters);
    account.save();
    boot(account, instance);
    return { Instances: [showInstance(account, instance)] };
  },

  DescribeInstances: async (account, parameters) => {
    forget(account);
    await observe(account);
    const ids = parameters.maybeStrings("InstanceIds");
    const found = describe(account, "instances", ids, parameters.filters(), (instance, name) => {
      if (name === "instance-id") return [instance.id];
      if (name === "instance-state-name") return [instance.state];
      if (name === "subnet-id") return [instance.subnetId];
      if (name === "vpc-id") return [instance.vpcId];
      if (name === "image-id") return [instance.imageId];
      if (name === "private-ip-address") return [instance.privateIp];
      if (name === "instance.group-id") return instance.groupIds;
      return undefined;
    });
    parameters.end();
    return { Reservations: found.map((instance) => ({ Instances: [showInstance(account, instance)] })) };
  },

  DescribeInstanceAttribute: (account, parameters) => {
    const instance = find(account, "instances", parameters.string("InstanceId"));
    const attribute = parameters.string("Attribute");
    parameters.end();
    const values: Record<string, unknown> = {
      userData: { UserData: instance.userData === "" ? {} : { Value: instance.userData } },
      disableApiTermination: { DisableApiTermination: { Value: instance.disableApiTermination } },
      disableApiStop: { DisableApiStop: { Value: instance.disableApiStop } },
      instanceInitiatedShutdownBehavior: {
        InstanceInitiatedShutdownBehavior: { Value: instance.shutdownBehavior },
      },
      instanceType: { InstanceType: { Value: instance.instanceType } },
      ebsOptimized: { EbsOptimized: { Value: instance.ebsOptimized } },
      sourceDestCheck: { SourceDestCheck: { Value: instance.sourceDestCheck } },
    };
    if (values[attribute] === undefined) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${attribute}) for parameter attribute is invalid. Unknown attribute.`,
      );
    }
    return { InstanceId: instance.id, ...(values[attribute] as object) };
  },

  ModifyInstanceAttribute: async (account, parameters) => {
    const instance = alive(account, parameters.string("InstanceId"));
    const groups = parameters.maybeStrings("Groups");
    const userData = parameters.maybeValue<string>("UserData", "string");
    const instanceType = parameters.maybeValue<string>("InstanceType", "string");
    const termination = parameters.maybeValue<boolean>("DisableApiTermination", "boolean");
    const stop = parameters.maybeValue<boolean>("DisableApiStop", "boolean");
    const behavior = parameters.maybeValue<string>("InstanceInitiatedShutdownBehavior", "string");
    const optimized = parameters.maybeValue<boolean>("EbsOptimized", "boolean");
    const check = parameters.maybeValue<boolean>("SourceDestCheck", "boolean");
    parameters.end();
    if (userData !== undefined || instanceType !== undefined || optimized !== undefined) {
      if (instance.state !== "stopped") {
        throw new AwsError(
          "IncorrectInstanceState",
          `The instance '${instance.id}' is not in the 'stopped' state.`,
        );
      }
    }
    if (groups !== undefined) {
      if (groups.length === 0) {
        throw new AwsError("InvalidParameterValue", "You must specify at least one security group");
      }
      instance.groupIds = groupsFor(account, groups, instance.vpcId, instance.subnetId);
    }
    if (instanceType !== undefined) {
      checkArchitecture(instanceType, imageOf(instance.imageId));
      checkOffered(account, instanceType, find(account, "subnets", instance.subnetId).zone);
      instance.instanceType = instanceType;
    }
    if (userData !== undefined) instance.userData = checkUserData(userData);
    if (behavior !== undefined) instance.shutdownBehavior = checkBehavior(behavior);
    instance.disableApiTermination = termination ?? instance.disableApiTermination;
    instance.disableApiStop = stop ?? instance.disableApiStop;
    instance.ebsOptimized = optimized ?? instance.ebsOptimized;
    instance.sourceDestCheck = check ?? instance.sourceDestCheck;
    await saveNetwork(account);
    return {};
  },

  ModifyInstanceMetadataOptions: (account, parameters) => {
    const instance = alive(account, parameters.string("InstanceId"));
    instance.metadata = metadataOptions(parameters, instance.metadata);
    parameters.end();
    account.save();
    return { InstanceId: instance.id, InstanceMetadataOptions: showMetadata(instance.metadata) };
  },

  ModifyInstanceCreditSpecification: (account, parameters) => {
    for (const specification of parameters.structures("InstanceCreditSpecifications")) {
      const instance = alive(account, specification.string("InstanceId"));
      instance.cpuCredits = checkCredits(specification.string("CpuCredits"), instance.instanceType);
      specification.end();
    }
    parameters.end();
    account.save();
    return {};
  },

  DescribeInstanceCreditSpecifications: (account, parameters) => {
    const ids = parameters.strings("InstanceIds");
    parameters.end();
    return {
      InstanceCreditSpecifications: ids
        .map((id) => find(account, "instances", id))
        .map((instance) => ({ InstanceId: instance.id, CpuCredits: instance.cpuCredits })),
    };
  },

  MonitorInstances: (account, parameters) => setMonitoring(account, parameters, true),
  UnmonitorInstances: (account, parameters) => setMonitoring(account, parameters, false),

  AssignIpv6Addresses: (account, parameters) => {
    const instance = byInterface(account, parameters.string("NetworkInterfaceId"));
    const count = parameters.maybeInteger("Ipv6AddressCount") ?? 0;
    parameters.end();
    const subnet = find(account, "subnets", instance.subnetId);
    const added = newIpv6Addresses(account, subnet, count);
    instance.ipv6Addresses.push(...added);
    account.save();
    return { NetworkInterfaceId: instance.interfaceId, AssignedIpv6Addresses: added };
  },

  UnassignIpv6Addresses: (account, parameters) => {
    const instance = byInterface(account, parameters.string("NetworkInterfaceId"));
    const addresses = parameters.strings("Ipv6Addresses");
    parameters.end();
    instance.ipv6Addresses = instance.ipv6Addresses.filter((each) => !addresses.includes(each));
    account.save();
    return { NetworkInterfaceId: instance.interfaceId, UnassignedIpv6Addresses: addresses };
  },

  StopInstances: (account, parameters) =>
    change(account, parameters, "StoppingInstances", (instance) => {
      if (instance.disableApiStop) {
        throw new AwsError(
          "OperationNotPermitted",
          `The instance '${instance.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`,
        );
      }
      if (instance.state === "stopped" || instance.state === "stopping") return undefined;
      if (instance.state !== "running") throw cannot(instance, "stopped");
      return { state: "stopping", work: () => account.world.stop(instance.id), after: "stopped" };
    }),

  StartInstances: (account, parameters) =>
    change(account, parameters, "StartingInstances", (instance) => {
      if (instance.state === "running" || instance.state === "pending") return undefined;
      if (instance.state !== "stopped") throw cannot(instance, "started");
      return { state: "pending", work: () => account.world.start(instance.id), after: "running" };
    }),

  RebootInstances: async (account, parameters) => {
    const instances = parameters.strings("InstanceIds").map((id) => find(account, "instances", id));
    parameters.end();
    for (const instance of instances) {
      if (instance.state !== "running") throw cannot(instance, "rebooted");
    }
    for (const instance of instances) {
      await account.inOrder(instance.id, () => account.world.reboot(instance.id));
    }
    return {};
  },

  TerminateInstances: (account, parameters) =>
    change(account, parameters, "TerminatingInstances", (instance) => {
      if (instance.disableApiTermination) {
        throw new AwsError(
          "OperationNotPermitted",
          `The instance '${instance.id}' may not be terminated. Modify its 'disableApiTermination' instance ` +
            "attribute and try again.",
        );
      }
      if (!isAlive(instance)) return undefined;
      return { state: "shutting-down", work: () => dismantle(account, instance), after: "terminated" };
    }),
};

/** Brings the world to what the state says about an instance, after a start of the daemon. */
export function resume(account: Account, instance: Instance): void {
  if (instance.state === "pending") boot(account, instance);
  if (instance.state === "stopping")
    move(account, instance, () => account.world.stop(instance.id), "stopped");
  if (instance.state === "shutting-down")
    move(account, instance, () => dismantle(account, instance), "terminated");
  if (instance.state === "running") {
    account.afterwards(
      account.inOrder(instance.id, async () => {
        const real = await account.world.state(instance.id);
        // The machine below was switched off with the local cloud, or its disk is gone.
        if (real === "stopped") move(account, instance, () => account.world.start(instance.id), "running");
        if (real === "absent") move(account, instance, () => dismantle(account, instance), "terminated");
      }),
    );
  }
}

function launch(account: Account, parameters: Parameters): Instance {
  const { state } = account;
  const image = imageOf(parameters.string("ImageId"));
  const instanceType = parameters.string("InstanceType");
  const subnetId = parameters.maybeString("SubnetId");
  const groupIds = parameters.strings("SecurityGroupIds");
  const privateIp = parameters.maybeString("PrivateIpAddress");
  const userData = parameters.maybeString("UserData");
  const keyName = parameters.maybeString("KeyName");
  const publicIp = parameters.maybeBoolean("AssociatePublicIpAddress");
  const ipv6Count = parameters.maybeInteger("Ipv6AddressCount");
  const zone = placementZone(parameters.maybeStructure("Placement"));
  const metadataParameters = parameters.maybeStructure("MetadataOptions");
  const metadata = metadataOptions(metadataParameters, defaultMetadata);
  metadataParameters?.end();
  const devices = parameters.structures("BlockDeviceMappings");
  const tags = parameters.tagSpecifications("instance", "volume");
  const credits = parameters.maybeStructure("CreditSpecification");
  const cpuCredits = credits?.string("CpuCredits");
  credits?.end();
  const monitoring = parameters.maybeStructure("Monitoring");
  const monitored = monitoring?.maybeBoolean("Enabled") ?? false;
  monitoring?.end();
  const once = ["MinCount", "MaxCount"].every((name) => (parameters.maybeInteger(name) ?? 1) === 1);
  const rest = {
    disableApiTermination: parameters.maybeBoolean("DisableApiTermination") ?? false,
    disableApiStop: parameters.maybeBoolean("DisableApiStop") ?? false,
    shutdownBehavior: checkBehavior(parameters.maybeString("InstanceInitiatedShutdownBehavior") ?? "stop"),
    ebsOptimized: parameters.maybeBoolean("EbsOptimized") ?? false,
  };
  parameters.end();
  if (!once) throw notSimulated("launching more than one instance in a call");
  checkArchitecture(instanceType, image);
  // Key pairs are not simulated, so none exists: EC2's own answer to a name it does not know.
  if (keyName !== undefined) {
    throw new AwsError("InvalidKeyPair.NotFound", `The key pair '${keyName}' does not exist`);
  }
  const subnet = subnetId === undefined ? defaultSubnet(account, zone) : find(account, "subnets", subnetId);
  if (zone !== undefined && zone !== subnet.zone) {
    throw new AwsError(
      "InvalidParameterValue",
      `The availability zone '${zone}' does not match that of the subnet '${subnet.id}'`,
    );
  }
  checkOffered(account, instanceType, subnet.zone);
  const vpc = find(account, "vpcs", subnet.vpcId);
  const groups = groupsFor(account, groupIds.length > 0 ? groupIds : [vpc.defaultGroupId], vpc.id, subnet.id);
  const address =
    privateIp === undefined ? freeAddress(account, subnet) : givenAddress(account, subnet, privateIp);
  const encoded = checkUserData(userData ?? "");
  const ipv6Addresses = newIpv6Addresses(account, subnet, ipv6Count ?? (subnet.assignIpv6 ? 1 : 0));
  const root = rootDevice(devices, image);

  const id = newId("i");
  const volume = openVolume(account, {
    ...root.settings,
    zone: subnet.zone,
    tags: tags.volume ?? {},
    snapshotId: image.snapshotId,
  });
  volume.attachment = {
    instanceId: id,
    device: imageRootDevice,
    at: account.now(),
    deleteOnTermination: root.deleteOnTermination,
  };
  const instance: Instance = {
    id,
    tags: tags.instance ?? {},
    createdAt: account.now(),
    imageId: image.id,
    instanceType,
    subnetId: subnet.id,
    vpcId: vpc.id,
    zone: subnet.zone,
    privateIp: address,
    privateDns: `ip-${address.replaceAll(".", "-")}.${account.region}.compute.internal`,
    ipv6Addresses,
    interfaceId: newId("eni"),
    attachmentId: newId("eni-attach"),
    groupIds: groups,
    userData: encoded,
    state: "pending",
    metadata,
    rootVolumeId: volume.id,
    rootDeleteOnTermination: root.deleteOnTermination,
    monitoring: monitored,
    sourceDestCheck: true,
    cpuCredits:
      cpuCredits === undefined ? defaultCredits(instanceType) : checkCredits(cpuCredits, instanceType),
    ...rest,
  };
  const own = (publicIp ?? subnet.mapPublicIp) ? freePublicAddress(account) : undefined;
  if (own !== undefined) instance.ownPublicIp = own;
  state.instances[id] = instance;
  return instance;
}

/** Creates the machine, or creates it again where the daemon died meanwhile. */
function boot(account: Account, instance: Instance): void {
  move(
    account,
    instance,
    async () => {
      await account.world.launch(specOf(account, instance));
      await account.world.setFirewall(instance.id, firewallOf(account.state, instance));
    },
    "running",
  );
}

function specOf(account: Account, instance: Instance) {
  const subnet = account.state.subnets[instance.subnetId];
  if (subnet === undefined) throw new Error(`${instance.id} is in no subnet`);
  return {
    id: instance.id,
    privateIpv4: instance.privateIp,
    subnetPrefix: networkOf(subnet).prefix,
    gateway: gatewayOf(subnet),
    hostname: instance.privateDns,
    userData: Buffer.from(instance.userData, "base64").toString("utf8"),
    rootSize: account.state.volumes[instance.rootVolumeId]?.size ?? imageRootSize,
  };
}

/** Does the world's work for a change of state, and then says the state that it led to. */
function move(account: Account, instance: Instance, work: () => Promise<void>, after: InstanceState): void {
  const whole = account.inOrder(instance.id, async () => {
    try {
      await work();
      instance.state = after;
      if (after === "terminated") instance.terminatedAt = account.now();
    } catch (error) {
      // As EC2 does with a launch that fails: the instance ends, and its reason says why.
      const message = error instanceof Error ? error.message : String(error);
      instance.stateReason = { code: "Server.InternalError", message: `Server.InternalError: ${message}` };
      if (after === "running" && instance.state === "pending") {
        await dismantle(account, instance).catch(() => undefined);
        instance.state = "terminated";
        instance.terminatedAt = account.now();
        account.forgetTokens([instance.id]);
      }
    }
    await saveNetwork(account);
  });
  account.afterwards(whole);
}

/** Takes the machine out of the world, and everything off it. */
async function dismantle(account: Account, instance: Instance): Promise<void> {
  const { state, world } = account;
  await world.terminate(instance.id);
  for (const address of Object.values(state.addresses)) {
    if (address.association?.instanceId === instance.id) delete address.association;
  }
  for (const volume of Object.values(state.volumes)) {
    if (volume.attachment?.instanceId !== instance.id) continue;
    const isRoot = volume.id === instance.rootVolumeId;
    if (!isRoot) await world.detachVolume(volume.id, instance.id);
    if (volume.attachment.deleteOnTermination) delete state.volumes[volume.id];
    else delete volume.attachment;
  }
  delete instance.ownPublicIp;
  account.told.firewalls.delete(instance.id);
}

interface Change {
  readonly state: InstanceState;
  readonly work: () => Promise<void>;
  readonly after: InstanceState;
}

/** Stop, start and terminate: the answer has the state before and after, the work goes on behind it. */
function change(
  account: Account,
  parameters: Parameters,
  answer: string,
  decide: (instance: Instance) => Change | undefined,
): unknown {
  const instances = parameters.strings("InstanceIds").map((id) => find(account, "instances", id));
  parameters.end();
  if (instances.length === 0)
    throw new AwsError("MissingParameter", "The request must contain the parameter InstanceId");
  const changes = instances.map((instance) => ({
    instance,
    before: instance.state,
    change: decide(instance),
  }));
  for (const { instance, change } of changes) {
    if (change === undefined) continue;
    instance.state = change.state;
    delete instance.stateReason;
  }
  account.save();
  for (const { instance, change } of changes) {
    if (change !== undefined) move(account, instance, change.work, change.after);
  }
  return {
    [answer]: changes.map(({ instance, before }) => ({
      InstanceId: instance.id,
      PreviousState: showState(before),
      CurrentState: showState(instance.state),
    })),
  };
}

function setMonitoring(account: Account, parameters: Parameters, on: boolean): unknown {
  const instances = parameters.strings("InstanceIds").map((id) => alive(account, id));
  parameters.end();
  for (const instance of instances) instance.monitoring = on;
  account.save();
  return {};
}

/**
 * A machine may switch itself off: then it is stopped, or terminated where it was launched so. And power that
 * came back without EC2's doing makes it run.
 */
async function observe(account: Account): Promise<void> {
  for (const instance of Object.values(account.state.instances)) {
    const { state } = instance;
    if (state !== "running" && state !== "stopped") continue;
    const real = await account.world.state(instance.id);
    // While the world answered, a call may have begun to stop or start it.
    if (instance.state !== state || real === state || real === "absent") continue;
    if (real === "stopped" && instance.shutdownBehavior === "terminate") {
      instance.state = "shutting-down";
      move(account, instance, () => dismantle(account, instance), "terminated");
    } else {
      instance.state = real;
    }
    account.save();
  }
}

/** Drops instances that have been terminated for an hour. */
function forget(account: Account): void {
  for (const instance of Object.values(account.state.instances)) {
    if (instance.terminatedAt !== undefined && account.now() - instance.terminatedAt > terminatedFor) {
      delete account.state.instances[instance.id];
    }
  }
}

function alive(account: Account, id: string): Instance {
  const instance = find(account, "instances", id);
  if (!isAlive(instance)) throw cannot(instance, "modified");
  return instance;
}

function byInterface(account: Account, id: string): Instance {
  const instance = Object.values(account.state.instances).find(
    (each) => each.interfaceId === id && isAlive(each),
  );
  if (instance === undefined) {
    throw new AwsError(
      "InvalidNetworkInterfaceID.NotFound",
      `The networkInterface ID '${id}' does not exist`,
    );
  }
  return instance;
}

function cannot(instance: Instance, done: string): AwsError {
  return new AwsError(
    "IncorrectInstanceState",
    `The instance '${instance.id}' is not in a state from which it can be ${done}.`,
  );
}

function imageOf(id: string): Image {
  if (!/^ami-[0-9a-f]{8}([0-9a-f]{9})?$/.test(id)) {
    throw new AwsError("InvalidAMIID.Malformed", `Invalid id: "${id}" (expecting "ami-...")`);
  }
  const image = knownImage(id);
  if (image === undefined) {
    throw new AwsError("InvalidAMIID.NotFound", `The image id '[${id}]' does not exist`);
  }
  return image;
}

function checkArchitecture(instanceType: string, image: Image): void {
  const architecture = architectureOf(instanceType);
  if (architecture === undefined) {
    throw new AwsError("InvalidParameterValue", `Invalid value '${instanceType}' for InstanceType.`);
  }
  if (architecture !== image.architecture) {
    throw new AwsError(
      "InvalidParameterValue",
      `The architecture '${architecture}' of the specified instance type does not match the architecture ` +
        `'${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching ` +
        "architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover " +
        "the architecture of the instance type or AMI.",
    );
  }
}

function checkOffered(account: Account, instanceType: string, zone: string): void {
  const zones = offerings(account.region, instanceType).map((each) => each.zone);
  if (zones.includes(zone)) return;
  throw new AwsError(
    "Unsupported",
    `Your requested instance type (${instanceType}) is not supported in your requested Availability Zone (${zone}). ` +
      `Please retry your request by not specifying an Availability Zone or choosing ${zones.join(", ")}.`,
  );
}

function checkUserData(encoded: string): string {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(encoded)) {
    throw new AwsError("InvalidParameterValue", "Invalid BASE64 encoding of user data.");
  }
  if (Buffer.from(encoded, "base64").length > userDataLimit) {
    throw new AwsError("InvalidParameterValue", "User data is limited to 16384 bytes");
  }
  return encoded;
}

function checkBehavior(behavior: string): string {
  if (behavior !== "stop" && behavior !== "terminate") {
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${behavior}) for parameter instanceInitiatedShutdownBehavior is invalid.`,
    );
  }
  return behavior;
}

function defaultCredits(instanceType: string): string {
  if (!isBurstable(instanceType)) return "";
  return instanceType.startsWith("t2") ? "standard" : "unlimited";
}

function checkCredits(credits: string, instanceType: string): string {
  if (!isBurstable(instanceType)) {
    throw new AwsError(
      "InvalidParameterCombination",
      `CreditSpecification is not supported for the instance type ${instanceType}`,
    );
  }
  if (credits !== "standard" && credits !== "unlimited") {
    throw new AwsError("InvalidParameterValue", `Value (${credits}) for parameter cpuCredits is invalid.`);
  }
  return credits;
}

const defaultMetadata: MetadataOptions = {
  httpTokens: "optional",
  httpPutResponseHopLimit: 1,
  httpEndpoint: "enabled",
  httpProtocolIpv6: "disabled",
  instanceMetadataTags: "disabled",
};

function metadataOptions(given: Parameters | undefined, before: MetadataOptions): MetadataOptions {
  if (given === undefined) return { ...before };
  const one = (name: string, now: string, ...allowed: string[]): string => {
    const value = given.maybeString(name) ?? now;
    if (!allowed.includes(value)) {
      throw new AwsError("InvalidParameterValue", `Value (${value}) for parameter ${name} is invalid.`);
    }
    return value;
  };
  const hops = given.maybeInteger("HttpPutResponseHopLimit") ?? before.httpPutResponseHopLimit;
  if (hops < 1 || hops > 64) {
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${hops}) for parameter HttpPutResponseHopLimit is invalid. Valid values are 1 to 64.`,
    );
  }
  return {
    httpTokens: one("HttpTokens", before.httpTokens, "optional", "required"),
    httpPutResponseHopLimit: hops,
    httpEndpoint: one("HttpEndpoint", before.httpEndpoint, "enabled", "disabled"),
    httpProtocolIpv6: one("HttpProtocolIpv6", before.httpProtocolIpv6, "enabled", "disabled"),
    instanceMetadataTags: one("InstanceMetadataTags", before.instanceMetadataTags, "enabled", "disabled"),
  };
}

function placementZone(placement: Parameters | undefined): string | undefined {
  if (placement === undefined) return undefined;
  const zone = placement.maybeString("AvailabilityZone");
  const tenancy = placement.maybeString("Tenancy") ?? "default";
  placement.end();
  if (tenancy !== "default") throw notSimulated("dedicated hosts");
  return zone;
}

function defaultSubnet(account: Account, zone: string | undefined): Subnet {
  const subnet = Object.values(account.state.subnets).find(
    (each) => each.isDefault && (zone === undefined || each.zone === zone),
  );
  if (subnet === undefined) {
    throw new AwsError("MissingInput", `No subnets found for the default VPC. Please specify a subnet.`);
  }
  return subnet;
}

function takenAddresses(account: Account, subnet: Subnet): Set<string> {
  const { first, last } = networkOf(subnet);
  const reserved = [first, first + 1, first + 2, first + 3, last].map(formatAddress);
  const used = Object.values(account.state.instances)
    .filter((instance) => instance.subnetId === subnet.id && instance.state !== "terminated")
    .map((instance) => instance.privateIp);
  return new Set([...reserved, ...used]);
}

function freeAddress(account: Account, subnet: Subnet): string {
  const { first, last } = networkOf(subnet);
  const taken = takenAddresses(account, subnet);
  for (let address = first + 4; address < last; address++) {
    const text = formatAddress(address);
    if (!taken.has(text)) return text;
  }
  throw new AwsError(
    "InsufficientFreeAddressesInSubnet",
    `The specified subnet does not have enough free addresses to satisfy the request.`,
  );
}

function givenAddress(account: Account, subnet: Subnet, text: string): string {
  const { first, last } = networkOf(subnet);
  const address = parseAddress(text);
  if (address === undefined) {
    throw new AwsError("InvalidParameterValue", `Value (${text}) for parameter address is invalid.`);
  }
  if (address < first || address > last) {
    throw new AwsError(
      "InvalidParameterValue",
      `Address ${text} does not fall within the subnet's address range`,
    );
  }
  if (address < first + 4 || address === last) {
    throw new AwsError("InvalidParameterValue", `Address ${text} is in subnet's reserved address range`);
  }
  if (takenAddresses(account, subnet).has(text)) {
    throw new AwsError("InvalidIPAddress.InUse", `Address ${text} is in use.`);
  }
  return text;
}

function newIpv6Addresses(account: Account, subnet: Subnet, count: number): string[] {
  if (count === 0) return [];
  const block = subnet.ipv6?.cidr;
  if (block === undefined) {
    throw new AwsError("InvalidParameterValue", `The subnet '${subnet.id}' does not have an IPv6 CIDR block`);
  }
  const used = new Set(Object.values(account.state.instances).flatMap((instance) => instance.ipv6Addresses));
  const found: string[] = [];
  // The first addresses of a subnet are EC2's own, as with IPv4.
  for (let offset = 16n; found.length < count; offset++) {
    const address = ipv6At(block, offset);
    if (!used.has(address)) found.push(address);
  }
  return found;
}

function freePublicAddress(account: Account): string {
  const { state, world } = account;
  const used = new Set([
    ...Object.values(state.addresses).map((address) => address.publicIp),
    ...Object.values(state.instances).flatMap((instance) => instance.ownPublicIp ?? []),
  ]);
  // From the end of the pool: elastic addresses are given out from its start.
  const free = world.publicPool.findLast((address) => !used.has(address));
  if (free === undefined) {
    throw new AwsError(
      "InsufficientAddressCapacity",
      "There are not enough available addresses to satisfy the request.",
    );
  }
  return free;
}

function rootDevice(devices: readonly Parameters[], image: Image) {
  let settings = volumeSettings(undefined, imageRootSize);
  let deleteOnTermination = true;
  for (const device of devices) {
    const name = device.string("DeviceName");
    const ebs = device.maybeStructure("Ebs");
    device.end();
    if (name !== imageRootDevice)
      throw notSimulated("volumes that come with a launch: attach one of its own");
    deleteOnTermination = ebs?.maybeBoolean("DeleteOnTermination") ?? true;
    settings = volumeSettings(ebs, imageRootSize);
    ebs?.end();
  }
  if (settings.size < imageRootSize) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      `Volume of size ${settings.size}GB is smaller than snapshot '${image.snapshotId}', expect size>= ${imageRootSize}GB`,
    );
  }
  return { settings, deleteOnTermination };
}

function imageValue(image: Image, name: string): string {
  const values: Record<string, string> = {
    name: image.name,
    architecture: image.architecture,
    "image-id": image.id,
    "owner-id": debianOwner,
    state: "available",
    "is-public": "true",
    "image-type": "machine",
    "root-device-type": "ebs",
    "virtualization-type": "hvm",
    "ena-support": "true",
    "creation-date": image.creationDate,
  };
  const value = values[name];
  if (value === undefined) throw new AwsError("InvalidParameterValue", `The filter '${name}' is invalid`);
  return value;
}

function showImage(image: Image) {
  return {
    ImageId: image.id,
    Name: image.name,
    Architecture: image.architecture,
    CreationDate: image.creationDate,
    Description: `Debian 13 (${image.name.split("-").at(-1)})`,
    OwnerId: debianOwner,
    ImageLocation: `amazon/${image.name}`,
    RootDeviceName: imageRootDevice,
    BlockDeviceMappings: [
      {
        DeviceName: imageRootDevice,
        Ebs: {
          SnapshotId: image.snapshotId,
          VolumeSize: imageRootSize,
          VolumeType: "gp3",
          Encrypted: false,
          DeleteOnTermination: true,
        },
      },
    ],
  };
}

const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

function showState(state: InstanceState) {
  return { Code: stateCodes[state], Name: state };
}

function showMetadata(options: MetadataOptions) {
  return {
    State: "applied",
    HttpTokens: options.httpTokens,
    HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
    HttpEndpoint: options.httpEndpoint,
    HttpProtocolIpv6: options.httpProtocolIpv6,
    InstanceMetadataTags: options.instanceMetadataTags,
  };
}

function showInstance(account: Account, instance: Instance) {
  const { state } = account;
  const publicIp = publicIpOf(state, instance);
  const hostnames = state.vpcs[instance.vpcId]?.dnsHostnames ?? false;
  const gone = instance.state === "terminated";
  const volumes = Object.values(state.volumes).filter(
    (volume) => volume.attachment?.instanceId === instance.id,
  );
  return {
    InstanceId: instance.id,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType,
    Architecture: imageOf(instance.imageId).architecture,
    State: showState(instance.state),
    StateReason: instance.stateReason && {
      Code: instance.stateReason.code,
      Message: instance.stateReason.message,
    },
    LaunchTime: new Date(instance.createdAt).toISOString(),
    Placement: { AvailabilityZone: instance.zone, Tenancy: "default", GroupName: "" },
    SubnetId: gone ? undefined : instance.subnetId,
    VpcId: gone ? undefined : instance.vpcId,
    PrivateIpAddress: gone ? undefined : instance.privateIp,
    PrivateDnsName: gone ? "" : instance.privateDns,
    PublicIpAddress: publicIp,
    PublicDnsName: publicIp !== undefined && hostnames ? publicName(publicIp, account.region) : "",
    SecurityGroups: instance.groupIds.map((id) => ({ GroupId: id, GroupName: state.groups[id]?.name ?? "" })),
    SourceDestCheck: instance.sourceDestCheck,
    EbsOptimized: instance.ebsOptimized,
    Monitoring: { State: instance.monitoring ? "enabled" : "disabled" },
    CpuOptions: { CoreCount: processorsOf(instance.instanceType), ThreadsPerCore: 1 },
    MetadataOptions: showMetadata(instance.metadata),
    RootDeviceName: imageRootDevice,
    RootDeviceType: "ebs",
    BlockDeviceMappings: volumes.map(showAttachment),
    NetworkInterfaces: gone
      ? []
      : [
          {
            NetworkInterfaceId: instance.interfaceId,
            Attachment: { AttachmentId: instance.attachmentId, DeviceIndex: 0, Status: "attached" },
            PrivateIpAddress: instance.privateIp,
            SubnetId: instance.subnetId,
            VpcId: instance.vpcId,
            Ipv6Addresses: instance.ipv6Addresses.map((Ipv6Address) => ({ Ipv6Address })),
            Groups: instance.groupIds.map((id) => ({ GroupId: id })),
            OwnerId: accountId,
          },
        ],
    Tags: tagList(instance.tags as Tags),
  };
}

function showAttachment(volume: Volume) {
  return {
    DeviceName: volume.attachment?.device,
    Ebs: {
      VolumeId: volume.id,
      Status: "attached",
      DeleteOnTermination: volume.attachment?.deleteOnTermination,
    },
  };
}
