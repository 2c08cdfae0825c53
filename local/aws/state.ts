import type { Tags } from "./parameters.ts";

/** What the simulated account holds. It is one JSON document, `aws.json`; ids are the keys. */
export interface State {
  vpcs: Record<string, Vpc>;
  subnets: Record<string, Subnet>;
  gateways: Record<string, InternetGateway>;
  routeTables: Record<string, RouteTable>;
  groups: Record<string, SecurityGroup>;
  instances: Record<string, Instance>;
  volumes: Record<string, Volume>;
  addresses: Record<string, Address>;
  /** By `<region>/<name>`. */
  sesIdentities: Record<string, EmailIdentity>;
  /** Route 53's record sets, by zone; it has no regions. */
  hostedSets: Record<string, HostedSet[]>;
  /** By name. IAM has no regions. */
  users: Record<string, IamUser>;
  switches: Switches;
  /** Answers to calls that carried a client token, until the caller has confirmed it knows them. */
  tokens: Record<string, RememberedAnswer>;
}

export interface RememberedAnswer {
  readonly token: string;
  readonly answer: unknown;
  /** Every id in the call and its answer. */
  readonly ids: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** How the simulated account behaves where the real one depends on time or on the account. */
export interface Switches {
  /** Milliseconds for which a new object is not found by others than the call that made it. Default 0. */
  visibleAfter: number;
  /** Milliseconds a PTR takes from its request to being served. Default 0. */
  ptrAfter: number;
  /** Outbound port 25 blocked, as on every account until AWS lifts it on request. Default false. */
  port25Blocked: boolean;
  /** SES sends to verified identities alone, as for every account until AWS lifts it on request. Default false. */
  sesSandbox: boolean;
  /** Elastic IPs that the account may hold in the region. Default 5. */
  addressLimit: number;
  /** VPCs that the account may hold in the region. Default 5. */
  vpcLimit: number;
  /** Processors that the account's machines may have in the region. Default 32. */
  processorLimit: number;
  /** Actions that the credential may not do, with a space between two: `ec2:CreateVpc ec2:AllocateAddress`. Default none. */
  denied: string;
}

export interface Held {
  readonly id: string;
  tags: Tags;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface Vpc extends Held {
  readonly cidr: string;
  ipv6?: { associationId: string; cidr: string };
  dnsHostnames: boolean;
  dnsSupport: boolean;
  networkAddressUsageMetrics: boolean;
  readonly tenancy: string;
  readonly isDefault: boolean;
  readonly mainRouteTableId: string;
  readonly defaultGroupId: string;
  readonly defaultNetworkAclId: string;
  readonly dhcpOptionsId: string;
}

export interface Subnet extends Held {
  readonly vpcId: string;
  readonly cidr: string;
  readonly zone: string;
  readonly isDefault: boolean;
  ipv6?: { associationId: string; cidr: string };
  mapPublicIp: boolean;
  assignIpv6: boolean;
}

export interface InternetGateway extends Held {
  vpcId?: string;
}

export interface Route {
  /** IPv4 or IPv6 network. */
  readonly destination: string;
  /** `igw-…`, or `local`. */
  gatewayId: string;
  readonly origin: "CreateRouteTable" | "CreateRoute";
}

export interface RouteTable extends Held {
  readonly vpcId: string;
  routes: Route[];
  /** Associations with subnets, by their id; the main one has no subnet. */
  associations: Record<string, { subnetId?: string }>;
}

export interface SecurityGroup extends Held {
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  rules: Record<string, Rule>;
}

/** One rule of a security group. A group in place of a network is `groupId`. */
export interface Rule {
  readonly id: string;
  readonly direction: "ingress" | "egress";
  protocol: string;
  /** -1 where the protocol has no ports or means all of them. */
  fromPort: number;
  toPort: number;
  cidr?: string;
  groupId?: string;
  description?: string;
  tags: Tags;
}

export type InstanceState = "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";

export interface Instance extends Held {
  readonly imageId: string;
  instanceType: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly privateIp: string;
  readonly privateDns: string;
  ipv6Addresses: string[];
  readonly interfaceId: string;
  readonly attachmentId: string;
  groupIds: string[];
  /** Base64, as the API carries it. */
  userData: string;
  state: InstanceState;
  stateReason?: { code: string; message: string };
  terminatedAt?: number;
  /** A public address that came with the subnet or the launch, until an elastic one takes its place. */
  ownPublicIp?: string;
  metadata: MetadataOptions;
  rootVolumeId: string;
  rootDeleteOnTermination: boolean;
  disableApiTermination: boolean;
  disableApiStop: boolean;
  shutdownBehavior: string;
  monitoring: boolean;
  ebsOptimized: boolean;
  sourceDestCheck: boolean;
  cpuCredits: string;
  readonly keyName?: string;
}

export interface MetadataOptions {
  httpTokens: string;
  httpPutResponseHopLimit: number;
  httpEndpoint: string;
  httpProtocolIpv6: string;
  instanceMetadataTags: string;
}

export interface Volume extends Held {
  readonly zone: string;
  size: number;
  type: string;
  iops?: number;
  throughput?: number;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
  readonly snapshotId?: string;
  attachment?: { instanceId: string; device: string; at: number; deleteOnTermination: boolean };
}

export interface Address extends Held {
  readonly publicIp: string;
  association?: { id: string; instanceId: string };
  /** The name of the PTR, without a trailing dot, and a change that is under way. */
  ptr?: string;
  ptrUpdate?: { value: string | null; status: "PENDING" | "FAILED"; reason?: string };
}

/** A domain that SES sends for. */
export interface EmailIdentity {
  readonly name: string;
  readonly region: string;
  /** The key as it was given: base64 of PKCS #1 or PKCS #8. */
  dkim: { readonly selector: string; readonly privateKey: string };
  dkimStatus: "PENDING" | "SUCCESS";
  mailFrom?: string;
  mailFromStatus: "PENDING" | "SUCCESS";
  behaviorOnMxFailure: "USE_DEFAULT_VALUE" | "REJECT_MESSAGE";
  tags: Tags;
}

export interface IamUser {
  readonly name: string;
  readonly path: string;
  /** `AIDA…` */
  readonly id: string;
  readonly arn: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  tags: Tags;
  /** Inline policies (JSON) by name. */
  readonly policies: Record<string, string>;
  /** Access keys by their id, `AKIA…`. */
  readonly keys: Record<
    string,
    { readonly secret: string; readonly status: "Active" | "Inactive"; readonly createdAt: number }
  >;
}

export interface HostedSet {
  /** Fully qualified, without a trailing dot. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  /** In zone-file form. */
  readonly values: readonly string[];
}

const defaultSwitches: Readonly<Switches> = {
  visibleAfter: 0,
  ptrAfter: 0,
  port25Blocked: false,
  sesSandbox: false,
  addressLimit: 5,
  vpcLimit: 5,
  processorLimit: 32,
  denied: "",
};

export function emptyState(): State {
  return {
    vpcs: {},
    subnets: {},
    gateways: {},
    routeTables: {},
    groups: {},
    instances: {},
    volumes: {},
    addresses: {},
    sesIdentities: {},
    hostedSets: {},
    users: {},
    switches: { ...defaultSwitches },
    tokens: {},
  };
}
