import { randomBytes } from "node:crypto";
import { type Account, type Action, describe, find, tagList } from "./account.ts";
import { accountId, zonesOf } from "./catalog.ts";
import { canonicalIpv6, parseNetwork } from "./cidr.ts";
import { AwsError, dependencies, notSimulated } from "./errors.ts";
import { openGroup } from "./groups.ts";
import { newId } from "./ids.ts";
import { openRouteTable } from "./routeTables.ts";
import type { InternetGateway, Vpc } from "./state.ts";
import { openSubnet, showIpv6, subnetsOf } from "./subnets.ts";

/** VPCs: EC2's actions of the same names. */
export const vpcActions: Readonly<Record<string, Action>> = {
  CreateVpc: (account, parameters) => {
    const cidr = parameters.string("CidrBlock");
    const ipv6 = parameters.maybeBoolean("AmazonProvidedIpv6CidrBlock") ?? false;
    const tenancy = parameters.maybeString("InstanceTenancy") ?? "default";
    const tags = parameters.tagSpecifications("vpc").vpc ?? {};
    parameters.end();
    const network = parseNetwork(cidr);
    if (network === undefined) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
      );
    }
    if (network.prefix < 16 || network.prefix > 28) {
      throw new AwsError("InvalidVpc.Range", `The CIDR '${cidr}' is invalid.`);
    }
    if (tenancy !== "default" && tenancy !== "dedicated") {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${tenancy}) for parameter instanceTenancy is invalid.`,
      );
    }
    if (Object.keys(account.state.vpcs).length >= account.state.switches.vpcLimit) {
      throw new AwsError("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
    }
    const vpc = openVpc(account, { cidr: network.text, tenancy, isDefault: false, tags });
    if (ipv6) vpc.ipv6 = newIpv6Block();
    account.save();
    return { Vpc: showVpc(vpc) };
  },

  DescribeVpcs: (account, parameters) => {
    const vpcs = describe(
      account,
      "vpcs",
      parameters.maybeStrings("VpcIds"),
      parameters.filters(),
      (vpc, name) => {
        if (name === "vpc-id") return [vpc.id];
        if (name === "cidr" || name === "cidr-block" || name === "cidrBlock") return [vpc.cidr];
        if (name === "is-default" || name === "isDefault") return [String(vpc.isDefault)];
        if (name === "state") return ["available"];
        if (name === "dhcp-options-id") return [vpc.dhcpOptionsId];
        return undefined;
      },
    );
    parameters.end();
    return { Vpcs: vpcs.map(showVpc) };
  },

  DescribeVpcAttribute: (account, parameters) => {
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    const attribute = parameters.string("Attribute");
    parameters.end();
    const values: Record<string, boolean> = {
      enableDnsHostnames: vpc.dnsHostnames,
      enableDnsSupport: vpc.dnsSupport,
      enableNetworkAddressUsageMetrics: vpc.networkAddressUsageMetrics,
    };
    if (values[attribute] === undefined) {
      throw new AwsError("InvalidParameterValue", `Value (${attribute}) for parameter attribute is invalid.`);
    }
    return {
      VpcId: vpc.id,
      [attribute[0]?.toUpperCase() + attribute.slice(1)]: { Value: values[attribute] },
    };
  },

  ModifyVpcAttribute: (account, parameters) => {
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    const hostnames = parameters.maybeValue<boolean>("EnableDnsHostnames", "boolean");
    const support = parameters.maybeValue<boolean>("EnableDnsSupport", "boolean");
    const metrics = parameters.maybeValue<boolean>("EnableNetworkAddressUsageMetrics", "boolean");
    parameters.end();
    if ([hostnames, support, metrics].filter((value) => value !== undefined).length !== 1) {
      throw new AwsError("InvalidParameterCombination", "Exactly one attribute must be specified");
    }
    if (hostnames && !vpc.dnsSupport) {
      throw new AwsError(
        "InvalidParameterValue",
        `The attributes enableDnsSupport must be true in order to enable DNS hostnames for ${vpc.id}`,
      );
    }
    vpc.dnsHostnames = hostnames ?? vpc.dnsHostnames;
    vpc.dnsSupport = support ?? vpc.dnsSupport;
    vpc.networkAddressUsageMetrics = metrics ?? vpc.networkAddressUsageMetrics;
    account.save();
    return {};
  },

  AssociateVpcCidrBlock: (account, parameters) => {
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    const wanted = parameters.maybeBoolean("AmazonProvidedIpv6CidrBlock");
    parameters.end();
    if (!wanted) throw notSimulated("more IPv4 networks of a VPC");
    if (vpc.ipv6) {
      throw new AwsError("InvalidParameterValue", `An IPv6 CIDR block is already associated with ${vpc.id}`);
    }
    vpc.ipv6 = newIpv6Block();
    account.save();
    return { VpcId: vpc.id, Ipv6CidrBlockAssociation: showIpv6(vpc.ipv6) };
  },

  DisassociateVpcCidrBlock: (account, parameters) => {
    const associationId = parameters.string("AssociationId");
    parameters.end();
    const vpc = Object.values(account.state.vpcs).find((each) => each.ipv6?.associationId === associationId);
    if (vpc?.ipv6 === undefined) {
      throw new AwsError(
        "InvalidVpcCidrBlockAssociationID.NotFound",
        `The vpc CIDR block with association ID ${associationId} does not exist`,
      );
    }
    if (subnetsOf(account, vpc.id).some((subnet) => subnet.ipv6)) {
      throw new AwsError(
        "CidrBlockInUse",
        `The CIDR block ${vpc.ipv6.cidr} is in use by a subnet of ${vpc.id}`,
      );
    }
    delete vpc.ipv6;
    account.save();
    return { VpcId: vpc.id };
  },

  DeleteVpc: (account, parameters) => {
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    parameters.end();
    const { state } = account;
    const inUse =
      subnetsOf(account, vpc.id).length > 0 ||
      Object.values(state.gateways).some((gateway) => gateway.vpcId === vpc.id) ||
      Object.values(state.groups).some(
        (group) => group.vpcId === vpc.id && group.id !== vpc.defaultGroupId,
      ) ||
      Object.values(state.routeTables).some(
        (table) => table.vpcId === vpc.id && table.id !== vpc.mainRouteTableId,
      );
    if (inUse) throw dependencies("vpc", vpc.id);
    delete state.vpcs[vpc.id];
    delete state.groups[vpc.defaultGroupId];
    delete state.routeTables[vpc.mainRouteTableId];
    account.save();
    return {};
  },
};

/** The default VPC that every account has: 172.31.0.0/16 with a public subnet in each zone. */
export function openDefaultVpc(account: Account): void {
  const vpc = openVpc(account, { cidr: "172.31.0.0/16", tenancy: "default", isDefault: true, tags: {} });
  vpc.dnsHostnames = true;
  const gateway: InternetGateway = { id: newId("igw"), tags: {}, createdAt: account.now(), vpcId: vpc.id };
  account.state.gateways[gateway.id] = gateway;
  const main = account.state.routeTables[vpc.mainRouteTableId];
  main?.routes.push({ destination: "0.0.0.0/0", gatewayId: gateway.id, origin: "CreateRoute" });
  for (const [index, zone] of zonesOf(account.region).entries()) {
    const cidr = `172.31.${index * 16}.0/20`;
    openSubnet(account, { vpcId: vpc.id, cidr, zone, isDefault: true, tags: {} }).mapPublicIp = true;
  }
}

function openVpc(account: Account, given: Pick<Vpc, "cidr" | "tenancy" | "isDefault" | "tags">): Vpc {
  const id = newId("vpc");
  const vpc: Vpc = {
    id,
    ...given,
    createdAt: account.now(),
    dnsHostnames: false,
    dnsSupport: true,
    networkAddressUsageMetrics: false,
    mainRouteTableId: newId("rtb"),
    defaultGroupId: newId("sg"),
    defaultNetworkAclId: newId("acl"),
    dhcpOptionsId: newId("dopt"),
  };
  account.state.vpcs[id] = vpc;
  const table = openRouteTable(account, vpc.mainRouteTableId, vpc, {});
  table.associations[newId("rtbassoc")] = {};
  openGroup(account, {
    id: vpc.defaultGroupId,
    name: "default",
    description: "default VPC security group",
    vpcId: id,
    tags: {},
  });
  return vpc;
}

/** A /56 of the documentation range (RFC 3849), as Amazon would assign one of its own. */
function newIpv6Block(): { associationId: string; cidr: string } {
  const digits = randomBytes(5).toString("hex");
  const cidr = canonicalIpv6(`2001:db8:${digits.slice(0, 4)}:${digits.slice(4, 6)}00::/56`);
  if (cidr === undefined) throw new Error("a made-up IPv6 network is none");
  return { associationId: newId("vpc-cidr-assoc"), cidr };
}

function showVpc(vpc: Vpc) {
  return {
    VpcId: vpc.id,
    OwnerId: accountId,
    CidrBlock: vpc.cidr,
    CidrBlockAssociationSet: [
      {
        AssociationId: vpc.id.replace("vpc-", "vpc-cidr-assoc-"),
        CidrBlock: vpc.cidr,
        CidrBlockState: { State: "associated" },
      },
    ],
    Ipv6CidrBlockAssociationSet: vpc.ipv6 ? [showIpv6(vpc.ipv6)] : [],
    InstanceTenancy: vpc.tenancy,
    IsDefault: vpc.isDefault,
    State: "available",
    DhcpOptionsId: vpc.dhcpOptionsId,
    MainRouteTableId: vpc.mainRouteTableId,
    DefaultSecurityGroupId: vpc.defaultGroupId,
    DefaultNetworkAclId: vpc.defaultNetworkAclId,
    Tags: tagList(vpc.tags),
  };
}
