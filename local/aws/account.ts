import type { FirewallRule, World } from "../types.ts";
import { canonicalIpv6, formatAddress, type Network, parseNetwork } from "./cidr.ts";
import { AwsError } from "./errors.ts";
import type { Filter, Parameters, Tags } from "./parameters.ts";
import type { Address, Held, Instance, State, Subnet } from "./state.ts";

/** What the actions of all services share: the state, the world, and the work that goes on after an answer. */
export interface Account {
  readonly state: State;
  readonly world: World;
  /** Region of the call. */
  readonly region: string;
  /** Region whose SMTP interface of SES is in the world. */
  readonly endpointRegion: string;
  save(): void;
  /** Milliseconds since 1970. */
  now(): number;
  /** Does work on the world; what has the same key is done one after the other. */
  inOrder<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Lets work go on after the answer, as EC2 does; the daemon waits for it when it ends. */
  afterwards(work: Promise<void>): void;
  /** Drops the remembered answers that name one of these ids. */
  forgetTokens(ids: readonly string[]): void;
  /** Waits this many milliseconds. */
  pause(milliseconds: number): Promise<void>;
  /** Milliseconds between two lookups of a name that must resolve. */
  readonly retryAfter: number;
  /** What the world was last told, so that it is told only what changed. */
  readonly told: {
    readonly firewalls: Map<string, string>;
    readonly mapped: Map<string, string | undefined>;
    ses?: string;
  };
}

/** One action of the API: what it answers, in the shape of the AWS SDK for JavaScript. */
export type Action = (account: Account, parameters: Parameters) => unknown;

type Kind =
  | "vpcs"
  | "subnets"
  | "gateways"
  | "routeTables"
  | "groups"
  | "instances"
  | "volumes"
  | "addresses";

/** Prefix of the ids, the code when there is none, the one when it is no id, and the words. */
const kinds: Readonly<Record<Kind, { prefix: string; missing: string; malformed: string; words: string }>> = {
  vpcs: {
    prefix: "vpc",
    missing: "InvalidVpcID.NotFound",
    malformed: "InvalidVpcID.NotFound",
    words: "vpc ID",
  },
  subnets: {
    prefix: "subnet",
    missing: "InvalidSubnetID.NotFound",
    malformed: "InvalidSubnetID.NotFound",
    words: "subnet ID",
  },
  gateways: {
    prefix: "igw",
    missing: "InvalidInternetGatewayID.NotFound",
    malformed: "InvalidInternetGatewayID.NotFound",
    words: "internetGateway ID",
  },
  routeTables: {
    prefix: "rtb",
    missing: "InvalidRouteTableID.NotFound",
    malformed: "InvalidRouteTableId.Malformed",
    words: "routeTable ID",
  },
  groups: {
    prefix: "sg",
    missing: "InvalidGroup.NotFound",
    malformed: "InvalidGroupId.Malformed",
    words: "security group",
  },
  instances: {
    prefix: "i",
    missing: "InvalidInstanceID.NotFound",
    malformed: "InvalidInstanceID.Malformed",
    words: "instance ID",
  },
  volumes: {
    prefix: "vol",
    missing: "InvalidVolume.NotFound",
    malformed: "InvalidVolumeID.Malformed",
    words: "volume",
  },
  addresses: {
    prefix: "eipalloc",
    missing: "InvalidAllocationID.NotFound",
    malformed: "InvalidAllocationID.NotFound",
    words: "allocation ID",
  },
};

/** The kind of object that an id's prefix stands for. */
export function kindOf(id: string): Kind | undefined {
  const prefix = id.slice(0, id.lastIndexOf("-"));
  return (Object.keys(kinds) as Kind[]).find((kind) => kinds[kind].prefix === prefix);
}

/** The object of an id. Throws EC2's error where there is none, or where it is too new to be seen yet. */
export function find<K extends Kind>(account: Account, kind: K, id: string): State[K][string] {
  const { prefix, missing, malformed, words } = kinds[kind];
  if (!new RegExp(`^${prefix}-[0-9a-f]{8}([0-9a-f]{9})?$`).test(id)) {
    throw new AwsError(malformed, `Invalid id: "${id}" (expecting "${prefix}-...")`);
  }
  const found = account.state[kind][id] as State[K][string] | undefined;
  if (found === undefined || !isVisible(account, found)) {
    throw new AwsError(missing, `The ${words} '${id}' does not exist`);
  }
  return found;
}

function isVisible(account: Account, held: Held): boolean {
  return account.now() - held.createdAt >= account.state.switches.visibleAfter;
}

/**
 * What a Describe action answers: the objects of the ids, or all of them, that fit every filter. `read` gives
 * the values of a filter's name, or undefined where EC2 does not know the name.
 */
export function describe<K extends Kind>(
  account: Account,
  kind: K,
  ids: readonly string[] | undefined,
  filters: readonly Filter[],
  read: (held: State[K][string], name: string) => readonly string[] | undefined,
): State[K][string][] {
  const all = Object.values(account.state[kind]) as State[K][string][];
  const held =
    ids === undefined || ids.length === 0
      ? all.filter((each) => isVisible(account, each))
      : ids.map((id) => find(account, kind, id));
  return held.filter((each) => filters.every((filter) => fits(each, filter, read)));
}

