import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

const run = await runProgram({ ...stack, network: { ipv6: true, cidr: "10.9.0.0/20" } });

test("IPv6 in a VPC of its own: Amazon's block, the subnet's first /64 of it, and a way out", () => {
  const { inputs: vpc } = run.find("network-vpc");
  assert.deepEqual([vpc.cidrBlock, vpc.assignGeneratedIpv6CidrBlock], ["10.9.0.0/20", true]);
  const { inputs: subnet } = run.find("network-subnet");
  assert.deepEqual(
    [subnet.cidrBlock, subnet.ipv6CidrBlock, subnet.assignIpv6AddressOnCreation],
    ["10.9.0.0/24", "2001:db8:1::/64", true],
  );
  assert.deepEqual(run.find("network-routes").inputs.routes, [
    { cidrBlock: "0.0.0.0/0", gatewayId: "id-of-network-gateway" },
    { ipv6CidrBlock: "::/0", gatewayId: "id-of-network-gateway" },
  ]);
  const { inputs: machine } = run.find("server-instance");
  assert.deepEqual([machine.subnetId, machine.ipv6AddressCount], ["id-of-network-subnet", 1]);
  assert.equal(run.find("dns-aaaa:mail.example.org").inputs.content, "2001:db8:1::5");
});
