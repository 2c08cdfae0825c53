import type { FirewallRule } from "../types.ts";

/** What the packet filter of a cloud's private side has to know. */
export interface RulesetState {
  /** By private address. */
  readonly machines: readonly FilteredMachine[];
  /** Elastic IPs in use: public to private. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly port25Blocked: boolean;
}

export interface FilteredMachine {
  /** Name of its interface on the router. */
  readonly link: string;
  readonly privateIpv4: string;
  readonly rules: readonly FirewallRule[];
}

/**
 * The private side's packet filter as one nft script, which replaces all that was there in one transaction:
 * security groups (stateful, what is not allowed is dropped in silence, as on EC2), 1:1 NAT of elastic IPs with
 * hairpin, no way out without an elastic IP, the block of outbound port 25.
 * @see nft(8)
 */
export function renderRuleset(state: RulesetState): string {
  const pairs = Object.entries(state.addresses);
  const chains = state.machines.flatMap((machine, index) => [
    chain(`egress_${index}`, [
      ...machine.rules.filter((rule) => rule.direction === "egress").map((rule) => ruleLine(rule, "return")),
      "drop",
    ]),
    chain(`ingress_${index}`, [
      ...machine.rules.filter((rule) => rule.direction === "ingress").map((rule) => ruleLine(rule, "accept")),
      "drop",
    ]),
  ]);
  return `flush ruleset
table ip world {
${map(
  "private_of",
  "ipv4_addr : ipv4_addr",
  pairs.map(([outside, inside]) => `${outside} : ${inside}`),
)}
${map(
  "public_of",
  "ipv4_addr : ipv4_addr",
  pairs.map(([outside, inside]) => `${inside} : ${outside}`),
)}
${set(
  "with_public",
  "ipv4_addr",
  pairs.map(([, inside]) => inside),
)}
${chains.join("\n")}
${chain("egress", [
  // The interface with the address: nobody sends in another machine's name.
  ...vmap(
    "iifname . ip saddr",
    state.machines.map(
      (machine, index) => `"${machine.link}" . ${machine.privateIpv4} : goto egress_${index}`,
    ),
  ),
  "drop",
])}
${chain("ingress", [
  ...vmap(
    "ip daddr",
    state.machines.map((machine, index) => `${machine.privateIpv4} : goto ingress_${index}`),
  ),
  "drop",
])}
${chain("forward", [
  "type filter hook forward priority filter; policy drop;",
  ...(state.port25Blocked
    ? ['iifname "ve-*" oifname "inet" ct direction original tcp dport 25 counter drop']
    : []),
  "ct state established,related accept",
  "ct state invalid drop",
  'iifname "ve-*" oifname "inet" ip saddr != @with_public drop',
  'iifname "ve-*" jump egress',
  'oifname "ve-*" goto ingress',
  'iifname "ve-*" oifname "inet" accept',
])}
${chain("input", [
  // Of the router itself, machines see its resolver, which no security group concerns on EC2 either.
  "type filter hook input priority filter; policy drop;",
  "ct state established,related accept",
  'iifname { "lo", "inet" } accept',
  'iifname "ve-*" icmp type echo-request accept',
  'iifname "ve-*" meta l4proto { tcp, udp } th dport 53 accept',
])}
${chain("prerouting", [
  "type nat hook prerouting priority dstnat; policy accept;",
  "dnat to ip daddr map @private_of",
])}
${chain("postrouting", [
  "type nat hook postrouting priority srcnat; policy accept;",
  'oifname "inet" snat to ip saddr map @public_of',
  // A machine that calls a public address of its own network comes from its own public one.
  "ct status dnat snat to ip saddr map @public_of",
])}
}
`;
}

function ruleLine(rule: FirewallRule, verdict: "accept" | "return"): string {
  const words: string[] = [];
  if (!rule.cidr.endsWith("/0")) {
    // Before the 1:1 NAT, as a security group sees it.
    words.push(rule.direction === "ingress" ? `ip saddr ${rule.cidr}` : `ct original ip daddr ${rule.cidr}`);
  }
  if (rule.protocol === "tcp" || rule.protocol === "udp") {
    words.push(`${rule.protocol} dport ${rule.fromPort}-${rule.toPort}`);
  } else if (rule.protocol === "icmp") {
    // EC2 keeps type and code in the fields of the ports; -1 is any.
    words.push(rule.fromPort === -1 ? "meta l4proto icmp" : `icmp type ${rule.fromPort}`);
    if (rule.fromPort !== -1 && rule.toPort !== -1) words.push(`icmp code ${rule.toPort}`);
  } else if (rule.protocol !== "-1") {
    words.push(`meta l4proto ${rule.protocol}`);
  }
  return [...words, verdict].join(" ");
}

function chain(name: string, lines: readonly string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join("")}  }`;
}

function map(name: string, type: string, elements: readonly string[]): string {
  return `  map ${name} { type ${type};${elementsLine(elements)} }`;
}

function set(name: string, type: string, elements: readonly string[]): string {
  return `  set ${name} { type ${type};${elementsLine(elements)} }`;
}

function elementsLine(elements: readonly string[]): string {
  return elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} };`;
}

function vmap(key: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${key} vmap { ${elements.join(", ")} }`];
}