function fits<T extends Held>(
  held: T,
  filter: Filter,
  read: (held: T, name: string) => readonly string[] | undefined,
): boolean {
  const values = tagValues(held.tags, filter.name) ?? read(held, filter.name);
  if (values === undefined) {
    throw new AwsError("InvalidParameterValue", `The filter '${filter.name}' is invalid`);
  }
  return filter.values.some((pattern) => values.some((value) => matches(pattern, value)));
}

function tagValues(tags: Tags, name: string): readonly string[] | undefined {
  if (name === "tag-key") return Object.keys(tags);
  if (!name.startsWith("tag:")) return undefined;
  const value = tags[name.slice("tag:".length)];
  return value === undefined ? [] : [value];
}

/** EC2's patterns in filters: `*` any characters, `?` one. */
export function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(value);
}

export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Network of a subnet or VPC, whose text was checked when it was made. */
export function networkOf(held: { readonly cidr: string }): Network {
  const network = parseNetwork(held.cidr);
  if (network === undefined) throw new Error(`the state holds a bad network: ${held.cidr}`);
  return network;
}

/** First address of a subnet: the gateway that its machines see. */
export function gatewayOf(subnet: Subnet): string {
  return formatAddress(networkOf(subnet).first + 1);
}

export function isAlive(instance: Instance): boolean {
  return instance.state !== "terminated" && instance.state !== "shutting-down";
}

export function addressOf(state: State, instanceId: string): Address | undefined {
  return Object.values(state.addresses).find((each) => each.association?.instanceId === instanceId);
}

/** The public address by which a machine is reached, as DescribeInstances shows it. */
export function publicIpOf(state: State, instance: Instance): string | undefined {
  if (instance.state === "terminated") return undefined;
  return addressOf(state, instance.id)?.publicIp ?? (isOn(instance) ? instance.ownPublicIp : undefined);
}

function isOn(instance: Instance): boolean {
  return instance.state === "pending" || instance.state === "running";
}

/** The route table in force for a subnet: its own, or the main one of its VPC. */
function routeTableOf(state: State, subnet: Subnet): State["routeTables"][string] | undefined {
  const tables = Object.values(state.routeTables);
  const own = tables.find((table) =>
    Object.values(table.associations).some((one) => one.subnetId === subnet.id),
  );
  const main = state.vpcs[subnet.vpcId]?.mainRouteTableId;
  return own ?? (main === undefined ? undefined : state.routeTables[main]);
}

/** Whether a subnet's packets reach the internet: a default route to a gateway that hangs on its VPC. */
function hasInternet(state: State, subnet: Subnet): boolean {
  const route = routeTableOf(state, subnet)?.routes.find((each) => each.destination === "0.0.0.0/0");
  return route !== undefined && state.gateways[route.gatewayId]?.vpcId === subnet.vpcId;
}

/** All rules of all groups of a machine as the packet filter takes them; a group stands for its members. */
export function firewallOf(state: State, instance: Instance): FirewallRule[] {
  return instance.groupIds.flatMap((groupId) =>
    Object.values(state.groups[groupId]?.rules ?? {}).flatMap((rule) =>
      peersOf(state, rule).map((cidr) => ({
        direction: rule.direction,
        protocol: rule.protocol,
        fromPort: rule.fromPort,
        toPort: rule.toPort,
        cidr,
      })),
    ),
  );
}

function peersOf(state: State, rule: { cidr?: string; groupId?: string }): string[] {
  if (rule.cidr !== undefined) return [rule.cidr];
  return Object.values(state.instances)
    .filter((instance) => isAlive(instance) && instance.groupIds.includes(rule.groupId ?? ""))
    .map((instance) => `${instance.privateIp}/32`);
}

/** Machines that the world has: launched, and not on their way out. */
function isInWorld(instance: Instance): boolean {
  return isAlive(instance) && instance.state !== "pending";
}

/**
 * Makes the packet filter and the public addresses of every machine what the state says. It is called after
 * every change of groups, routes, gateways, addresses or machines, and answers when the world has followed.
 */
export function pushNetwork(account: Account): Promise<void> {
  return account.inOrder("network", async () => {
    const { state, world, told } = account;
    const machines = Object.values(state.instances).filter(isInWorld);
    for (const instance of machines) {
      const rules = firewallOf(state, instance);
      const text = JSON.stringify(rules);
      if (told.firewalls.get(instance.id) === text) continue;
      await world.setFirewall(instance.id, rules);
      told.firewalls.set(instance.id, text);
    }
    const mapped = new Map<string, string>();
    for (const instance of machines) {
      const subnet = state.subnets[instance.subnetId];
      const publicIp = publicIpOf(state, instance);
      if (publicIp === undefined || subnet === undefined || !hasInternet(state, subnet)) continue;
      mapped.set(publicIp, instance.privateIp);
    }
    for (const address of world.publicPool) {
      const privateIp = mapped.get(address);
      if (told.mapped.has(address) && told.mapped.get(address) === privateIp) continue;
      await world.mapAddress(address, privateIp);
      told.mapped.set(address, privateIp);
    }
  });
}

/** Keeps a change that machines or the world's network feel, and resolves when they do. */
export async function saveNetwork(account: Account): Promise<void> {
  account.save();
  await pushNetwork(account);
}

/** An IPv4 or IPv6 network as the API takes it, host bits masked away as EC2 does; undefined where it is none. */
export function maskedNetwork(text: string): string | undefined {
  return parseNetwork(text)?.text ?? canonicalIpv6(text);
}
