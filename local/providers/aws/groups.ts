/** Security groups, with rules of their own or as resources apart. */
import type { CheckOutcome, Failure, Properties, Value } from "../framework.ts";
import { type Ec2, hasCode, whenFree } from "./client.ts";
import { networkMistake } from "./networks.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs, given, isSet } from "./resource.ts";

type Direction = "ingress" | "egress";

/** A rule block of the program, in its shortest form: no empty lists, no false, no empty description. */
interface Block {
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly description?: string;
  readonly cidrBlocks?: readonly string[];
  readonly ipv6CidrBlocks?: readonly string[];
  readonly securityGroups?: readonly string[];
  readonly self?: boolean;
}

interface GroupInputs extends CommonInputs {
  readonly name: string;
  readonly description: string;
  readonly vpcId?: string;
  readonly ingress?: readonly Block[];
  readonly egress?: readonly Block[];
}

interface ApiPermission {
  readonly IpProtocol: string;
  readonly FromPort?: number;
  readonly ToPort?: number;
  readonly IpRanges: readonly { readonly CidrIp: string; readonly Description?: string }[];
  readonly Ipv6Ranges: readonly { readonly CidrIpv6: string; readonly Description?: string }[];
  readonly UserIdGroupPairs: readonly { readonly GroupId: string; readonly Description?: string }[];
}

interface ApiGroup {
  readonly GroupId: string;
  readonly GroupName: string;
  readonly Description: string;
  readonly VpcId: string;
  readonly IpPermissions: readonly ApiPermission[];
  readonly IpPermissionsEgress: readonly ApiPermission[];
  readonly Tags: readonly ApiTag[];
}

/** One rule as EC2 has it: ports, one peer, a description. */
interface Atom {
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly peer: string;
  readonly description: string;
}

const key = (atom: Atom) =>
  JSON.stringify([atom.protocol, atom.fromPort, atom.toPort, atom.peer, atom.description]);

