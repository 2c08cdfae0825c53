import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

const run = await runProgram({
  ...stack,
  ssh: { from: "the-whole-internet" },
  network: { subnetId: "subnet-0123456789abcdef0", ipv6: true },
  server: { architecture: "amd64" },
  clientSetup: false,
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
