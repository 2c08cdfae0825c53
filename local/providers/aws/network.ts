/** VPC, subnet, internet gateway, route tables. What replaces, replaces as in terraform-provider-aws. */
import type { Failure, Properties } from "../framework.ts";
import { type Ec2, hasCode, whenFree } from "./client.ts";
import { checkIpv4Network, checkIpv6Network, networkMistake } from "./networks.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs, given } from "./resource.ts";

interface VpcInputs extends CommonInputs {
  readonly cidrBlock: string;
  readonly enableDnsHostnames?: boolean;
  readonly enableDnsSupport?: boolean;
  readonly enableNetworkAddressUsageMetrics?: boolean;
  readonly assignGeneratedIpv6CidrBlock?: boolean;
  readonly instanceTenancy?: string;
}

export interface ApiIpv6Block {
  readonly AssociationId: string;
  readonly Ipv6CidrBlock: string;
}

export interface ApiVpc {
  readonly VpcId: string;
  readonly CidrBlock: string;
  readonly Ipv6CidrBlockAssociationSet: readonly ApiIpv6Block[];
  readonly CidrBlockAssociationSet: readonly {
    readonly AssociationId: string;
    readonly CidrBlock: string;
    readonly CidrBlockState: { readonly State: string };
  }[];
  readonly InstanceTenancy: string;
  readonly IsDefault: boolean;
  readonly State: string;
  readonly DhcpOptionsId: string;
  readonly MainRouteTableId: string;
  readonly DefaultSecurityGroupId: string;
  readonly DefaultNetworkAclId: string;
  readonly Tags: readonly ApiTag[];
}

export async function vpcAttribute(ec2: Ec2, id: string, attribute: string): Promise<boolean> {
  const name = `${attribute[0]?.toUpperCase()}${attribute.slice(1)}`;
  const answer = await ec2.call<Record<string, { Value: boolean }>>("DescribeVpcAttribute", {
    VpcId: id,
    Attribute: attribute,
  });
  return answer[name]?.Value ?? false;
}

async function setVpcAttributes(
  ec2: Ec2,
  id: string,
  wanted: Record<string, boolean | undefined>,
): Promise<void> {
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) await ec2.call("ModifyVpcAttribute", { VpcId: id, [name]: { Value: value } });
  }
}

