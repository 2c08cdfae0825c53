import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import ssh2 from "ssh2";
import sshpk from "sshpk";
import { HostUnderCheck } from "../../check/host.ts";
import { ports } from "../../check/items/ports.ts";
import { openSsh } from "../../check/ssh.ts";
import type { SshAccess } from "../../check/types.ts";
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

/** In OpenSSH's form. One in a hundred of those that ssh2 itself makes is malformed. */
function keyPair(): { readonly private: string; readonly public: string } {
  const key = sshpk.generatePrivateKey("ed25519");
  return { private: key.toString("ssh"), public: key.toPublic().toString("ssh") };
}

/** A real SSH server that runs what it is asked to with sh, and says who asks as sshd does. */
async function sshServer(t: TestContext): Promise<SshAccess> {
  const host = keyPair();
  const user = keyPair();
  const allowed = ssh2.utils.parseKey(user.public);
  assert.ok(!(allowed instanceof Error));
  const server = new ssh2.Server({ hostKeys: [host.private] }, (client, info) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      const known =
        context.method === "publickey" &&
        context.key.data.equals(allowed.getPublicSSH()) &&
        (context.signature === undefined ||
          allowed.verify(context.blob as Buffer, context.signature, context.hashAlgo) === true);
      known ? context.accept() : context.reject();
    });
    let sessions = 0;
    client.on("session", (accept, reject) => {
      // As sshd does beyond ten (sshd_config(5), MaxSessions); here earlier, so that it is asked again.
      if (sessions === 3) {
        reject();
        return;
      }
      sessions += 1;
      accept().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const env = { ...process.env, SSH_CONNECTION: `${info.ip} ${info.port} ${address} 22` };
        const child = spawn("sh", ["-c", command], { env });
        child.stdout.on("data", (part) => channel.write(part));
        child.stderr.on("data", (part) => channel.stderr.write(part));
        child.on("close", (code) => {
          sessions -= 1;
          channel.exit(code ?? 255);
          channel.end();
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const number = (server.address() as AddressInfo).port;
  return { host: address, port: number, user: "admin", privateKey: user.private, hostKey: host.public };
}

test("SSH: commands come back whole; quoting holds; another host key is refused", async (t) => {
  const access = await sshServer(t);
  const session = await openSsh(access);
  assert.deepEqual(await session.run(`printf '%s' "it's" "$((6 * 7))"; echo oh >&2; exit 3`), {
    code: 3,
    stdout: "it's42",
    stderr: "oh\n",
  });
  // More at once than the server takes on one login.
  const many = Array.from({ length: 30 }, (_, n) => session.run(`sleep 0.2; echo ${n}`));
  assert.deepEqual(
    (await Promise.all(many)).map(({ stdout }) => stdout),
    many.map((_, n) => `${n}\n`),
  );
  session.close();
  const other = keyPair().public;
  await assert.rejects(openSsh({ ...access, hostKey: other }), /shows a host key that is not the stack's/);
  const stranger = keyPair().private;
  await assert.rejects(openSsh({ ...access, privateKey: stranger }), /no login at admin@127\.91\.25\.1/);
});

test("a restricted port: whoever asks has to be among its networks", async (t) => {
  const ssh = await sshServer(t);
  const bundles = (from: string) => bundlesOf(port("ssh", ssh.port, [from]));
  const [allowed] = await lines(ports, target({ facts, ssh, bundles: bundles("127.0.0.0/8") }));
  assert.match(allowed ?? "", /^right: port \d+ \(ssh\) is open to 127\.\S+, which the plan allows$/);
  const host = new HostUnderCheck(target({ facts, ssh, bundles: bundles("192.0.2.0/24") }));
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
