/** Route tables, routes, and which subnet has which. What replaces, replaces as in terraform-provider-aws (`internal/service/ec2`). */
import type { Failure, Properties } from "../framework.ts";
import type { Ec2 } from "./client.ts";
import { checkIpv4Network, checkIpv6Network, networkMistake } from "./networks.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs } from "./resource.ts";

interface InlineRoute {
  readonly cidrBlock?: string;
  readonly ipv6CidrBlock?: string;
  readonly gatewayId?: string;
}

interface RouteTableInputs extends CommonInputs {
  readonly vpcId: string;
  readonly routes?: readonly InlineRoute[];
}

interface ApiRoute {
  readonly DestinationCidrBlock?: string;
  readonly DestinationIpv6CidrBlock?: string;
  readonly GatewayId: string;
  readonly Origin: string;
  readonly State: string;
}

interface ApiRouteTable {
  readonly RouteTableId: string;
  readonly VpcId: string;
  readonly Routes: readonly ApiRoute[];
  readonly Associations: readonly {
    readonly RouteTableAssociationId: string;
    readonly RouteTableId: string;
    readonly SubnetId?: string;
    readonly Main: boolean;
  }[];
  readonly Tags: readonly ApiTag[];
}

async function describeTable(ec2: Ec2, id: string): Promise<ApiRouteTable | undefined> {
  const answer = await ec2.maybe<{ RouteTables: ApiRouteTable[] }>("DescribeRouteTables", {
    RouteTableIds: [id],
  });
  return answer?.RouteTables[0];
}

/** Targets of a route that are no internet gateway. */
const otherTargets = [
  "carrierGatewayId",
  "coreNetworkArn",
  "destinationPrefixListId",
  "egressOnlyGatewayId",
  "localGatewayId",
  "natGatewayId",
  "networkInterfaceId",
  "odbNetworkArn",
  "transitGatewayId",
  "vpcEndpointId",
  "vpcPeeringConnectionId",
];

const destination = (route: InlineRoute) => route.cidrBlock || route.ipv6CidrBlock || "";

function destinationParameter(network: string): object {
  return { [network.includes(":") ? "DestinationIpv6CidrBlock" : "DestinationCidrBlock"]: network };
}

function checkRoutes(inputs: Properties): Failure[] {
  const { routes } = inputs;
  if (!Array.isArray(routes)) return [];
  return routes.flatMap((route: Properties, index) => {
    if (typeof route !== "object" || route === null) return [];
    const property = `routes[${index}]`;
    const failures: Failure[] = [];
    for (const target of otherTargets) {
      if (route[target])
        failures.push({
          property: `${property}.${target}`,
          reason: `the local cloud does not simulate ${target} of a route: use gatewayId`,
        });
    }
    const { cidrBlock, ipv6CidrBlock } = route;
    if (!cidrBlock && !ipv6CidrBlock) {
      failures.push({
        property,
        reason: "one of `cidr_block`, `ipv6_cidr_block` or `destination_prefix_list_id` must be specified",
      });
    }
    for (const [value, family] of [
      [cidrBlock, "ipv4"],
      [ipv6CidrBlock, "ipv6"],
    ] as const) {
      const mistake = typeof value === "string" && value !== "" ? networkMistake(value, family) : undefined;
      if (mistake !== undefined) failures.push({ property, reason: mistake });
    }
    return failures;
  });
}

