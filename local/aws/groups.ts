import { type Account, type Action, describe, find, maskedNetwork, saveNetwork, tagList } from "./account.ts";
import { accountId } from "./catalog.ts";
import { AwsError } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Parameters } from "./parameters.ts";
import type { Rule, SecurityGroup } from "./state.ts";

type Direction = Rule["direction"];

/** Security groups and their rules: EC2's actions of the same names. */
export const groupActions: Readonly<Record<string, Action>> = {
  CreateSecurityGroup: (account, parameters) => {
    const name = parameters.string("GroupName");
    const description = parameters.string("Description");
    const vpcId = parameters.maybeString("VpcId");
    const tags = parameters.tagSpecifications("security-group")["security-group"] ?? {};
    parameters.end();
    checkName(name);
    if (description.length > 255 || !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/.test(description)) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${description}) for parameter GroupDescription is invalid. Invalid security group description. ` +
          "Valid descriptions are strings less than 256 characters from the following set:  " +
          "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
      );
    }
    const vpc = vpcId === undefined ? defaultVpc(account) : find(account, "vpcs", vpcId);
    if (groupsOf(account, vpc.id).some((group) => group.name.toLowerCase() === name.toLowerCase())) {
      throw new AwsError(
        "InvalidGroup.Duplicate",
        `The security group '${name}' already exists for VPC '${vpc.id}'`,
      );
    }
    const group = openGroup(account, { id: newId("sg"), name, description, vpcId: vpc.id, tags });
    account.save();
    return { GroupId: group.id, Tags: tagList(group.tags) };
  },

  DescribeSecurityGroups: (account, parameters) => {
    const ids = parameters.maybeStrings("GroupIds");
    const groups = describe(account, "groups", ids, parameters.filters(), (group, name) => {
      if (name === "group-id") return [group.id];
      if (name === "group-name") return [group.name];
      if (name === "vpc-id") return [group.vpcId];
      if (name === "description") return [group.description];
      return undefined;
    });
    parameters.end();
    return { SecurityGroups: groups.map(showGroup) };
  },

  DeleteSecurityGroup: (account, parameters) => {
    const group = find(account, "groups", parameters.string("GroupId"));
    parameters.end();
    if (group.name === "default") {
      throw new AwsError(
        "CannotDelete",
        `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
      );
    }
    const used = Object.values(account.state.instances).some(
      (instance) => instance.state !== "terminated" && instance.groupIds.includes(group.id),
    );
    const named = Object.values(account.state.groups).some(
      (each) => each !== group && Object.values(each.rules).some((rule) => rule.groupId === group.id),
    );
    if (used || named) {
      throw new AwsError("DependencyViolation", `resource ${group.id} has a dependent object`);
    }
    delete account.state.groups[group.id];
    account.save();
    return { GroupId: group.id };
  },

  AuthorizeSecurityGroupIngress: (account, parameters) => authorize(account, parameters, "ingress"),
  AuthorizeSecurityGroupEgress: (account, parameters) => authorize(account, parameters, "egress"),
  RevokeSecurityGroupIngress: (account, parameters) => revoke(account, parameters, "ingress"),
  RevokeSecurityGroupEgress: (account, parameters) => revoke(account, parameters, "egress"),

  DescribeSecurityGroupRules: (account, parameters) => {
    const ids = parameters.maybeStrings("SecurityGroupRuleIds");
    const filters = parameters.filters();
    parameters.end();
    const all = Object.values(account.state.groups).flatMap((group) =>
      Object.values(group.rules).map((rule) => ({ group, rule })),
    );
    for (const id of ids ?? []) {
      if (!all.some(({ rule }) => rule.id === id)) throw noRule(id);
    }
    const fitting = all.filter(({ group, rule }) => {
      if (ids && ids.length > 0 && !ids.includes(rule.id)) return false;
      return filters.every((filter) => {
        if (filter.name === "group-id") return filter.values.includes(group.id);
        if (filter.name === "security-group-rule-id") return filter.values.includes(rule.id);
        throw new AwsError("InvalidParameterValue", `The filter '${filter.name}' is invalid`);
      });
    });
    return { SecurityGroupRules: fitting.map(({ group, rule }) => showRule(group, rule)) };
  },

  ModifySecurityGroupRules: async (account, parameters) => {
    const group = find(account, "groups", parameters.string("GroupId"));
    const changes = parameters.structures("SecurityGroupRules").map((change) => {
      const id = change.string("SecurityGroupRuleId");
      const request = change.maybeStructure("SecurityGroupRule");
      change.end();
      const rule = group.rules[id];
      if (rule === undefined) throw noRule(id);
      if (request === undefined) {
        throw new AwsError("MissingParameter", "The request must contain the parameter SecurityGroupRule");
      }
      return { rule, wanted: ruleRequest(account, request) };
    });
    parameters.end();
    for (const { rule, wanted } of changes) {
      const others = Object.values(group.rules).filter((each) => each !== rule);
      if (others.some((other) => isSame(other, { ...wanted, direction: rule.direction }))) {
        throw duplicate(wanted);
      }
    }
    for (const { rule, wanted } of changes) {
      delete rule.cidr;
      delete rule.groupId;
      delete rule.description;
      Object.assign(rule, wanted);
    }
    await saveNetwork(account);
    return { Return: true };
  },
};

