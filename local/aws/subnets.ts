import { type Account, type Action, describe, find, networkOf, tagList } from "./account.ts";
import { accountId, zoneId, zonesOf } from "./catalog.ts";
import { canonicalIpv6, contains, containsIpv6, overlaps, parseNetwork } from "./cidr.ts";
import { AwsError, dependencies } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Subnet, Vpc } from "./state.ts";

/** Subnets, and the zones that they are in: EC2's actions of the same names. */
export const subnetActions: Readonly<Record<string, Action>> = {
  CreateSubnet: (account, parameters) => {
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    const cidr = parameters.string("CidrBlock");
    const ipv6 = parameters.maybeString("Ipv6CidrBlock");
    const zone = parameters.maybeString("AvailabilityZone");
    const tags = parameters.tagSpecifications("subnet").subnet ?? {};
    parameters.end();
    const network = parseNetwork(cidr);
    if (network === undefined) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
      );
    }
    const outer = parseNetwork(vpc.cidr);
    if (network.prefix < 16 || network.prefix > 28 || outer === undefined || !contains(outer, network)) {
      throw new AwsError("InvalidSubnet.Range", `The CIDR '${cidr}' is invalid.`);
    }
    if (subnetsOf(account, vpc.id).some((each) => overlaps(networkOf(each), network))) {
      throw new AwsError("InvalidSubnet.Conflict", `The CIDR '${cidr}' conflicts with another subnet`);
    }
    if (zone !== undefined && !zonesOf(account.region).includes(zone)) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in ` +
          `the following availability zones: ${zonesOf(account.region).join(", ")}.`,
      );
    }
    const block = ipv6 === undefined ? undefined : subnetIpv6(account, vpc, ipv6);
    const subnet = openSubnet(account, {
      vpcId: vpc.id,
      cidr: network.text,
      zone: zone ?? `${account.region}a`,
      isDefault: false,
      tags,
    });
    if (block) subnet.ipv6 = block;
    account.save();
    return { Subnet: showSubnet(account, subnet) };
  },

  DescribeSubnets: (account, parameters) => {
    const ids = parameters.maybeStrings("SubnetIds");
    const subnets = describe(account, "subnets", ids, parameters.filters(), (subnet, name) => {
      if (name === "subnet-id") return [subnet.id];
      if (name === "vpc-id") return [subnet.vpcId];
      if (name === "cidr" || name === "cidr-block" || name === "cidrBlock") return [subnet.cidr];
      if (name === "availability-zone" || name === "availabilityZone") return [subnet.zone];
      if (name === "availability-zone-id") return [zoneId(subnet.zone)];
      if (name === "default-for-az" || name === "defaultForAz") return [String(subnet.isDefault)];
      if (name === "ipv6-cidr-block-association.ipv6-cidr-block")
        return subnet.ipv6 ? [subnet.ipv6.cidr] : [];
      if (name === "state") return ["available"];
      return undefined;
    });
    parameters.end();
    return { Subnets: subnets.map((subnet) => showSubnet(account, subnet)) };
  },

  ModifySubnetAttribute: (account, parameters) => {
    const subnet = find(account, "subnets", parameters.string("SubnetId"));
    const mapPublicIp = parameters.maybeValue<boolean>("MapPublicIpOnLaunch", "boolean");
    const assignIpv6 = parameters.maybeValue<boolean>("AssignIpv6AddressOnCreation", "boolean");
    parameters.end();
    if (assignIpv6 && !subnet.ipv6) {
      throw new AwsError(
        "InvalidParameterValue",
        `Invalid value 'true' for assignIpv6AddressOnCreation. The subnet ${subnet.id} has no IPv6 CIDR block.`,
      );
    }
    subnet.mapPublicIp = mapPublicIp ?? subnet.mapPublicIp;
    subnet.assignIpv6 = assignIpv6 ?? subnet.assignIpv6;
    account.save();
    return {};
  },

  AssociateSubnetCidrBlock: (account, parameters) => {
    const subnet = find(account, "subnets", parameters.string("SubnetId"));
    const cidr = parameters.string("Ipv6CidrBlock");
    parameters.end();
    if (subnet.ipv6) {
      throw new AwsError(
        "InvalidParameterValue",
        `An IPv6 CIDR block is already associated with ${subnet.id}`,
      );
    }
    subnet.ipv6 = subnetIpv6(account, find(account, "vpcs", subnet.vpcId), cidr);
    account.save();
    return { SubnetId: subnet.id, Ipv6CidrBlockAssociation: showIpv6(subnet.ipv6) };
  },

  DisassociateSubnetCidrBlock: (account, parameters) => {
    const associationId = parameters.string("AssociationId");
    parameters.end();
    const subnet = Object.values(account.state.subnets).find(
      (each) => each.ipv6?.associationId === associationId,
    );
    if (subnet?.ipv6 === undefined) {
      throw new AwsError(
        "InvalidSubnetCidrBlockAssociationID.NotFound",
        `The subnet CIDR block with association ID ${associationId} does not exist`,
      );
    }
    const users = instancesIn(account, subnet.id).filter((instance) => instance.ipv6Addresses.length > 0);
    if (users.length > 0) {
      throw new AwsError("CidrBlockInUse", `The CIDR block ${subnet.ipv6.cidr} is in use by ${users[0]?.id}`);
    }
    delete subnet.ipv6;
    account.save();
    return { SubnetId: subnet.id };
  },

  DeleteSubnet: (account, parameters) => {
    const subnet = find(account, "subnets", parameters.string("SubnetId"));
    parameters.end();
    if (instancesIn(account, subnet.id).length > 0) throw dependencies("subnet", subnet.id);
    for (const table of Object.values(account.state.routeTables)) {
      for (const [id, association] of Object.entries(table.associations)) {
        if (association.subnetId === subnet.id) delete table.associations[id];
      }
    }
    delete account.state.subnets[subnet.id];
    account.save();
    return {};
  },

  DescribeAvailabilityZones: (account, parameters) => {
    parameters.end();
    return {
      AvailabilityZones: zonesOf(account.region).map((zone) => ({
        ZoneName: zone,
        ZoneId: zoneId(zone),
        State: "available",
        RegionName: account.region,
        ZoneType: "availability-zone",
      })),
    };
  },
};

export function openSubnet(
  account: Account,
  given: Pick<Subnet, "vpcId" | "cidr" | "zone" | "isDefault" | "tags">,
): Subnet {
  const subnet: Subnet = {
    id: newId("subnet"),
    ...given,
    createdAt: account.now(),
    mapPublicIp: false,
    assignIpv6: false,
  };
  account.state.subnets[subnet.id] = subnet;
  return subnet;
}

function subnetIpv6(account: Account, vpc: Vpc, text: string): { associationId: string; cidr: string } {
  const cidr = canonicalIpv6(text);
  if (cidr === undefined || !vpc.ipv6 || !cidr.endsWith("/64") || !containsIpv6(vpc.ipv6.cidr, cidr)) {
    throw new AwsError("InvalidSubnet.Range", `The CIDR '${text}' is invalid.`);
  }
  if (subnetsOf(account, vpc.id).some((subnet) => subnet.ipv6?.cidr === cidr)) {
    throw new AwsError("InvalidSubnet.Conflict", `The CIDR '${text}' conflicts with another subnet`);
  }
  return { associationId: newId("subnet-cidr-assoc"), cidr };
}

export function subnetsOf(account: Account, vpcId: string): Subnet[] {
  return Object.values(account.state.subnets).filter((subnet) => subnet.vpcId === vpcId);
}

function instancesIn(account: Account, subnetId: string) {
  return Object.values(account.state.instances).filter(
    (instance) => instance.subnetId === subnetId && instance.state !== "terminated",
  );
}

export function showIpv6(block: { associationId: string; cidr: string }) {
  return {
    AssociationId: block.associationId,
    Ipv6CidrBlock: block.cidr,
    Ipv6CidrBlockState: { State: "associated" },
  };
}

function showSubnet(account: Account, subnet: Subnet) {
  const { first, last } = networkOf(subnet);
  return {
    SubnetId: subnet.id,
    OwnerId: accountId,
    VpcId: subnet.vpcId,
    CidrBlock: subnet.cidr,
    Ipv6CidrBlockAssociationSet: subnet.ipv6 ? [showIpv6(subnet.ipv6)] : [],
    AvailabilityZone: subnet.zone,
    AvailabilityZoneId: zoneId(subnet.zone),
    // EC2 keeps the network's address, the next three and the broadcast address for itself.
    AvailableIpAddressCount: last - first + 1 - 5 - instancesIn(account, subnet.id).length,
    DefaultForAz: subnet.isDefault,
    MapPublicIpOnLaunch: subnet.mapPublicIp,
    AssignIpv6AddressOnCreation: subnet.assignIpv6,
    State: "available",
    Tags: tagList(subnet.tags),
  };
}