export const routeTable = awsResource<RouteTableInputs>({
  inputs: {
    vpcId: { type: "string", required: true, replaceOnChange: true },
    routes: {
      type: "list",
      set: true,
      computed: true,
      items: {
        type: "object",
        properties: {
          cidrBlock: { type: "string" },
          ipv6CidrBlock: { type: "string" },
          gatewayId: { type: "string" },
          ...Object.fromEntries(otherTargets.map((name) => [name, { type: "string" }] as const)),
        },
      },
    },
  },
  outputs: { arn: {}, ownerId: {} },
  unsimulated: ["propagatingVgws"],
  taggedAs: "route-table",
  check: checkRoutes,
  create: async (ec2, inputs, tags) => {
    const answer = await ec2.call<{ RouteTable: ApiRouteTable }>("CreateRouteTable", {
      VpcId: inputs.vpcId,
      ...tags,
    });
    return answer.RouteTable.RouteTableId;
  },
  complete: async (ec2, id, inputs) => {
    for (const route of inputs.routes ?? []) {
      const target = { RouteTableId: id, GatewayId: route.gatewayId };
      await ec2.call("CreateRoute", { ...target, ...destinationParameter(destination(route)) });
    }
  },
  read: async (ec2, id, { inputs }) => {
    const found = await describeTable(ec2, id);
    if (found === undefined) return undefined;
    const routes: InlineRoute[] = found.Routes.filter((route) => route.Origin === "CreateRoute").map(
      (route) => ({
        ...(route.DestinationCidrBlock ? { cidrBlock: route.DestinationCidrBlock } : {}),
        ...(route.DestinationIpv6CidrBlock ? { ipv6CidrBlock: route.DestinationIpv6CidrBlock } : {}),
        gatewayId: route.GatewayId,
      }),
    );
    // In the order of the program, so that a refresh shows only what differs.
    const order = (Array.isArray(inputs.routes) ? (inputs.routes as InlineRoute[]) : []).map(destination);
    const place = (route: InlineRoute) =>
      (order.indexOf(destination(route)) + order.length + 1) % (order.length + 1);
    return {
      outputs: {
        arn: arn(ec2, `route-table/${id}`, accountId),
        vpcId: found.VpcId,
        routes: routes.toSorted((one, other) => place(one) - place(other)) as unknown as Properties[],
        ownerId: accountId,
        propagatingVgws: [],
      },
      tags: found.Tags,
    };
  },
  update: async (ec2, { id, inputs, changed }) => {
    if (!changed("routes") || inputs.routes === undefined) return;
    const found =
      (await describeTable(ec2, id))?.Routes.filter((route) => route.Origin === "CreateRoute") ?? [];
    const has = new Map(
      found.map((route) => [
        route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? "",
        route.GatewayId,
      ]),
    );
    const wanted = new Map(inputs.routes.map((route) => [destination(route), route.gatewayId]));
    for (const network of has.keys()) {
      if (!wanted.has(network))
        await ec2.call("DeleteRoute", { RouteTableId: id, ...destinationParameter(network) });
    }
    for (const [network, gatewayId] of wanted) {
      if (has.get(network) === gatewayId) continue;
      const action = has.has(network) ? "ReplaceRoute" : "CreateRoute";
      await ec2.call(action, { RouteTableId: id, GatewayId: gatewayId, ...destinationParameter(network) });
    }
  },
  delete: async (ec2, id) => {
    for (const association of (await describeTable(ec2, id))?.Associations ?? []) {
      await ec2.call("DisassociateRouteTable", { AssociationId: association.RouteTableAssociationId });
    }
    await ec2.call("DeleteRouteTable", { RouteTableId: id });
  },
});

interface RouteInputs extends CommonInputs {
  readonly routeTableId: string;
  readonly destinationCidrBlock?: string;
  readonly destinationIpv6CidrBlock?: string;
  readonly gatewayId?: string;
}

const routeId = (tableId: string, network: string) => `r-${tableId}_${network}`;

