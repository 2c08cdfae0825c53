import { type Account, type Action, describe, find, tagList } from "./account.ts";
import { accountId, imageRootDevice, zonesOf } from "./catalog.ts";
import { AwsError } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Parameters, Tags } from "./parameters.ts";
import type { Instance, Volume } from "./state.ts";

/** What a volume may be by its type: sizes in GiB (EBS user guide, "Amazon EBS volume types"). */
const types: Readonly<Record<string, { min: number; max: number; iops?: [number, number] }>> = {
  gp3: { min: 1, max: 65536, iops: [3000, 80000] },
  gp2: { min: 1, max: 16384 },
  io1: { min: 4, max: 16384, iops: [100, 64000] },
  io2: { min: 4, max: 65536, iops: [100, 256000] },
  st1: { min: 125, max: 16384 },
  sc1: { min: 125, max: 16384 },
  standard: { min: 1, max: 1024 },
};

/** The part of a volume that its owner chooses. */
export interface VolumeSettings {
  readonly size: number;
  readonly type: string;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
}

/** EBS volumes: EC2's actions of the same names. */
export const volumeActions: Readonly<Record<string, Action>> = {
  CreateVolume: async (account, parameters) => {
    const zone = parameters.string("AvailabilityZone");
    const settings = volumeSettings(parameters, undefined, "Size");
    const tags = parameters.tagSpecifications("volume").volume ?? {};
    parameters.end();
    if (!zonesOf(account.region).includes(zone)) {
      throw new AwsError("InvalidZone.NotFound", `The zone '${zone}' does not exist.`);
    }
    const volume = openVolume(account, { ...settings, zone, tags });
    // Written first: a world that dies in between finds the volume again at its next start.
    account.save();
    try {
      await account.inOrder(volume.id, () => account.world.createVolume(volume.id, volume.size));
    } catch (error) {
      delete account.state.volumes[volume.id];
      account.save();
      throw error;
    }
    return showVolume(volume);
  },

  DescribeVolumes: (account, parameters) => {
    const ids = parameters.maybeStrings("VolumeIds");
    const volumes = describe(account, "volumes", ids, parameters.filters(), (volume, name) => {
      if (name === "volume-id") return [volume.id];
      if (name === "attachment.instance-id") return volume.attachment ? [volume.attachment.instanceId] : [];
      if (name === "attachment.device") return volume.attachment ? [volume.attachment.device] : [];
      if (name === "availability-zone") return [volume.zone];
      if (name === "status") return [volume.attachment ? "in-use" : "available"];
      if (name === "encrypted") return [String(volume.encrypted)];
      if (name === "volume-type") return [volume.type];
      if (name === "size") return [String(volume.size)];
      return undefined;
    });
    parameters.end();
    return { Volumes: volumes.map(showVolume) };
  },

  ModifyVolume: async (account, parameters) => {
    const volume = find(account, "volumes", parameters.string("VolumeId"));
    const size = parameters.maybeInteger("Size") ?? volume.size;
    const type = parameters.maybeString("VolumeType") ?? volume.type;
    const iops = parameters.maybeInteger("Iops");
    const throughput = parameters.maybeInteger("Throughput");
    parameters.end();
    if (size < volume.size) {
      throw new AwsError("InvalidParameterValue", "New size cannot be smaller than existing size");
    }
    const checked = checkSettings({ size, type, encrypted: volume.encrypted, iops, throughput });
    // The world makes a volume that it has already as large as asked for.
    if (size !== volume.size && volume.attachment?.device !== imageRootDevice) {
      await account.inOrder(volume.id, () => account.world.createVolume(volume.id, size));
    }
    volume.size = checked.size;
    volume.type = checked.type;
    if (checked.iops === undefined) delete volume.iops;
    else volume.iops = checked.iops;
    if (checked.throughput === undefined) delete volume.throughput;
    else volume.throughput = checked.throughput;
    account.save();
    return { VolumeModification: { VolumeId: volume.id, ModificationState: "completed", TargetSize: size } };
  },

  DeleteVolume: async (account, parameters) => {
    const volume = find(account, "volumes", parameters.string("VolumeId"));
    parameters.end();
    if (volume.attachment) {
      throw new AwsError(
        "VolumeInUse",
        `Volume ${volume.id} is currently attached to ${volume.attachment.instanceId}`,
      );
    }
    await account.inOrder(volume.id, () => account.world.deleteVolume(volume.id));
    delete account.state.volumes[volume.id];
    account.save();
    return {};
  },

  AttachVolume: async (account, parameters) => {
    const volume = find(account, "volumes", parameters.string("VolumeId"));
    const instance = find(account, "instances", parameters.string("InstanceId"));
    const device = parameters.string("Device");
    parameters.end();
    checkDevice(device);
    if (volume.attachment) {
      throw new AwsError("VolumeInUse", `${volume.id} is already attached to an instance`);
    }
    if (volume.zone !== instance.zone) {
      throw new AwsError(
        "InvalidVolume.ZoneMismatch",
        `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`,
      );
    }
    if (instance.state !== "running" && instance.state !== "stopped") {
      throw new AwsError("IncorrectState", `Instance '${instance.id}' is not 'running'.`);
    }
    if (attachedTo(account, instance).some((each) => each.attachment?.device === device)) {
      throw new AwsError(
        "InvalidParameterValue",
        `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
      );
    }
    volume.attachment = { instanceId: instance.id, device, at: account.now(), deleteOnTermination: false };
    account.save();
    try {
      await account.inOrder(instance.id, () => account.world.attachVolume(volume.id, instance.id));
    } catch (error) {
      delete volume.attachment;
      account.save();
      throw error;
    }
    return showAttachment(volume);
  },

  DetachVolume: async (account, parameters) => {
    const volume = find(account, "volumes", parameters.string("VolumeId"));
    const instanceId = parameters.maybeString("InstanceId");
    const device = parameters.maybeString("Device");
    parameters.maybeBoolean("Force");
    parameters.end();
    const { attachment } = volume;
    if (!attachment) {
      throw new AwsError("IncorrectState", `Volume '${volume.id}' is in the 'available' state.`);
    }
    if (
      (instanceId ?? attachment.instanceId) !== attachment.instanceId ||
      (device ?? attachment.device) !== attachment.device
    ) {
      throw new AwsError(
        "InvalidAttachment.NotFound",
        `The volume '${volume.id}' is not attached to instance '${instanceId}' as device '${device}'.`,
      );
    }
    const instance = account.state.instances[attachment.instanceId];
    if (attachment.device === imageRootDevice && instance?.state !== "stopped") {
      throw new AwsError(
        "OperationNotPermitted",
        `Unable to detach root volume '${volume.id}' from instance '${attachment.instanceId}'`,
      );
    }
    await account.inOrder(attachment.instanceId, () =>
      account.world.detachVolume(volume.id, attachment.instanceId),
    );
    delete volume.attachment;
    account.save();
    return {
      VolumeId: volume.id,
      InstanceId: attachment.instanceId,
      Device: attachment.device,
      State: "detaching",
    };
  },
};

export function openVolume(
  account: Account,
  given: VolumeSettings & { readonly zone: string; readonly tags: Tags; readonly snapshotId?: string },
): Volume {
  const volume: Volume = { id: newId("vol"), createdAt: account.now(), ...given };
  account.state.volumes[volume.id] = volume;
  return volume;
}

/** Reads a volume's settings from CreateVolume (`Size`) or from a launch's block device (`VolumeSize`). */
export function volumeSettings(
  from: Parameters | undefined,
  defaultSize: number | undefined,
  sizeName: "Size" | "VolumeSize" = "VolumeSize",
): VolumeSettings {
  const size = from?.maybeInteger(sizeName) ?? defaultSize;
  if (size === undefined) {
    throw new AwsError("MissingParameter", "The request must contain the parameter size/snapshot");
  }
  const kmsKeyId = from?.maybeString("KmsKeyId");
  const encrypted = from?.maybeBoolean("Encrypted") ?? false;
  if (kmsKeyId !== undefined && !encrypted) {
    throw new AwsError(
      "InvalidParameterDependency",
      "The parameter KmsKeyId requires the parameter Encrypted to be set.",
    );
  }
  return {
    ...checkSettings({
      size,
      // A launch takes the image's own type, and CreateVolume gp2 where none is named.
      type: from?.maybeString("VolumeType") ?? (sizeName === "Size" ? "gp2" : "gp3"),
      encrypted,
      iops: from?.maybeInteger("Iops"),
      throughput: from?.maybeInteger("Throughput"),
    }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
  };
}

function checkSettings(wanted: {
  size: number;
  type: string;
  encrypted: boolean;
  iops: number | undefined;
  throughput: number | undefined;
}): VolumeSettings {
  const { size, type, encrypted } = wanted;
  const limits = types[type];
  if (limits === undefined) {
    throw new AwsError("UnknownVolumeType", `Unsupported volume type '${type}' for volume creation.`);
  }
  if (size < limits.min || size > limits.max) {
    throw new AwsError(
      "InvalidParameterValue",
      `Volume of ${size}GiB is ${size < limits.min ? "too small" : "too large"} for volume type ${type}; ` +
        `${size < limits.min ? `minimum is ${limits.min}` : `maximum is ${limits.max}`}GiB.`,
    );
  }
  if (wanted.iops !== undefined && limits.iops === undefined) {
    throw new AwsError(
      "InvalidParameterCombination",
      `The parameter iops is not supported for ${type} volumes.`,
    );
  }
  if (wanted.throughput !== undefined && type !== "gp3") {
    throw new AwsError(
      "InvalidParameterCombination",
      `The parameter throughput is not supported for ${type} volumes.`,
    );
  }
  const iops =
    wanted.iops ??
    (type === "gp3" ? 3000 : type === "gp2" ? Math.min(16000, Math.max(100, size * 3)) : undefined);
  const throughput = wanted.throughput ?? (type === "gp3" ? 125 : undefined);
  if (limits.iops !== undefined) {
    if (iops === undefined) {
      throw new AwsError("MissingParameter", `The parameter iops must be specified for ${type} volumes.`);
    }
    if (iops < limits.iops[0] || iops > limits.iops[1]) {
      throw new AwsError(
        "InvalidParameterValue",
        `Volume iops of ${iops} is out of range for volume type ${type}.`,
      );
    }
  }
  if (throughput !== undefined && (throughput < 125 || throughput > 2000)) {
    throw new AwsError(
      "InvalidParameterValue",
      `Throughput of ${throughput} MiB/s is out of range for volume type gp3.`,
    );
  }
  return {
    size,
    type,
    encrypted,
    ...(iops === undefined ? {} : { iops }),
    ...(throughput === undefined ? {} : { throughput }),
  };
}

/** Names that EC2 takes for a device (EBS user guide, "Device names for volumes"). */
function checkDevice(device: string): void {
  if (!/^(\/dev\/)?(sd[a-z]([1-9]|1[0-5])?|xvd[a-z]|xvd[a-z][a-z])$/.test(device)) {
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${device}) for parameter device is invalid. ${device} is not a valid EBS device name.`,
    );
  }
}

function attachedTo(account: Account, instance: Instance): Volume[] {
  return Object.values(account.state.volumes).filter(
    (volume) => volume.attachment?.instanceId === instance.id,
  );
}

function showVolume(volume: Volume) {
  return {
    VolumeId: volume.id,
    OwnerId: accountId,
    AvailabilityZone: volume.zone,
    Size: volume.size,
    VolumeType: volume.type,
    Iops: volume.iops,
    Throughput: volume.throughput,
    Encrypted: volume.encrypted,
    KmsKeyId: volume.kmsKeyId,
    SnapshotId: volume.snapshotId ?? "",
    MultiAttachEnabled: false,
    CreateTime: new Date(volume.createdAt).toISOString(),
    State: volume.attachment ? "in-use" : "available",
    Attachments: volume.attachment ? [showAttachment(volume)] : [],
    Tags: tagList(volume.tags),
  };
}

function showAttachment(volume: Volume) {
  return {
    VolumeId: volume.id,
    InstanceId: volume.attachment?.instanceId,
    Device: volume.attachment?.device,
    State: "attached",
    AttachTime: new Date(volume.attachment?.at ?? 0).toISOString(),
    DeleteOnTermination: volume.attachment?.deleteOnTermination,
  };
}
