import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { ports } from "../../check/items/ports.ts";
import { fromOutside } from "../../check/outside.ts";
import { sshServer } from "../ssh/server.ts";
import { lines, port, target, texts } from "./fixtures.ts";

// An address of loopback that is nobody else's, so that "no other port is open" can be true.
const address = "127.91.25.1";
const facts = { publicIpv4: address, publicKeys: {} };

async function open(t: TestContext, number = 0): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => undefined));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(number, address, resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const bundlesOf = (...list: ReturnType<typeof port>[]) => [{ name: "test", units: [], ports: list }];

test("the plan's port is open and no other: right", async (t) => {
  const number = await open(t);
  const found = await lines(ports, target({ facts, bundles: bundlesOf(port("smtp", number)) }));
  assert.equal(found.length, 2);
  assert.equal(found[0], `right: port ${number} (smtp) is open`);
  assert.match(found[1] ?? "", /^right: \d\d other common ports are closed$/);
});

test("where there is webmail, port 80 sleeps never", async () => {
  const found = await lines(
    ports,
    target({ facts, bundles: bundlesOf(port("http", 80), port("https", 443)) }),
  );
  assert.equal(found[0], "wrong: port 80 (http) refuses connections");
});

test("a port of the plan that is closed is wrong, but for the one that sleeps between renewals", async () => {
  const found = await lines(
    ports,
    target({ facts, bundles: bundlesOf(port("imaps", 993), port("http", 80)) }),
  );
  assert.deepEqual(found.slice(0, 2), [
    "wrong: port 993 (imaps) refuses connections",
    "right: port 80 (http) is open, and idle: the certificate's renewal uses it",
  ]);
});

test("a port that the plan does not have, and DNS for strangers, are wrong", async (t) => {
  await open(t, 8080);
  const resolver = createSocket("udp4");
  resolver.on("message", (question, from) => resolver.send(question, from.port, from.address));
  await new Promise<void>((resolve) => resolver.bind(53, address, resolve));
  t.after(() => resolver.close());
  assert.deepEqual(await lines(ports, target({ facts })), [
    "wrong: port 8080 is open, and the plan does not have it",
    "wrong: the host answers DNS questions of strangers (UDP port 53)",
  ]);
});

/** Whether this machine has IPv6 at all, be it to itself. */
function listensOnIpv6(t: TestContext): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.on("error", () => undefined));
    t.after(() => server.close());
    server.once("error", () => resolve(undefined));
    server.listen(0, "::1", () => resolve((server.address() as AddressInfo).port));
  });
}

test("the IPv6 address is looked at where there is a way to it; where there is none, that is said", async (t) => {
  const number = await listensOnIpv6(t);
  const bundles = bundlesOf(port("smtp", number ?? 25), port("ssh", 22, ["127.0.0.0/8"]));
  const found = await lines(ports, target({ facts: { ...facts, publicIpv6: "::1" }, bundles }));
  if (number === undefined) {
    assert.ok(
      found.includes("not looked at: the ports over IPv6 (::1): this machine has no IPv6 of its own"),
    );
  } else {
    assert.ok(found.includes(`right: port ${number} (smtp) over IPv6 is open`), found.join("\n"));
    assert.ok(found.includes("right: port 22 (ssh) over IPv6 is closed from here"), found.join("\n"));
  }
});

test("a restricted port: whoever asks has to be among its networks", async (t) => {
  const ssh = await sshServer(t, address);
  const bundles = (from: string) => bundlesOf(port("ssh", ssh.port, [from]));
  const [allowed] = await lines(ports, target({ facts, ssh, bundles: bundles("127.0.0.0/8") }));
  assert.match(allowed ?? "", /^right: port \d+ \(ssh\) is open to 127\.\S+, which the plan allows$/);
  const host = fromOutside(target({ facts, ssh, bundles: bundles("192.0.2.0/24") }));
  const [finding] = await ports.look(host).finally(() => host.close());
  // The host's own rules say nothing of who may come to port 22.
  assert.match(finding?.remedy ?? "", /security group/);
  assert.doesNotMatch(finding?.remedy ?? "", /nftables/);
  const [forbidden] = texts(finding ? [finding] : []);
  assert.match(
    forbidden ?? "",
    /^wrong: port \d+ \(ssh\) is open to 127\.\S+, which the plan does not allow$/,
  );
  const closed = await lines(
    ports,
    target({ facts, ssh, bundles: bundlesOf(port("ssh", 22, ["127.0.0.0/8"])) }),
  );
  assert.equal(closed[0], "wrong: port 22 (ssh) is closed from here");
  const unknown = await lines(ports, target({ facts, bundles: bundlesOf(port("ssh", 22, ["127.0.0.0/8"])) }));
  assert.equal(unknown[0], "right: port 22 (ssh) is closed from here");
});