/** terraform-provider-aws, `validSecurityGroupRuleDescription` and the group's own. */
const describable = /^[0-9A-Za-z_ .:/()#,@[\]+=&;{}!$*-]*$/;

function checkDescription(text: Value | undefined, property: string): Failure[] {
  if (typeof text !== "string") return [];
  if (text.length > 255) return [{ property, reason: `${property} cannot be longer than 255 characters` }];
  return describable.test(text)
    ? []
    : [
        {
          property,
          reason: `"${text}" doesn't comply with restrictions (${JSON.stringify(describable.source)})`,
        },
      ];
}

const blockSchema = {
  type: "list",
  set: true,
  computed: true,
  items: {
    type: "object",
    properties: {
      protocol: { type: "string", required: true },
      fromPort: { type: "integer", required: true },
      toPort: { type: "integer", required: true },
      description: { type: "string" },
      cidrBlocks: { type: "list", items: { type: "string" } },
      ipv6CidrBlocks: { type: "list", items: { type: "string" } },
      prefixListIds: { type: "list", items: { type: "string" } },
      securityGroups: { type: "list", items: { type: "string" } },
      self: { type: "boolean" },
    },
  },
} as const;

const protocolNames: Readonly<Record<string, string>> = {
  "6": "tcp",
  "17": "udp",
  "1": "icmp",
  "58": "icmpv6",
  all: "-1",
};

function normalProtocol(protocol: string): string {
  const lower = protocol.toLowerCase();
  return protocolNames[lower] ?? lower;
}

/** Blocks in their shortest form, and what is wrong with them. Values may be unknown. */
function checkBlocks(
  inputs: Properties,
  direction: Direction,
): { value: Value | undefined; failures: Failure[] } {
  const blocks = inputs[direction];
  if (!Array.isArray(blocks)) return { value: blocks, failures: [] };
  const failures: Failure[] = [];
  const value = blocks.map((block: Properties, index) => {
    if (typeof block !== "object" || block === null || !("protocol" in block)) return block;
    const property = `${direction}[${index}]`;
    const known = Object.entries(block).filter(([name, each]) => isSet(each) || name.endsWith("Port"));
    const short: Record<string, Value | undefined> = Object.fromEntries(known);
    if (typeof block.protocol === "string") short.protocol = normalProtocol(block.protocol);
    for (const [name, family] of [
      ["cidrBlocks", "ipv4"],
      ["ipv6CidrBlocks", "ipv6"],
    ] as const) {
      for (const network of Array.isArray(short[name]) ? (short[name] as Value[]) : []) {
        const mistake = typeof network === "string" ? networkMistake(network, family) : undefined;
        if (mistake !== undefined) failures.push({ property: `${property}.${name}`, reason: mistake });
      }
    }
    failures.push(...checkDescription(short.description, `${property}.description`));
    if (short.prefixListIds) {
      failures.push({
        property,
        reason: "the local cloud does not simulate prefixListIds: write the networks out",
      });
    }
    if (!short.cidrBlocks && !short.ipv6CidrBlocks && !short.securityGroups && !short.self) {
      failures.push({
        property,
        reason: `${property} has no ${direction === "ingress" ? "source" : "destination"}: give cidrBlocks, ipv6CidrBlocks, securityGroups or self`,
      });
    }
    const { protocol, fromPort, toPort } = short;
    if (protocol === "-1" && typeof fromPort === "number" && (fromPort !== 0 || toPort !== 0)) {
      failures.push({
        property,
        reason: `from_port (${fromPort}) and to_port (${String(toPort)}) must both be 0 to use the 'ALL' "-1" protocol!`,
      });
    }
    return short;
  });
  return { value, failures };
}

function checkGroup(inputs: Properties): CheckOutcome {
  const ingress = checkBlocks(inputs, "ingress");
  const egress = checkBlocks(inputs, "egress");
  const { name, description } = inputs;
  const failures = [...ingress.failures, ...egress.failures, ...checkDescription(description, "description")];
  if (description === "") failures.push({ property: "description", reason: "description cannot be empty" });
  if (typeof name === "string" && name.length > 255) {
    failures.push({ property: "name", reason: "expected length of name to be in the range (0 - 255)" });
  }
  if (typeof name === "string" && name.startsWith("sg-")) {
    failures.push({ property: "name", reason: "invalid value for name (cannot begin with sg-)" });
  }
  return { inputs: { ...inputs, ingress: ingress.value, egress: egress.value }, failures };
}

function atomsOfBlock(block: Block, groupId: string): Atom[] {
  const { protocol } = block;
  const ports =
    protocol === "-1" ? { fromPort: 0, toPort: 0 } : { fromPort: block.fromPort, toPort: block.toPort };
  const peers = [
    ...(block.cidrBlocks ?? []),
    ...(block.ipv6CidrBlocks ?? []),
    ...(block.securityGroups ?? []),
    ...(block.self ? [groupId] : []),
  ];
  return peers.map((peer) => ({ protocol, ...ports, peer, description: block.description ?? "" }));
}

function atomsOfPermissions(permissions: readonly ApiPermission[]): Atom[] {
  return permissions.flatMap((permission) => {
    const ports = {
      protocol: permission.IpProtocol,
      fromPort: permission.FromPort ?? 0,
      toPort: permission.ToPort ?? 0,
    };
    const atom = (peer: string, description = ""): Atom => ({ ...ports, peer, description });
    return [
      ...permission.IpRanges.map((range) => atom(range.CidrIp, range.Description)),
      ...permission.Ipv6Ranges.map((range) => atom(range.CidrIpv6, range.Description)),
      ...permission.UserIdGroupPairs.map((pair) => atom(pair.GroupId, pair.Description)),
    ];
  });
}

function permissionOf(atom: Atom): object {
  const ports = atom.protocol === "-1" ? {} : { FromPort: atom.fromPort, ToPort: atom.toPort };
  const described = atom.description === "" ? {} : { Description: atom.description };
  const peer = atom.peer.startsWith("sg-")
    ? { UserIdGroupPairs: [{ GroupId: atom.peer, ...described }] }
    : atom.peer.includes(":")
      ? { Ipv6Ranges: [{ CidrIpv6: atom.peer, ...described }] }
      : { IpRanges: [{ CidrIp: atom.peer, ...described }] };
  return { IpProtocol: atom.protocol, ...ports, ...peer };
}

/**
 * What EC2 has, in the program's blocks: each of its blocks with the peers that are there, and what is there
 * besides in blocks of its own. So a refresh shows a rule that somebody added, and nothing else.
 */
function blocksOf(found: readonly Atom[], programs: readonly Block[], groupId: string): Block[] {
  const left = new Map(found.map((atom) => [key(atom), atom]));
  const take = (block: Block): Atom[] =>
    atomsOfBlock(block, groupId).filter((atom) => left.delete(key(atom)));
  const own = programs
    .map((block) => ({ block, atoms: take(block) }))
    .filter(({ atoms }) => atoms.length > 0)
    .map(({ block, atoms }) => blockOf(block, atoms, groupId));
  const foreign = Map.groupBy(left.values(), (atom) => key({ ...atom, peer: "" }));
  return [...own, ...[...foreign.values()].map((atoms) => blockOf(atoms[0] as Atom, atoms, groupId))];
}

function blockOf(
  like: Pick<Block, "protocol" | "fromPort" | "toPort" | "description">,
  atoms: readonly Atom[],
  groupId: string,
): Block {
  const peers = atoms.map((atom) => atom.peer);
  const of = (test: (peer: string) => boolean) => {
    const list = peers.filter(test);
    return list.length === 0 ? undefined : list;
  };
  return given({
    protocol: like.protocol,
    fromPort: like.fromPort,
    toPort: like.toPort,
    description: like.description || undefined,
    cidrBlocks: of((peer) => !peer.startsWith("sg-") && !peer.includes(":")),
    ipv6CidrBlocks: of((peer) => peer.includes(":")),
    securityGroups: of((peer) => peer.startsWith("sg-") && peer !== groupId),
    self: peers.includes(groupId) || undefined,
  }) as Block;
}

async function describeGroup(ec2: Ec2, id: string): Promise<ApiGroup | undefined> {
  const answer = await ec2.maybe<{ SecurityGroups: ApiGroup[] }>("DescribeSecurityGroups", {
    GroupIds: [id],
  });
  return answer?.SecurityGroups[0];
}

const directions = { ingress: "IpPermissions", egress: "IpPermissionsEgress" } as const;
const calls = { ingress: "SecurityGroupIngress", egress: "SecurityGroupEgress" } as const;

/** Makes the rules of one direction what the program wants: takes away first, since ports may overlap. */
async function makeRules(
  ec2: Ec2,
  id: string,
  direction: Direction,
  wanted: readonly Block[],
): Promise<void> {
  const group = await describeGroup(ec2, id);
  const has = atomsOfPermissions(group?.[directions[direction]] ?? []);
  const want = wanted.flatMap((block) => atomsOfBlock(block, id));
  const wantedKeys = new Set(want.map(key));
  const hasKeys = new Set(has.map(key));
  const gone = has.filter((atom) => !wantedKeys.has(key(atom)));
  const added = want.filter((atom) => !hasKeys.has(key(atom)));
  if (gone.length > 0) {
    await ec2.call(`Revoke${calls[direction]}`, { GroupId: id, IpPermissions: gone.map(permissionOf) });
  }
  if (added.length > 0) {
    await ec2.call(`Authorize${calls[direction]}`, { GroupId: id, IpPermissions: added.map(permissionOf) });
  }
}

export const securityGroup = awsResource<GroupInputs>({
  inputs: {
    name: { type: "string", autoname: true, replaceOnChange: true },
    description: { type: "string", default: "Managed by Pulumi", replaceOnChange: true },
    vpcId: { type: "string", computed: true, replaceOnChange: true },
    ingress: blockSchema,
    egress: blockSchema,
    revokeRulesOnDelete: { type: "boolean", default: false },
  },
  outputs: { arn: {}, ownerId: {}, namePrefix: {} },
  unsimulated: ["namePrefix"],
  taggedAs: "security-group",
  check: checkGroup,
  create: async (ec2, inputs, tags) => {
    const parameters = given({
      GroupName: inputs.name,
      Description: inputs.description,
      VpcId: inputs.vpcId,
    });
    const answer = await ec2.call<{ GroupId: string }>("CreateSecurityGroup", { ...parameters, ...tags });
    return answer.GroupId;
  },
  complete: async (ec2, id, inputs) => {
    // The official provider takes EC2's first rule, which lets everything out, away.
    await makeRules(ec2, id, "egress", inputs.egress ?? []);
    await makeRules(ec2, id, "ingress", inputs.ingress ?? []);
  },
  read: async (ec2, id, { inputs, state }) => {
    const found = await describeGroup(ec2, id);
    if (found === undefined) return undefined;
    const blocks = (direction: Direction) => {
      const programs = inputs[direction] ?? state[direction];
      return blocksOf(
        atomsOfPermissions(found[directions[direction]]),
        Array.isArray(programs) ? (programs as Block[]) : [],
        id,
      ) as unknown as Value;
    };
    return {
      outputs: {
        arn: arn(ec2, `security-group/${id}`, accountId),
        name: found.GroupName,
        namePrefix: "",
        description: found.Description,
        vpcId: found.VpcId,
        ingress: blocks("ingress"),
        egress: blocks("egress"),
        ownerId: accountId,
        revokeRulesOnDelete: inputs.revokeRulesOnDelete ?? false,
      },
      tags: found.Tags,
    };
  },
  update: async (ec2, { id, inputs, changed }) => {
    for (const direction of ["ingress", "egress"] as const) {
      const blocks = inputs[direction];
      if (changed(direction) && blocks !== undefined) await makeRules(ec2, id, direction, blocks);
    }
  },
  delete: (ec2, id) => whenFree("security group", () => ec2.call("DeleteSecurityGroup", { GroupId: id })),
});

interface RuleInputs extends CommonInputs {
  readonly securityGroupId: string;
  readonly ipProtocol: string;
  readonly cidrIpv4?: string;
  readonly cidrIpv6?: string;
  readonly referencedSecurityGroupId?: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly description?: string;
}

interface ApiRule {
  readonly SecurityGroupRuleId: string;
  readonly GroupId: string;
  readonly IsEgress: boolean;
  readonly IpProtocol: string;
  readonly FromPort: number;
  readonly ToPort: number;
  readonly CidrIpv4?: string;
  readonly CidrIpv6?: string;
  readonly ReferencedGroupInfo?: { readonly GroupId: string };
  readonly Description?: string;
  readonly Tags: readonly ApiTag[];
}

const peers = ["cidrIpv4", "cidrIpv6", "referencedSecurityGroupId", "prefixListId"];

function checkRule(inputs: Properties): CheckOutcome {
  const failures = checkDescription(inputs.description, "description");
  if (peers.filter((peer) => inputs[peer] !== undefined).length !== 1) {
    failures.push({
      property: "",
      reason:
        "Exactly one of cidr_ipv4, cidr_ipv6, prefix_list_id, referenced_security_group_id must be specified",
    });
  }
  for (const [name, family] of [
    ["cidrIpv4", "ipv4"],
    ["cidrIpv6", "ipv6"],
  ] as const) {
    const network = inputs[name];
    const mistake = typeof network === "string" ? networkMistake(network, family) : undefined;
    if (mistake !== undefined) failures.push({ property: name, reason: mistake });
  }
  const protocol =
    typeof inputs.ipProtocol === "string" ? normalProtocol(inputs.ipProtocol) : inputs.ipProtocol;
  if (protocol === "-1" && (inputs.fromPort !== undefined || inputs.toPort !== undefined)) {
    failures.push({
      property: "fromPort",
      reason: 'from_port and to_port must not be given with ip_protocol "-1"',
    });
  }
  return { inputs: { ...inputs, ipProtocol: protocol }, failures };
}

function ruleParameters(inputs: RuleInputs): object {
  return given({
    IpProtocol: inputs.ipProtocol,
    FromPort: inputs.fromPort,
    ToPort: inputs.toPort,
    Description: inputs.description || undefined,
  });
}

function ruleResource(direction: Direction) {
  return awsResource<RuleInputs>({
    inputs: {
      securityGroupId: { type: "string", required: true, replaceOnChange: true },
      ipProtocol: { type: "string", required: true },
      cidrIpv4: { type: "string" },
      cidrIpv6: { type: "string" },
      referencedSecurityGroupId: { type: "string" },
      fromPort: { type: "integer" },
      toPort: { type: "integer" },
      description: { type: "string" },
    },
    outputs: { arn: {}, securityGroupRuleId: {} },
    unsimulated: ["prefixListId"],
    taggedAs: "security-group-rule",
    check: checkRule,
    // Another kind of peer is another rule (terraform-provider-aws, ModifyPlan of its security group rules).
    diff: ({ changes }) =>
      changes.map((change) =>
        peers.includes(change.path) && change.kind !== "update" ? { ...change, replace: true } : change,
      ),
    create: async (ec2, inputs, tags) => {
      const { cidrIpv4, cidrIpv6, referencedSecurityGroupId } = inputs;
      const { Description, ...ports } = ruleParameters(inputs) as { Description?: string };
      const described = Description === undefined ? {} : { Description };
      const peer =
        cidrIpv4 !== undefined
          ? { IpRanges: [{ CidrIp: cidrIpv4, ...described }] }
          : cidrIpv6 !== undefined
            ? { Ipv6Ranges: [{ CidrIpv6: cidrIpv6, ...described }] }
            : { UserIdGroupPairs: [{ GroupId: referencedSecurityGroupId, ...described }] };
      const answer = await ec2.call<{ SecurityGroupRules: ApiRule[] }>(`Authorize${calls[direction]}`, {
        GroupId: inputs.securityGroupId,
        IpPermissions: [{ ...ports, ...peer }],
        ...tags,
      });
      return answer.SecurityGroupRules[0]?.SecurityGroupRuleId ?? "";
    },
    read: async (ec2, id) => {
      const answer = await ec2.maybe<{ SecurityGroupRules: ApiRule[] }>("DescribeSecurityGroupRules", {
        SecurityGroupRuleIds: [id],
      });
      const found = answer?.SecurityGroupRules[0];
      if (found === undefined || found.IsEgress !== (direction === "egress")) return undefined;
      const hasPorts = found.IpProtocol !== "-1";
      return {
        outputs: {
          arn: arn(ec2, `security-group-rule/${id}`, accountId),
          securityGroupRuleId: id,
          securityGroupId: found.GroupId,
          ipProtocol: found.IpProtocol,
          fromPort: hasPorts ? found.FromPort : undefined,
          toPort: hasPorts ? found.ToPort : undefined,
          cidrIpv4: found.CidrIpv4,
          cidrIpv6: found.CidrIpv6,
          referencedSecurityGroupId: found.ReferencedGroupInfo?.GroupId,
          description: found.Description,
        },
        tags: found.Tags,
      };
    },
    update: async (ec2, { id, inputs, changed }) => {
      const names = [
        "ipProtocol",
        "cidrIpv4",
        "cidrIpv6",
        "referencedSecurityGroupId",
        "fromPort",
        "toPort",
        "description",
      ] as const;
      if (!names.some(changed)) return;
      const peer = given({
        CidrIpv4: inputs.cidrIpv4,
        CidrIpv6: inputs.cidrIpv6,
        ReferencedGroupId: inputs.referencedSecurityGroupId,
      });
      await ec2.call("ModifySecurityGroupRules", {
        GroupId: inputs.securityGroupId,
        SecurityGroupRules: [
          { SecurityGroupRuleId: id, SecurityGroupRule: { ...ruleParameters(inputs), ...peer } },
        ],
      });
    },
    delete: async (ec2, id, state) => {
      try {
        await ec2.call(`Revoke${calls[direction]}`, {
          GroupId: state.securityGroupId,
          SecurityGroupRuleIds: [id],
        });
      } catch (error) {
        if (!hasCode(error, "InvalidSecurityGroupRuleId.NotFound")) throw error;
      }
    },
  });
}

export const ingressRule = ruleResource("ingress");
export const egressRule = ruleResource("egress");