export const vpc = awsResource<VpcInputs>({
  inputs: {
    cidrBlock: { type: "string", required: true, replaceOnChange: true },
    enableDnsHostnames: { type: "boolean", computed: true },
    enableDnsSupport: { type: "boolean", default: true },
    enableNetworkAddressUsageMetrics: { type: "boolean", computed: true },
    assignGeneratedIpv6CidrBlock: { type: "boolean" },
    instanceTenancy: {
      type: "string",
      default: "default",
      oneOf: ["default", "dedicated"],
      replaceOnChange: true,
    },
  },
  outputs: {
    arn: {},
    defaultNetworkAclId: {},
    defaultRouteTableId: {},
    defaultSecurityGroupId: {},
    dhcpOptionsId: {},
    ipv6AssociationId: { changesWith: ["assignGeneratedIpv6CidrBlock"] },
    ipv6CidrBlock: { changesWith: ["assignGeneratedIpv6CidrBlock"] },
    mainRouteTableId: {},
    ownerId: {},
  },
  unsimulated: [
    "ipv4IpamPoolId",
    "ipv4NetmaskLength",
    "ipv6CidrBlock",
    "ipv6CidrBlockNetworkBorderGroup",
    "ipv6IpamPoolId",
    "ipv6NetmaskLength",
  ],
  taggedAs: "vpc",
  check: (inputs) => checkIpv4Network(inputs, "cidrBlock"),
  create: async (ec2, inputs, tags) => {
    const answer = await ec2.call<{ Vpc: ApiVpc }>("CreateVpc", {
      CidrBlock: inputs.cidrBlock,
      AmazonProvidedIpv6CidrBlock: inputs.assignGeneratedIpv6CidrBlock ?? false,
      InstanceTenancy: inputs.instanceTenancy,
      ...tags,
    });
    return answer.Vpc.VpcId;
  },
  complete: (ec2, id, inputs) =>
    setVpcAttributes(ec2, id, {
      EnableDnsSupport: inputs.enableDnsSupport === false ? false : undefined,
      EnableDnsHostnames: inputs.enableDnsHostnames || undefined,
      EnableNetworkAddressUsageMetrics: inputs.enableNetworkAddressUsageMetrics || undefined,
    }),
  read: async (ec2, id) => {
    const answer = await ec2.maybe<{ Vpcs: ApiVpc[] }>("DescribeVpcs", { VpcIds: [id] });
    const found = answer?.Vpcs[0];
    if (found === undefined) return undefined;
    const [block] = found.Ipv6CidrBlockAssociationSet;
    return {
      outputs: {
        arn: arn(ec2, `vpc/${id}`, accountId),
        cidrBlock: found.CidrBlock,
        instanceTenancy: found.InstanceTenancy,
        enableDnsHostnames: await vpcAttribute(ec2, id, "enableDnsHostnames"),
        enableDnsSupport: await vpcAttribute(ec2, id, "enableDnsSupport"),
        enableNetworkAddressUsageMetrics: await vpcAttribute(ec2, id, "enableNetworkAddressUsageMetrics"),
        assignGeneratedIpv6CidrBlock: block !== undefined,
        ipv6AssociationId: block?.AssociationId ?? "",
        ipv6CidrBlock: block?.Ipv6CidrBlock ?? "",
        dhcpOptionsId: found.DhcpOptionsId,
        mainRouteTableId: found.MainRouteTableId,
        defaultRouteTableId: found.MainRouteTableId,
        defaultSecurityGroupId: found.DefaultSecurityGroupId,
        defaultNetworkAclId: found.DefaultNetworkAclId,
        ownerId: accountId,
      },
      tags: found.Tags,
    };
  },
  update: async (ec2, { id, inputs, state, changed }) => {
    await setVpcAttributes(ec2, id, {
      // Host names need name resolution: it goes on first and off last.
      EnableDnsSupport: changed("enableDnsSupport") && inputs.enableDnsSupport ? true : undefined,
      EnableDnsHostnames: changed("enableDnsHostnames") ? (inputs.enableDnsHostnames ?? false) : undefined,
    });
    await setVpcAttributes(ec2, id, {
      EnableDnsSupport: changed("enableDnsSupport") && inputs.enableDnsSupport === false ? false : undefined,
      EnableNetworkAddressUsageMetrics: changed("enableNetworkAddressUsageMetrics")
        ? (inputs.enableNetworkAddressUsageMetrics ?? false)
        : undefined,
    });
    if (!changed("assignGeneratedIpv6CidrBlock")) return;
    if (inputs.assignGeneratedIpv6CidrBlock && !state.ipv6AssociationId) {
      await ec2.call("AssociateVpcCidrBlock", { VpcId: id, AmazonProvidedIpv6CidrBlock: true });
    }
    if (!inputs.assignGeneratedIpv6CidrBlock && state.ipv6AssociationId) {
      await ec2.call("DisassociateVpcCidrBlock", { AssociationId: state.ipv6AssociationId });
    }
  },
  delete: async (ec2, id) => {
    await ec2.call("DeleteVpc", { VpcId: id });
  },
});

interface SubnetInputs extends CommonInputs {
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly availabilityZone?: string;
  readonly ipv6CidrBlock?: string;
  readonly mapPublicIpOnLaunch?: boolean;
  readonly assignIpv6AddressOnCreation?: boolean;
}

export interface ApiSubnet {
  readonly SubnetId: string;
  readonly VpcId: string;
  readonly CidrBlock: string;
  readonly AvailabilityZone: string;
  readonly AvailabilityZoneId: string;
  readonly AvailableIpAddressCount: number;
  readonly DefaultForAz: boolean;
  readonly MapPublicIpOnLaunch: boolean;
  readonly AssignIpv6AddressOnCreation: boolean;
  readonly State: string;
  readonly Ipv6CidrBlockAssociationSet: readonly ApiIpv6Block[];
  readonly Tags: readonly ApiTag[];
}

