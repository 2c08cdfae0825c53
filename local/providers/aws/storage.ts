/** EBS volumes and their attachments. */
import { crc32 } from "node:zlib";
import { hasCode, isNotFound, until } from "./client.ts";
import { describeInstance, stopInstance } from "./instance.ts";
import { accountId, arn, awsResource, type CommonInputs, given } from "./resource.ts";
import { type ApiVolume, describeVolume } from "./volumes.ts";

interface VolumeInputs extends CommonInputs {
  readonly availabilityZone: string;
  readonly size?: number;
  readonly type?: string;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted?: boolean;
  readonly kmsKeyId?: string;
}

export const volume = awsResource<VolumeInputs>({
  inputs: {
    availabilityZone: { type: "string", required: true, replaceOnChange: true },
    size: { type: "integer", computed: true },
    type: { type: "string", computed: true },
    iops: { type: "integer", computed: true },
    throughput: { type: "integer", computed: true },
    encrypted: { type: "boolean", computed: true, replaceOnChange: true },
    kmsKeyId: { type: "string", computed: true, replaceOnChange: true },
  },
  outputs: { arn: {}, createTime: {}, snapshotId: {}, multiAttachEnabled: {}, outpostArn: {} },
  unsimulated: [
    "finalSnapshot",
    "multiAttachEnabled",
    "outpostArn",
    "snapshotId",
    "volumeInitializationRate",
  ],
  taggedAs: "volume",
  check: (inputs) =>
    inputs.size === undefined
      ? [{ property: "size", reason: '"size": one of `size,snapshot_id` must be specified' }]
      : [],
  create: async (ec2, inputs, tags) => {
    const parameters = given({
      AvailabilityZone: inputs.availabilityZone,
      Size: inputs.size,
      VolumeType: inputs.type,
      Iops: inputs.iops,
      Throughput: inputs.throughput,
      Encrypted: inputs.encrypted,
      KmsKeyId: inputs.kmsKeyId,
    });
    return (await ec2.call<ApiVolume>("CreateVolume", { ...parameters, ...tags })).VolumeId;
  },
  read: async (ec2, id) => {
    const found = await describeVolume(ec2, id);
    return (
      found && {
        outputs: {
          arn: arn(ec2, `volume/${id}`, accountId),
          availabilityZone: found.AvailabilityZone,
          size: found.Size,
          type: found.VolumeType,
          iops: found.Iops ?? 0,
          throughput: found.Throughput ?? 0,
          encrypted: found.Encrypted,
          kmsKeyId: found.KmsKeyId ?? "",
          snapshotId: found.SnapshotId,
          createTime: found.CreateTime,
          multiAttachEnabled: false,
          outpostArn: "",
        },
        tags: found.Tags,
      }
    );
  },
  update: async (ec2, { id, inputs, changed }) => {
    const changes = given({
      Size: changed("size") ? inputs.size : undefined,
      VolumeType: changed("type") ? inputs.type : undefined,
      Iops: changed("iops") ? inputs.iops : undefined,
      Throughput: changed("throughput") ? inputs.throughput : undefined,
    });
    if (Object.keys(changes).length > 0) await ec2.call("ModifyVolume", { VolumeId: id, ...changes });
  },
  delete: async (ec2, id) => {
    await ec2.call("DeleteVolume", { VolumeId: id });
  },
});

interface AttachmentInputs extends CommonInputs {
  readonly deviceName: string;
  readonly instanceId: string;
  readonly volumeId: string;
  readonly forceDetach?: boolean;
}

/** As the official provider makes it, of device, volume and instance. */
function attachmentId(device: string, volumeId: string, instanceId: string): string {
  return `vai-${crc32(`${device}-${instanceId}-${volumeId}-`)}`;
}

export const volumeAttachment = awsResource<AttachmentInputs>({
  inputs: {
    deviceName: { type: "string", required: true, replaceOnChange: true },
    instanceId: { type: "string", required: true, replaceOnChange: true },
    volumeId: { type: "string", required: true, replaceOnChange: true },
    forceDetach: { type: "boolean" },
    skipDestroy: { type: "boolean" },
    stopInstanceBeforeDetaching: { type: "boolean" },
  },
  outputs: {},
  create: async (ec2, inputs) => {
    const { deviceName, instanceId, volumeId } = inputs;
    // An instance that is still pending takes no volume: the official provider waits for it.
    await until(`EC2 Instance (${instanceId}) to run`, async () => {
      const state = (await describeInstance(ec2, instanceId))?.State.Name;
      return state === "pending" ? undefined : (state ?? "absent");
    });
    await ec2.call("AttachVolume", { Device: deviceName, InstanceId: instanceId, VolumeId: volumeId });
    return attachmentId(deviceName, volumeId, instanceId);
  },
  /** Imported as `<device>:<volume>:<instance>`, like the official provider. */
  read: async (ec2, id, { state, inputs }) => {
    const known = { ...inputs, ...state };
    const [device = "", volumeId = "", instanceId = ""] = id.includes(":")
      ? id.split(":")
      : [known.deviceName, known.volumeId, known.instanceId].map(String);
    const found = await describeVolume(ec2, volumeId);
    const attached = found?.Attachments.find(
      (each) => each.InstanceId === instanceId && each.Device === device,
    );
    return (
      attached && {
        id: attachmentId(device, volumeId, instanceId),
        outputs: { deviceName: device, volumeId, instanceId },
      }
    );
  },
  // Its other inputs say only how it is detached.
  update: async () => undefined,
  delete: async (ec2, _id, state) => {
    if (state.skipDestroy === true) return;
    const [volumeId, instanceId] = [String(state.volumeId), String(state.instanceId)];
    const attached = (await describeVolume(ec2, volumeId))?.Attachments.some(
      (each) => each.InstanceId === instanceId,
    );
    if (!attached) return;
    if (state.stopInstanceBeforeDetaching === true) {
      const running = (await describeInstance(ec2, instanceId))?.State.Name;
      if (running === "running" || running === "stopping") await stopInstance(ec2, instanceId);
    }
    try {
      await ec2.call("DetachVolume", {
        VolumeId: volumeId,
        InstanceId: instanceId,
        Device: state.deviceName,
        Force: state.forceDetach === true,
      });
    } catch (error) {
      if (!hasCode(error, "IncorrectState") && !isNotFound(error)) throw error;
    }
  },
});
