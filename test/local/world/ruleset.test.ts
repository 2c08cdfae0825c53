import assert from "node:assert/strict";
import { test } from "node:test";
import type { FirewallRule } from "../../../local/types.ts";
import { renderRuleset } from "../../../local/world/ruleset.ts";

const rule = (
  direction: "ingress" | "egress",
  protocol: string,
  fromPort: number,
  toPort: number,
  cidr = "0.0.0.0/0",
): FirewallRule => ({ direction, protocol, fromPort, toPort, cidr });

/** The lines of one chain. */
function chainOf(text: string, name: string): string[] {
  const body = new RegExp(`chain ${name} \\{\\n([^}]*)\\}`).exec(text)?.[1];
  assert.ok(body !== undefined, `no chain ${name}`);
  return body
    .trim()
    .split("\n")
    .map((line) => line.trim());
}

function machine(...rules: FirewallRule[]) {
  return { link: "ve-1", privateIpv4: "10.20.0.5", rules };
}

test("a security group's rules, each as the packet filter says it", () => {
  const text = renderRuleset({
    machines: [
      machine(
        rule("ingress", "tcp", 25, 25),
        rule("ingress", "tcp", 22, 22, "203.0.113.1/32"),
        rule("ingress", "udp", 4000, 4010),
        rule("ingress", "icmp", -1, -1),
        rule("ingress", "icmp", 8, -1),
        rule("ingress", "icmp", 3, 4),
        rule("egress", "-1", -1, -1),
        rule("egress", "tcp", 443, 443, "192.0.2.0/24"),
      ),
    ],
    addresses: {},
    port25Blocked: false,
  });
  assert.deepEqual(chainOf(text, "ingress_0"), [
    "tcp dport 25-25 accept",
    "ip saddr 203.0.113.1/32 tcp dport 22-22 accept",
    "udp dport 4000-4010 accept",
    "meta l4proto icmp accept",
    "icmp type 8 accept",
    "icmp type 3 icmp code 4 accept",
    "drop",
  ]);
  assert.deepEqual(chainOf(text, "egress_0"), [
    "return",
    "ct original ip daddr 192.0.2.0/24 tcp dport 443-443 return",
    "drop",
  ]);
});

test("without rules nothing goes in or out", () => {
  const text = renderRuleset({ machines: [machine()], addresses: {}, port25Blocked: false });
  assert.deepEqual(chainOf(text, "ingress_0"), ["drop"]);
  assert.deepEqual(chainOf(text, "egress_0"), ["drop"]);
});

test("elastic IPs are mapped both ways", () => {
  const text = renderRuleset({
    machines: [machine()],
    addresses: { "198.18.1.16": "10.20.0.5", "198.18.1.17": "10.20.0.6" },
    port25Blocked: false,
  });
  assert.match(text, /map private_of .*198\.18\.1\.16 : 10\.20\.0\.5, 198\.18\.1\.17 : 10\.20\.0\.6/);
  assert.match(text, /map public_of .*10\.20\.0\.5 : 198\.18\.1\.16, 10\.20\.0\.6 : 198\.18\.1\.17/);
  assert.match(text, /set with_public .*10\.20\.0\.5, 10\.20\.0\.6/);
});

test("port 25 is blocked only when asked for, and before open connections are let through", () => {
  const lines = (blocked: boolean) =>
    chainOf(renderRuleset({ machines: [], addresses: {}, port25Blocked: blocked }), "forward");
  assert.ok(!lines(false).some((line) => line.includes("25")));
  const block = lines(true).findIndex((line) => /tcp dport 25 .*drop/.test(line));
  const established = lines(true).findIndex((line) => line.startsWith("ct state established"));
  assert.ok(block !== -1 && block < established);
});
