import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

const run = await runProgram({
  ...stack,
  ssh: { from: "the-whole-internet" },
  network: { subnetId: "subnet-0123456789abcdef0", ipv6: true },
  server: { architecture: "amd64" },
  clientSetup: false,
  mtaSts: false,
  egress: "restricted",
});

test("an existing subnet is lived in, and no VPC is made", () => {
  const networks = run.registrations.filter(({ name }) => name.startsWith("network-"));
  assert.deepEqual(networks, []);
  assert.equal(run.find("server-instance").inputs.subnetId, "subnet-0123456789abcdef0");
  assert.equal(run.find("firewall-group").inputs.vpcId, "vpc-existing");
  assert.equal(run.find("server-data").inputs.availabilityZone, "eu-central-1b");
});

test("IPv6: an address, its record, the same ports", () => {
  assert.equal(run.find("server-instance").inputs.ipv6AddressCount, 1);
  assert.equal(run.find("dns-aaaa:mail.example.org").inputs.content, "2001:db8:1::5");
  const ingress = run.find("firewall-group").inputs.ingress as readonly { ipv6CidrBlocks?: string[] }[];
  for (const rule of ingress) assert.deepEqual(rule.ipv6CidrBlocks, ["::/0"]);
});

test("egress: the security group lets out what the plan has, and no more", () => {
  const egress = run.find("firewall-group").inputs.egress as readonly {
    description: string;
    protocol: string;
    fromPort: number;
    toPort: number;
    cidrBlocks?: string[];
    ipv6CidrBlocks?: string[];
  }[];
  assert.deepEqual(
    egress.map(({ protocol, fromPort, toPort }) => [protocol, fromPort, toPort]),
    [
      ["tcp", 25, 25],
      ["udp", 53, 53],
      ["tcp", 53, 53],
      ["tcp", 80, 80],
      ["tcp", 443, 443],
      ["udp", 11335, 11335],
      ["udp", 123, 123],
      ["icmp", -1, -1],
      ["icmpv6", -1, -1],
    ],
  );
  for (const { description, ...rule } of egress) {
    assert.match(description, /^[0-9A-Za-z_ .:/()#,@[\]+=&;{}!$*-]{1,255}$/);
    if (rule.protocol !== "icmpv6") assert.deepEqual(rule.cidrBlocks, ["0.0.0.0/0"]);
    if (rule.protocol !== "icmp") assert.deepEqual(rule.ipv6CidrBlocks, ["::/0"]);
  }
});

test("nothing for the web: no Worker, no name that leads to it", () => {
  assert.deepEqual(
    run.registrations.filter(({ type }) => /worker/i.test(type)),
    [],
  );
  assert.equal(run.outputs.setupPages, undefined);
});

test("amd64 is one word", () => {
  assert.equal(run.find("server-instance").inputs.instanceType, "t3a.small");
});
