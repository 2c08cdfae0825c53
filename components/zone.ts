import { getInstanceTypeOfferings } from "@pulumi/aws/ec2/getInstanceTypeOfferings.js";
import { getSubnet } from "@pulumi/aws/ec2/getSubnet.js";
import * as pulumi from "@pulumi/pulumi";
import {
  awsRefuses,
  refusalText,
  subnetHidden,
  typeNotInZone,
  typeNotOffered,
  untouchedText,
  wholeZones,
} from "../plan/refusals.ts";
import type { Settings } from "../settings/types.ts";
import { reasonOf } from "./reason.ts";

/** Where the machine may be, and where a new data volume is made. */
export interface Zones {
  /** Availability zone of a volume that is new; one that is there holds its own. */
  readonly first: string;
  /** Every availability zone of the region that offers the instance type, in their order. */
  readonly offering: readonly string[];
}

/**
 * Asked before anything is made: the machine would be refused late, and the volume cannot leave its zone.
 *
 * @throws pulumi.RunError where no zone of the region, or not that of the named subnet, has such machines, and where
 * AWS does not answer.
 */
export async function findZones({ server, network }: Settings): Promise<Zones> {
  const { instanceType } = server;
  const { locations } = await getInstanceTypeOfferings({
    locationType: "availability-zone",
    filters: [{ name: "instance-type", values: [instanceType] }],
  }).catch((error: Error) => {
    throw new pulumi.RunError(untouchedText(awsRefuses(reasonOf(error))));
  });
  const offering = wholeZones(locations);
  const [first] = offering;
  if (first === undefined) throw new pulumi.RunError(refusalText(typeNotOffered(instanceType)));
  if (network.subnetId === undefined) return { first, offering };
  const { availabilityZone: zone } = await getSubnet({ id: network.subnetId }).catch((error: Error) => {
    throw new pulumi.RunError(untouchedText(subnetHidden(String(network.subnetId), reasonOf(error))));
  });
  checkZone(instanceType, offering, { subnet: zone, volume: zone });
  return { first: zone, offering };
}

/**
 * Whether the machine can be where subnet and data volume are.
 *
 * @throws pulumi.RunError saying what can be done about it.
 */
export function checkZone(
  instanceType: string,
  offering: readonly string[],
  zones: { readonly subnet: string; readonly volume: string },
): void {
  if (zones.volume !== zones.subnet) {
    throw new pulumi.RunError(
      `The data volume is in ${zones.volume} and cannot leave it; the subnet is in ${zones.subnet}. Name a subnet of ${zones.volume} in mailhost:network.subnetId.`,
    );
  }
  if (!offering.includes(zones.subnet)) {
    throw new pulumi.RunError(refusalText(typeNotInZone(instanceType, zones.subnet, offering)));
  }
}