export const subnet = awsResource<SubnetInputs>({
  inputs: {
    vpcId: { type: "string", required: true, replaceOnChange: true },
    cidrBlock: { type: "string", required: true, replaceOnChange: true },
    availabilityZone: { type: "string", computed: true, replaceOnChange: true },
    ipv6CidrBlock: { type: "string" },
    mapPublicIpOnLaunch: { type: "boolean", default: false },
    assignIpv6AddressOnCreation: { type: "boolean", default: false },
  },
  outputs: {
    arn: {},
    availabilityZoneId: {},
    ipv6CidrBlockAssociationId: { changesWith: ["ipv6CidrBlock"] },
    ownerId: {},
    privateDnsHostnameTypeOnLaunch: {},
    enableDns64: {},
    enableLniAtDeviceIndex: {},
    enableResourceNameDnsARecordOnLaunch: {},
    enableResourceNameDnsAaaaRecordOnLaunch: {},
    ipv6Native: {},
    outpostArn: {},
    customerOwnedIpv4Pool: {},
    mapCustomerOwnedIpOnLaunch: {},
  },
  unsimulated: [
    "availabilityZoneId",
    "customerOwnedIpv4Pool",
    "enableDns64",
    "enableLniAtDeviceIndex",
    "enableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch",
    "ipv4IpamPoolId",
    "ipv4NetmaskLength",
    "ipv6IpamPoolId",
    "ipv6Native",
    "ipv6NetmaskLength",
    "mapCustomerOwnedIpOnLaunch",
    "outpostArn",
    "privateDnsHostnameTypeOnLaunch",
  ],
  taggedAs: "subnet",
  check: (inputs) => [...checkIpv4Network(inputs, "cidrBlock"), ...checkIpv6Network(inputs, "ipv6CidrBlock")],
  create: async (ec2, inputs, tags) => {
    const parameters = given({
      VpcId: inputs.vpcId,
      CidrBlock: inputs.cidrBlock,
      AvailabilityZone: inputs.availabilityZone,
      Ipv6CidrBlock: inputs.ipv6CidrBlock || undefined,
    });
    const answer = await ec2.call<{ Subnet: ApiSubnet }>("CreateSubnet", { ...parameters, ...tags });
    return answer.Subnet.SubnetId;
  },
  complete: async (ec2, id, inputs) => {
    if (inputs.mapPublicIpOnLaunch) {
      await ec2.call("ModifySubnetAttribute", { SubnetId: id, MapPublicIpOnLaunch: { Value: true } });
    }
    if (inputs.assignIpv6AddressOnCreation) {
      await ec2.call("ModifySubnetAttribute", { SubnetId: id, AssignIpv6AddressOnCreation: { Value: true } });
    }
  },
  read: async (ec2, id) => {
    const answer = await ec2.maybe<{ Subnets: ApiSubnet[] }>("DescribeSubnets", { SubnetIds: [id] });
    const found = answer?.Subnets[0];
    if (found === undefined) return undefined;
    const [block] = found.Ipv6CidrBlockAssociationSet;
    return {
      outputs: {
        arn: arn(ec2, `subnet/${id}`, accountId),
        vpcId: found.VpcId,
        cidrBlock: found.CidrBlock,
        availabilityZone: found.AvailabilityZone,
        availabilityZoneId: found.AvailabilityZoneId,
        ipv6CidrBlock: block?.Ipv6CidrBlock ?? "",
        ipv6CidrBlockAssociationId: block?.AssociationId ?? "",
        mapPublicIpOnLaunch: found.MapPublicIpOnLaunch,
        assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation,
        ownerId: accountId,
        privateDnsHostnameTypeOnLaunch: "ip-name",
        enableDns64: false,
        enableLniAtDeviceIndex: 0,
        enableResourceNameDnsARecordOnLaunch: false,
        enableResourceNameDnsAaaaRecordOnLaunch: false,
        ipv6Native: false,
        outpostArn: "",
        customerOwnedIpv4Pool: "",
        mapCustomerOwnedIpOnLaunch: false,
      },
      tags: found.Tags,
    };
  },
  update: async (ec2, { id, inputs, state, changed }) => {
    const modify = (attribute: string, value: boolean) =>
      ec2.call("ModifySubnetAttribute", { SubnetId: id, [attribute]: { Value: value } });
    if (changed("mapPublicIpOnLaunch"))
      await modify("MapPublicIpOnLaunch", inputs.mapPublicIpOnLaunch ?? false);
    if (changed("assignIpv6AddressOnCreation") && !inputs.assignIpv6AddressOnCreation) {
      await modify("AssignIpv6AddressOnCreation", false);
    }
    if (changed("ipv6CidrBlock")) {
      if (state.ipv6CidrBlockAssociationId) {
        await ec2.call("DisassociateSubnetCidrBlock", { AssociationId: state.ipv6CidrBlockAssociationId });
      }
      if (inputs.ipv6CidrBlock) {
        await ec2.call("AssociateSubnetCidrBlock", { SubnetId: id, Ipv6CidrBlock: inputs.ipv6CidrBlock });
      }
    }
    if (changed("assignIpv6AddressOnCreation") && inputs.assignIpv6AddressOnCreation) {
      await modify("AssignIpv6AddressOnCreation", true);
    }
  },
  delete: (ec2, id) => whenFree("subnet", () => ec2.call("DeleteSubnet", { SubnetId: id })),
});

