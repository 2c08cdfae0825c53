import { type Account, type Action, describe, find, saveNetwork, tagList } from "./account.ts";
import { accountId } from "./catalog.ts";
import { canonicalIpv6, parseNetwork } from "./cidr.ts";
import { AwsError, dependencies } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Parameters, Tags } from "./parameters.ts";
import type { Route, RouteTable, Vpc } from "./state.ts";

/** Route tables, their routes, and which subnet has which: EC2's actions of the same names. */
export const routeActions: Readonly<Record<string, Action>> = {
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
};

export function openRouteTable(account: Account, id: string, vpc: Vpc, tags: Tags): RouteTable {
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
