import assert from "node:assert/strict";
import { test } from "node:test";
import { closedToSsh } from "../../components/firewall.ts";

const ssh = (...cidrBlocks: readonly string[]) => [
  { fromPort: 25, cidrBlocks: ["0.0.0.0/0"] },
  { fromPort: 22, cidrBlocks },
];

test("networks that lose port 22, and no others", () => {
  const home = "203.0.113.7/32";
  assert.deepEqual(closedToSsh(ssh(home), ssh("198.51.100.0/24")), [home]);
  assert.deepEqual(closedToSsh(ssh(home), ssh(home, "198.51.100.0/24")), []);
  assert.deepEqual(closedToSsh(ssh(home), ssh("203.0.113.0/24")), []);
  assert.deepEqual(closedToSsh(ssh("203.0.113.0/24"), ssh(home)), ["203.0.113.0/24"]);
  assert.deepEqual(closedToSsh(ssh(home), ssh("0.0.0.0/0")), []);
});

test("IPv6 apart from IPv4", () => {
  const both = [{ fromPort: 22, cidrBlocks: ["203.0.113.7/32"], ipv6CidrBlocks: ["2001:db8:7::/48"] }];
  assert.deepEqual(closedToSsh(both, ssh("0.0.0.0/0")), ["2001:db8:7::/48"]);
});
