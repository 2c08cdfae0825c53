/** What EC2 says of a volume, for the resources that look. */
import type { Ec2 } from "./client.ts";
import type { ApiTag } from "./resource.ts";

export interface ApiVolume {
  readonly VolumeId: string;
  readonly AvailabilityZone: string;
  readonly Size: number;
  readonly VolumeType: string;
  readonly Iops?: number;
  readonly Throughput?: number;
  readonly Encrypted: boolean;
  readonly KmsKeyId?: string;
  readonly SnapshotId: string;
  readonly CreateTime: string;
  readonly Attachments: readonly { readonly InstanceId: string; readonly Device: string }[];
  readonly Tags: readonly ApiTag[];
}

export async function describeVolume(ec2: Ec2, id: string): Promise<ApiVolume | undefined> {
  const answer = await ec2.maybe<{ Volumes: ApiVolume[] }>("DescribeVolumes", { VolumeIds: [id] });
  return answer?.Volumes[0];
}