interface GatewayInputs extends CommonInputs {
  readonly vpcId?: string;
}

interface ApiGateway {
  readonly InternetGatewayId: string;
  readonly Attachments: readonly { readonly VpcId: string }[];
  readonly Tags: readonly ApiTag[];
}

export const internetGateway = awsResource<GatewayInputs>({
  inputs: { vpcId: { type: "string" } },
  outputs: { arn: {}, ownerId: {} },
  taggedAs: "internet-gateway",
  create: async (ec2, _inputs, tags) => {
    const answer = await ec2.call<{ InternetGateway: ApiGateway }>("CreateInternetGateway", tags);
    return answer.InternetGateway.InternetGatewayId;
  },
  complete: async (ec2, id, inputs) => {
    if (inputs.vpcId) await ec2.call("AttachInternetGateway", { InternetGatewayId: id, VpcId: inputs.vpcId });
  },
  read: async (ec2, id) => {
    const answer = await ec2.maybe<{ InternetGateways: ApiGateway[] }>("DescribeInternetGateways", {
      InternetGatewayIds: [id],
    });
    const found = answer?.InternetGateways[0];
    return (
      found && {
        outputs: {
          arn: arn(ec2, `internet-gateway/${id}`, accountId),
          vpcId: found.Attachments[0]?.VpcId ?? "",
          ownerId: accountId,
        },
        tags: found.Tags,
      }
    );
  },
  update: async (ec2, { id, inputs, state, changed }) => {
    if (!changed("vpcId")) return;
    if (state.vpcId) await detach(ec2, id, String(state.vpcId));
    if (inputs.vpcId) await ec2.call("AttachInternetGateway", { InternetGatewayId: id, VpcId: inputs.vpcId });
  },
  delete: async (ec2, id, state) => {
    if (state.vpcId) await detach(ec2, id, String(state.vpcId));
    await ec2.call("DeleteInternetGateway", { InternetGatewayId: id });
  },
});

function detach(ec2: Ec2, id: string, vpcId: string): Promise<void> {
  return whenFree("internet gateway", async () => {
    try {
      await ec2.call("DetachInternetGateway", { InternetGatewayId: id, VpcId: vpcId });
    } catch (error) {
      if (!hasCode(error, "Gateway.NotAttached")) throw error;
    }
  });
}

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