export const route = awsResource<RouteInputs>({
  inputs: {
    routeTableId: { type: "string", required: true, replaceOnChange: true },
    destinationCidrBlock: {
      type: "string",
      replaceOnChange: true,
      conflictsWith: ["destinationIpv6CidrBlock"],
    },
    destinationIpv6CidrBlock: { type: "string", replaceOnChange: true },
    gatewayId: { type: "string" },
  },
  outputs: { instanceId: {}, instanceOwnerId: {}, origin: {}, state: { changesWith: "*" } },
  unsimulated: otherTargets,
  check: (inputs) => [
    ...checkIpv4Network(inputs, "destinationCidrBlock"),
    ...checkIpv6Network(inputs, "destinationIpv6CidrBlock"),
    ...(inputs.destinationCidrBlock || inputs.destinationIpv6CidrBlock
      ? []
      : [
          {
            property: "",
            reason: "one of destination_cidr_block, destination_ipv6_cidr_block must be specified",
          },
        ]),
    ...(inputs.gatewayId
      ? []
      : [{ property: "", reason: "one of `gateway_id` and other targets must be specified" }]),
  ],
  create: async (ec2, inputs) => {
    const network = inputs.destinationCidrBlock ?? inputs.destinationIpv6CidrBlock ?? "";
    const target = { RouteTableId: inputs.routeTableId, GatewayId: inputs.gatewayId };
    await ec2.call("CreateRoute", { ...target, ...destinationParameter(network) });
    return routeId(inputs.routeTableId, network);
  },
  importId: async (_ec2, text) => (text.startsWith("r-") ? text : `r-${text}`),
  read: async (ec2, id) => {
    const [tableId = "", network = ""] = id.replace(/^r-/, "").split("_");
    const found = (await describeTable(ec2, tableId))?.Routes.find(
      (each) => each.DestinationCidrBlock === network || each.DestinationIpv6CidrBlock === network,
    );
    return (
      found && {
        outputs: {
          routeTableId: tableId,
          ...(found.DestinationCidrBlock
            ? { destinationCidrBlock: network }
            : { destinationIpv6CidrBlock: network }),
          gatewayId: found.GatewayId,
          instanceId: "",
          instanceOwnerId: "",
          origin: found.Origin,
          state: found.State,
        },
      }
    );
  },
  update: async (ec2, { inputs, changed }) => {
    if (!changed("gatewayId")) return;
    const network = inputs.destinationCidrBlock ?? inputs.destinationIpv6CidrBlock ?? "";
    const target = { RouteTableId: inputs.routeTableId, GatewayId: inputs.gatewayId };
    await ec2.call("ReplaceRoute", { ...target, ...destinationParameter(network) });
  },
  delete: async (ec2, id) => {
    const [tableId = "", network = ""] = id.replace(/^r-/, "").split("_");
    await ec2.call("DeleteRoute", { RouteTableId: tableId, ...destinationParameter(network) });
  },
});

interface AssociationInputs extends CommonInputs {
  readonly routeTableId: string;
  readonly subnetId?: string;
}

async function findAssociation(ec2: Ec2, name: string, value: string) {
  const answer = await ec2.call<{ RouteTables: ApiRouteTable[] }>("DescribeRouteTables", {
    Filters: [{ Name: name, Values: [value] }],
  });
  return answer.RouteTables.flatMap((table) => table.Associations).find((each) =>
    name === "association.subnet-id" ? each.SubnetId === value : each.RouteTableAssociationId === value,
  );
}

export const routeTableAssociation = awsResource<AssociationInputs>({
  inputs: {
    routeTableId: { type: "string", required: true },
    subnetId: { type: "string", required: true, replaceOnChange: true },
  },
  outputs: {},
  unsimulated: ["gatewayId"],
  create: async (ec2, inputs) => {
    const answer = await ec2.call<{ AssociationId: string }>("AssociateRouteTable", {
      RouteTableId: inputs.routeTableId,
      SubnetId: inputs.subnetId,
    });
    return answer.AssociationId;
  },
  /** `subnet-…/rtb-…`, as the official provider imports it. */
  importId: async (ec2, text) => {
    if (!text.includes("/")) return text;
    const [subnetId = ""] = text.split("/");
    return (await findAssociation(ec2, "association.subnet-id", subnetId))?.RouteTableAssociationId;
  },
  read: async (ec2, id, { state }) => {
    // A route table that is replaced gives the subnet's association a new id.
    const found =
      (await findAssociation(ec2, "association.route-table-association-id", id)) ??
      (typeof state.subnetId === "string"
        ? await findAssociation(ec2, "association.subnet-id", state.subnetId)
        : undefined);
    return (
      found && {
        id: found.RouteTableAssociationId,
        outputs: { routeTableId: found.RouteTableId, subnetId: found.SubnetId ?? "" },
      }
    );
  },
  update: async (ec2, { id, inputs, changed }) => {
    if (changed("routeTableId")) {
      await ec2.call("ReplaceRouteTableAssociation", {
        AssociationId: id,
        RouteTableId: inputs.routeTableId,
      });
    }
  },
  delete: async (ec2, id, state) => {
    const found =
      (await findAssociation(ec2, "association.route-table-association-id", id)) ??
      (await findAssociation(ec2, "association.subnet-id", String(state.subnetId)));
    if (found) await ec2.call("DisassociateRouteTable", { AssociationId: found.RouteTableAssociationId });
  },
});