/** A new group lets everything out, which is EC2's own first rule. */
export function openGroup(
  account: Account,
  given: Pick<SecurityGroup, "id" | "name" | "description" | "vpcId" | "tags">,
): SecurityGroup {
  const group: SecurityGroup = { ...given, createdAt: account.now(), rules: {} };
  addRule(group, "egress", { protocol: "-1", fromPort: -1, toPort: -1, cidr: "0.0.0.0/0" });
  if (given.name === "default") {
    addRule(group, "ingress", { protocol: "-1", fromPort: -1, toPort: -1, groupId: group.id });
  }
  account.state.groups[group.id] = group;
  return group;
}

function checkName(name: string): void {
  if (name.toLowerCase().startsWith("sg-")) {
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`,
    );
  }
  if (name.toLowerCase() === "default") {
    throw new AwsError("InvalidGroup.Reserved", `The security group '${name}' is reserved`);
  }
  if (name === "" || name.length > 255 || !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/.test(name)) {
    throw new AwsError("InvalidParameterValue", `Value (${name}) for parameter GroupName is invalid.`);
  }
}

function defaultVpc(account: Account) {
  const vpc = Object.values(account.state.vpcs).find((each) => each.isDefault);
  if (vpc === undefined) throw new AwsError("VPCIdNotSpecified", "No default VPC for this user");
  return vpc;
}

function groupsOf(account: Account, vpcId: string): SecurityGroup[] {
  return Object.values(account.state.groups).filter((group) => group.vpcId === vpcId);
}

type Wanted = Omit<Rule, "id" | "direction" | "tags">;

/** EC2's limit of rules in one direction of a group, where the account has not asked for more. */
const ruleLimit = 60;

async function authorize(account: Account, parameters: Parameters, direction: Direction): Promise<unknown> {
  const group = find(account, "groups", parameters.string("GroupId"));
  const wanted = permissions(account, parameters);
  const tags = parameters.tagSpecifications("security-group-rule")["security-group-rule"] ?? {};
  parameters.end();
  if (wanted.length === 0) {
    throw new AwsError(
      "MissingParameter",
      "Missing source specification: include source security group or CIDR information",
    );
  }
  for (const [index, one] of wanted.entries()) {
    if (wanted.slice(0, index).some((other) => isSame({ ...other, direction }, { ...one, direction }))) {
      throw new AwsError("InvalidParameterValue", "The same permission must not appear multiple times");
    }
    if (Object.values(group.rules).some((rule) => isSame(rule, { ...one, direction }))) throw duplicate(one);
  }
  const before = Object.values(group.rules).filter((rule) => rule.direction === direction).length;
  if (before + wanted.length > ruleLimit) {
    throw new AwsError(
      "RulesPerSecurityGroupLimitExceeded",
      "The maximum number of rules per security group has been reached.",
    );
  }
  const rules = wanted.map((one) => addRule(group, direction, one, { ...tags }));
  await saveNetwork(account);
  return { Return: true, SecurityGroupRules: rules.map((rule) => showRule(group, rule)) };
}

async function revoke(account: Account, parameters: Parameters, direction: Direction): Promise<unknown> {
  const group = find(account, "groups", parameters.string("GroupId"));
  const ids = parameters.maybeStrings("SecurityGroupRuleIds");
  const wanted = permissions(account, parameters);
  parameters.end();
  const gone: Rule[] = [];
  for (const id of ids ?? []) {
    const rule = group.rules[id];
    if (rule?.direction !== direction) throw noRule(id);
    gone.push(rule);
  }
  for (const one of wanted) {
    const rule = Object.values(group.rules).find((each) => isSame(each, { ...one, direction }));
    if (rule === undefined) {
      throw new AwsError(
        "InvalidPermission.NotFound",
        "The specified rule does not exist in this security group.",
      );
    }
    gone.push(rule);
  }
  for (const rule of gone) delete group.rules[rule.id];
  await saveNetwork(account);
  return { Return: true };
}

function addRule(group: SecurityGroup, direction: Direction, wanted: Wanted, tags = {}): Rule {
  const rule: Rule = { id: newId("sgr"), direction, ...wanted, tags };
  group.rules[rule.id] = rule;
  return rule;
}

/** `IpPermissions`: each combination of ports and one peer is a rule of its own. */
function permissions(account: Account, parameters: Parameters): Wanted[] {
  return parameters.structures("IpPermissions").flatMap((permission) => {
    const ports = portsOf(permission);
    const peers = [
      ...permission.structures("IpRanges").map((range) => cidrPeer(range, "CidrIp")),
      ...permission.structures("Ipv6Ranges").map((range) => cidrPeer(range, "CidrIpv6")),
      ...permission.structures("UserIdGroupPairs").map((pair) => groupPeer(account, pair)),
    ];
    permission.end();
    return peers.map((peer) => ({ ...ports, ...peer }));
  });
}

function cidrPeer(range: Parameters, name: "CidrIp" | "CidrIpv6"): Pick<Rule, "cidr" | "description"> {
  const peer = { cidr: network(range.string(name), name), ...description(range) };
  range.end();
  return peer;
}

function groupPeer(account: Account, pair: Parameters): Pick<Rule, "groupId" | "description"> {
  const peer = { groupId: find(account, "groups", pair.string("GroupId")).id, ...description(pair) };
  pair.end();
  return peer;
}

/** `SecurityGroupRule` of ModifySecurityGroupRules: one rule with one peer. */
function ruleRequest(account: Account, request: Parameters): Wanted {
  const ports = portsOf(request);
  const ipv4 = request.maybeString("CidrIpv4");
  const ipv6 = request.maybeString("CidrIpv6");
  const groupId = request.maybeString("ReferencedGroupId");
  const described = description(request);
  request.end();
  if ([ipv4, ipv6, groupId].filter((peer) => peer !== undefined).length !== 1) {
    throw new AwsError("InvalidParameterCombination", "Exactly one source or destination must be specified");
  }
  if (groupId !== undefined) return { ...ports, ...described, groupId: find(account, "groups", groupId).id };
  const cidr = ipv4 === undefined ? network(ipv6 ?? "", "CidrIpv6") : network(ipv4, "CidrIp");
  return { ...ports, ...described, cidr };
}

function network(text: string, name: "CidrIp" | "CidrIpv6"): string {
  const masked = maskedNetwork(text);
  if (masked === undefined || masked.includes(":") !== (name === "CidrIpv6")) {
    throw new AwsError("InvalidParameterValue", `CIDR block ${text} is malformed`);
  }
  return masked;
}

function description(from: Parameters): { description?: string } {
  const text = from.maybeString("Description");
  if (text === undefined || text === "") return {};
  if (text.length > 255 || !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/.test(text)) {
    throw new AwsError(
      "InvalidParameterValue",
      "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  " +
        "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    );
  }
  return { description: text };
}

const protocolNumbers: Readonly<Record<string, string>> = {
  "6": "tcp",
  "17": "udp",
  "1": "icmp",
  "58": "icmpv6",
};

function portsOf(permission: Parameters): Pick<Rule, "protocol" | "fromPort" | "toPort"> {
  const given = permission.string("IpProtocol").toLowerCase();
  const from = permission.maybeInteger("FromPort");
  const to = permission.maybeInteger("ToPort");
  const protocol = protocolNumbers[given] ?? (given === "all" ? "-1" : given);
  // EC2 takes no notice of ports where the protocol has none.
  if (protocol === "-1") return { protocol, fromPort: -1, toPort: -1 };
  if (protocol === "tcp" || protocol === "udp") {
    if (from === undefined || to === undefined) {
      throw portRange("Must specify both from and to ports with TCP/UDP.");
    }
    for (const port of [from, to]) {
      if (port < 0 || port > 65535) {
        throw new AwsError("InvalidParameterValue", `TCP/UDP port (${port}) out of range`);
      }
    }
    if (from > to) throw portRange(`Invalid TCP/UDP port range (${from}:${to})`);
    return { protocol, fromPort: from, toPort: to };
  }
  if (protocol === "icmp" || protocol === "icmpv6") {
    if (protocol === "icmp" && (from === undefined || to === undefined)) {
      throw portRange("Must specify both from and to ports with ICMP.");
    }
    const [type, code] = [from ?? -1, to ?? -1];
    if (type < -1 || type > 255)
      throw new AwsError("InvalidParameterValue", `ICMP type (${type}) out of range`);
    if (code < -1 || code > 255)
      throw new AwsError("InvalidParameterValue", `ICMP code (${code}) out of range`);
    if (type === -1 && code !== -1) {
      throw new AwsError("InvalidParameterValue", "ICMP code must be -1 if the type is -1");
    }
    return { protocol, fromPort: type, toPort: code };
  }
  throw new AwsError("InvalidParameterValue", `Invalid value '${given}' for IP protocol. Unknown protocol.`);
}

function portRange(what: string): AwsError {
  return new AwsError("InvalidParameterValue", `Invalid value '${what}' for portRange.`);
}

/** The description makes no rule another one. */
function isSame(one: Omit<Rule, "id" | "tags">, other: Omit<Rule, "id" | "tags">): boolean {
  return (["direction", "protocol", "fromPort", "toPort", "cidr", "groupId"] as const).every(
    (key) => one[key] === other[key],
  );
}

function duplicate(rule: Wanted): AwsError {
  const protocol = rule.protocol === "-1" ? "ALL" : rule.protocol.toUpperCase();
  const ports =
    rule.protocol === "tcp" || rule.protocol === "udp"
      ? `, from port: ${rule.fromPort}, to port: ${rule.toPort}`
      : "";
  return new AwsError(
    "InvalidPermission.Duplicate",
    `the specified rule "peer: ${rule.cidr ?? rule.groupId}, ${protocol}${ports}, ALLOW" already exists`,
  );
}

function noRule(id: string): AwsError {
  return new AwsError(
    "InvalidSecurityGroupRuleId.NotFound",
    `The security group rule ID '${id}' does not exist`,
  );
}

function showGroup(group: SecurityGroup) {
  return {
    GroupId: group.id,
    GroupName: group.name,
    Description: group.description,
    VpcId: group.vpcId,
    OwnerId: accountId,
    IpPermissions: showPermissions(group, "ingress"),
    IpPermissionsEgress: showPermissions(group, "egress"),
    Tags: tagList(group.tags),
  };
}

/** Rules with the same ports are one permission with several peers. */
function showPermissions(group: SecurityGroup, direction: Direction) {
  const rules = Object.values(group.rules).filter((rule) => rule.direction === direction);
  const byPorts = Map.groupBy(rules, (rule) => `${rule.protocol} ${rule.fromPort} ${rule.toPort}`);
  return [...byPorts.values()].map((same) => {
    const { protocol = "", fromPort, toPort } = same[0] ?? {};
    return {
      IpProtocol: protocol,
      ...(protocol === "-1" ? {} : { FromPort: fromPort, ToPort: toPort }),
      IpRanges: same
        .filter((rule) => rule.cidr !== undefined && !rule.cidr.includes(":"))
        .map((rule) => ({ CidrIp: rule.cidr, Description: rule.description })),
      Ipv6Ranges: same
        .filter((rule) => rule.cidr?.includes(":"))
        .map((rule) => ({ CidrIpv6: rule.cidr, Description: rule.description })),
      UserIdGroupPairs: same
        .filter((rule) => rule.groupId !== undefined)
        .map((rule) => ({ GroupId: rule.groupId, UserId: accountId, Description: rule.description })),
      PrefixListIds: [],
    };
  });
}

function showRule(group: SecurityGroup, rule: Rule) {
  return {
    SecurityGroupRuleId: rule.id,
    GroupId: group.id,
    GroupOwnerId: accountId,
    IsEgress: rule.direction === "egress",
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort,
    ToPort: rule.toPort,
    ...(rule.cidr === undefined ? {} : { [rule.cidr.includes(":") ? "CidrIpv6" : "CidrIpv4"]: rule.cidr }),
    ...(rule.groupId === undefined ? {} : { ReferencedGroupInfo: { GroupId: rule.groupId } }),
    Description: rule.description,
    Tags: tagList(rule.tags),
  };
}

/** Groups of a launch or a change: they must exist, in the VPC of the machine. */
export function groupsFor(
  account: Account,
  ids: readonly string[],
  vpcId: string,
  subnetId: string,
): string[] {
  if (ids.length > 5) {
    throw new AwsError(
      "SecurityGroupsPerInterfaceLimitExceeded",
      "The maximum number of security groups per interface has been reached.",
    );
  }
  return ids.map((id) => {
    if (find(account, "groups", id).vpcId !== vpcId) {
      throw new AwsError(
        "InvalidParameter",
        `Security group ${id} and subnet ${subnetId} belong to different networks.`,
      );
    }
    return id;
  });
}
