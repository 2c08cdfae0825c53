import { randomBytes } from "node:crypto";
import {
  type Account,
  type Action,
  addressOf,
  describe,
  find,
  isAlive,
  networkOf,
  saveNetwork,
  tagList,
} from "./account.ts";
import { accountId, zoneId, zonesOf } from "./catalog.ts";
import { canonicalIpv6, contains, containsIpv6, overlaps, parseNetwork } from "./cidr.ts";
import { AwsError, dependencies, notSimulated } from "./errors.ts";
import { openGroup } from "./groups.ts";
import { newId } from "./ids.ts";
import type { Parameters, Tags } from "./parameters.ts";
import type { InternetGateway, Route, RouteTable, Subnet, Vpc } from "./state.ts";

/** VPCs, subnets, internet gateways, route tables: EC2's actions of the same names. */
export const networkActions: Readonly<Record<string, Action>> = {
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

  CreateInternetGateway: (account, parameters) => {
    const tags = parameters.tagSpecifications("internet-gateway")["internet-gateway"] ?? {};
    parameters.end();
    const gateway: InternetGateway = { id: newId("igw"), tags, createdAt: account.now() };
    account.state.gateways[gateway.id] = gateway;
    account.save();
    return { InternetGateway: showGateway(gateway) };
  },

  DescribeInternetGateways: (account, parameters) => {
    const ids = parameters.maybeStrings("InternetGatewayIds");
    const gateways = describe(account, "gateways", ids, parameters.filters(), (gateway, name) => {
      if (name === "internet-gateway-id") return [gateway.id];
      if (name === "attachment.vpc-id") return gateway.vpcId ? [gateway.vpcId] : [];
      return undefined;
    });
    parameters.end();
    return { InternetGateways: gateways.map(showGateway) };
  },

  AttachInternetGateway: async (account, parameters) => {
    const gateway = find(account, "gateways", parameters.string("InternetGatewayId"));
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    parameters.end();
    if (gateway.vpcId !== undefined) {
      throw new AwsError(
        "Resource.AlreadyAssociated",
        `resource ${gateway.id} is already attached to network ${gateway.vpcId}`,
      );
    }
    if (Object.values(account.state.gateways).some((each) => each.vpcId === vpc.id)) {
      throw new AwsError(
        "InvalidParameterValue",
        `Network ${vpc.id} already has an internet gateway attached`,
      );
    }
    gateway.vpcId = vpc.id;
    await saveNetwork(account);
    return {};
  },

  DetachInternetGateway: async (account, parameters) => {
    const gateway = find(account, "gateways", parameters.string("InternetGatewayId"));
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    parameters.end();
    if (gateway.vpcId !== vpc.id) {
      throw new AwsError(
        "Gateway.NotAttached",
        `resource ${gateway.id} is not attached to network ${vpc.id}`,
      );
    }
    const { state } = account;
    const mapped = Object.values(state.instances).some(
      (each) => each.vpcId === vpc.id && isAlive(each) && (each.ownPublicIp || addressOf(state, each.id)),
    );
    if (mapped) {
      throw new AwsError(
        "DependencyViolation",
        `Network ${vpc.id} has some mapped public address(es). Please unmap those public address(es) before ` +
          "detaching the gateway.",
      );
    }
    delete gateway.vpcId;
    await saveNetwork(account);
    return {};
  },

  DeleteInternetGateway: (account, parameters) => {
    const gateway = find(account, "gateways", parameters.string("InternetGatewayId"));
    parameters.end();
    if (gateway.vpcId !== undefined) throw dependencies("internetGateway", gateway.id);
    delete account.state.gateways[gateway.id];
    account.save();
    return {};
  },

  CreateRouteTable: (account, parameters) => {
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    const tags = parameters.tagSpecifications("route-table")["route-table"] ?? {};
    parameters.end();
    const table = openRouteTable(account, newId("rtb"), vpc, tags);
    account.save();
    return { RouteTable: showRouteTable(account, table) };
  },

  DescribeRouteTables: (account, parameters) => {
    const ids = parameters.maybeStrings("RouteTableIds");
    const tables = describe(account, "routeTables", ids, parameters.filters(), (table, name) => {
      if (name === "route-table-id") return [table.id];
      if (name === "vpc-id") return [table.vpcId];
      if (name === "association.main") return [String(isMain(account, table))];
      if (name === "association.route-table-association-id") return Object.keys(table.associations);
      if (name === "association.subnet-id") {
        return Object.values(table.associations).flatMap((one) => one.subnetId ?? []);
      }
      return undefined;
    });
    parameters.end();
    return { RouteTables: tables.map((table) => showRouteTable(account, table)) };
  },

  DeleteRouteTable: (account, parameters) => {
    const table = find(account, "routeTables", parameters.string("RouteTableId"));
    parameters.end();
    if (Object.keys(table.associations).length > 0) throw dependencies("routeTable", table.id);
    delete account.state.routeTables[table.id];
    account.save();
    return {};
  },

  CreateRoute: async (account, parameters) => {
    const { table, destination, gatewayId } = routeParameters(account, parameters);
    if (table.routes.some((route) => route.destination === destination)) {
      throw new AwsError("RouteAlreadyExists", `The route identified by ${destination} already exists.`);
    }
    table.routes.push({ destination, gatewayId, origin: "CreateRoute" });
    await saveNetwork(account);
    return { Return: true };
  },

  ReplaceRoute: async (account, parameters) => {
    const { table, destination, gatewayId } = routeParameters(account, parameters);
    const route = table.routes.find((each) => each.destination === destination);
    if (route === undefined || route.origin === "CreateRouteTable") {
      throw new AwsError(
        "InvalidParameterValue",
        `There is no route defined for '${destination}' in the route table. Use CreateRoute instead.`,
      );
    }
    route.gatewayId = gatewayId;
    await saveNetwork(account);
    return {};
  },

  DeleteRoute: async (account, parameters) => {
    const table = find(account, "routeTables", parameters.string("RouteTableId"));
    const { destination, parameter } = destinationOf(parameters);
    parameters.end();
    const route = table.routes.find((each) => each.destination === destination);
    if (route === undefined) {
      throw new AwsError(
        "InvalidRoute.NotFound",
        `no route with ${parameter} ${destination} in route table ${table.id}`,
      );
    }
    if (route.origin === "CreateRouteTable") {
      throw new AwsError(
        "InvalidParameterValue",
        `cannot remove local route ${destination} in route table ${table.id}`,
      );
    }
    table.routes = table.routes.filter((each) => each !== route);
    await saveNetwork(account);
    return {};
  },

  AssociateRouteTable: async (account, parameters) => {
    const table = find(account, "routeTables", parameters.string("RouteTableId"));
    const subnet = find(account, "subnets", parameters.string("SubnetId"));
    parameters.end();
    if (table.vpcId !== subnet.vpcId) {
      throw new AwsError(
        "InvalidParameterValue",
        `Route table ${table.id} and network ${subnet.id} belong to different networks`,
      );
    }
    const current = associationOf(account, subnet.id);
    if (current !== undefined) {
      if (current.table === table) return { AssociationId: current.id };
      throw new AwsError(
        "Resource.AlreadyAssociated",
        `the specified association for route table ${table.id} conflicts with an existing association`,
      );
    }
    const id = newId("rtbassoc");
    table.associations[id] = { subnetId: subnet.id };
    await saveNetwork(account);
    return { AssociationId: id, AssociationState: { State: "associated" } };
  },

  ReplaceRouteTableAssociation: async (account, parameters) => {
    const associationId = parameters.string("AssociationId");
    const table = find(account, "routeTables", parameters.string("RouteTableId"));
    parameters.end();
    const from = tableOfAssociation(account, associationId);
    const association = from.associations[associationId];
    delete from.associations[associationId];
    const id = newId("rtbassoc");
    table.associations[id] = { ...association };
    await saveNetwork(account);
    return { NewAssociationId: id, AssociationState: { State: "associated" } };
  },

  DisassociateRouteTable: async (account, parameters) => {
    const associationId = parameters.string("AssociationId");
    parameters.end();
    const table = tableOfAssociation(account, associationId);
    if (table.associations[associationId]?.subnetId === undefined) {
      throw new AwsError(
        "InvalidParameterValue",
        `cannot disassociate the main route table association ${associationId}`,
      );
    }
    delete table.associations[associationId];
    await saveNetwork(account);
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

function openSubnet(
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

function openRouteTable(account: Account, id: string, vpc: Vpc, tags: Tags): RouteTable {
  const local: Route = { destination: vpc.cidr, gatewayId: "local", origin: "CreateRouteTable" };
  const table: RouteTable = {
    id,
    vpcId: vpc.id,
    tags,
    createdAt: account.now(),
    routes: [local],
    associations: {},
  };
  account.state.routeTables[id] = table;
  return table;
}

/** A /56 of the documentation range (RFC 3849), as Amazon would assign one of its own. */
function newIpv6Block(): { associationId: string; cidr: string } {
  const digits = randomBytes(5).toString("hex");
  const cidr = canonicalIpv6(`2001:db8:${digits.slice(0, 4)}:${digits.slice(4, 6)}00::/56`);
  if (cidr === undefined) throw new Error("a made-up IPv6 network is none");
  return { associationId: newId("vpc-cidr-assoc"), cidr };
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

function subnetsOf(account: Account, vpcId: string): Subnet[] {
  return Object.values(account.state.subnets).filter((subnet) => subnet.vpcId === vpcId);
}

function instancesIn(account: Account, subnetId: string) {
  return Object.values(account.state.instances).filter(
    (instance) => instance.subnetId === subnetId && instance.state !== "terminated",
  );
}

function isMain(account: Account, table: RouteTable): boolean {
  return account.state.vpcs[table.vpcId]?.mainRouteTableId === table.id;
}

function associationOf(account: Account, subnetId: string): { id: string; table: RouteTable } | undefined {
  for (const table of Object.values(account.state.routeTables)) {
    for (const [id, association] of Object.entries(table.associations)) {
      if (association.subnetId === subnetId) return { id, table };
    }
  }
  return undefined;
}

function tableOfAssociation(account: Account, associationId: string): RouteTable {
  const table = Object.values(account.state.routeTables).find((each) => associationId in each.associations);
  if (table === undefined) {
    throw new AwsError(
      "InvalidAssociationID.NotFound",
      `The association ID '${associationId}' does not exist`,
    );
  }
  return table;
}

function destinationOf(parameters: Parameters): { destination: string; parameter: string } {
  const ipv4 = parameters.maybeString("DestinationCidrBlock");
  const ipv6 = parameters.maybeString("DestinationIpv6CidrBlock");
  if ((ipv4 === undefined) === (ipv6 === undefined)) {
    throw new AwsError("InvalidParameterCombination", "Exactly one destination CIDR block must be specified");
  }
  const destination = ipv4 === undefined ? canonicalIpv6(ipv6 ?? "") : parseNetwork(ipv4)?.text;
  if (destination === undefined) {
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${ipv4 ?? ipv6}) for parameter ${ipv4 === undefined ? "destinationIpv6CidrBlock" : "destinationCidrBlock"} ` +
        "is invalid. This is not a valid CIDR block.",
    );
  }
  return {
    destination,
    parameter: ipv4 === undefined ? "destination-ipv6-cidr-block" : "destination-cidr-block",
  };
}

function routeParameters(account: Account, parameters: Parameters) {
  const table = find(account, "routeTables", parameters.string("RouteTableId"));
  const { destination } = destinationOf(parameters);
  const gatewayId = parameters.string("GatewayId");
  parameters.end();
  const gateway = account.state.gateways[gatewayId];
  if (gateway === undefined) {
    throw new AwsError("InvalidGatewayID.NotFound", `The gateway ID '${gatewayId}' does not exist`);
  }
  if (gateway.vpcId !== table.vpcId) {
    throw new AwsError(
      "InvalidParameterValue",
      `route table ${table.id} and network gateway ${gatewayId} belong to different networks`,
    );
  }
  return { table, destination, gatewayId };
}

function showIpv6(block: { associationId: string; cidr: string }) {
  return {
    AssociationId: block.associationId,
    Ipv6CidrBlock: block.cidr,
    Ipv6CidrBlockState: { State: "associated" },
  };
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

function showGateway(gateway: InternetGateway) {
  return {
    InternetGatewayId: gateway.id,
    OwnerId: accountId,
    Attachments: gateway.vpcId === undefined ? [] : [{ VpcId: gateway.vpcId, State: "available" }],
    Tags: tagList(gateway.tags),
  };
}

function showRouteTable(account: Account, table: RouteTable) {
  return {
    RouteTableId: table.id,
    OwnerId: accountId,
    VpcId: table.vpcId,
    Routes: table.routes.map((route) => ({
      [route.destination.includes(":") ? "DestinationIpv6CidrBlock" : "DestinationCidrBlock"]:
        route.destination,
      GatewayId: route.gatewayId,
      Origin: route.origin,
      State: isActive(account, table, route) ? "active" : "blackhole",
    })),
    Associations: Object.entries(table.associations).map(([id, association]) => ({
      RouteTableAssociationId: id,
      RouteTableId: table.id,
      SubnetId: association.subnetId,
      Main: association.subnetId === undefined,
      AssociationState: { State: "associated" },
    })),
    Tags: tagList(table.tags),
  };
}

function isActive(account: Account, table: RouteTable, route: Route): boolean {
  return route.gatewayId === "local" || account.state.gateways[route.gatewayId]?.vpcId === table.vpcId;
}
