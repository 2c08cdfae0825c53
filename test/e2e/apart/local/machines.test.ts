import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import type { FirewallRule } from "../../../../local/types.ts";
import { listenInside } from "../../../../local/world/sockets.ts";
import { eventually } from "../../../eventually.ts";
import { leftovers } from "../../leftovers.ts";
import {
  inMachine,
  knock,
  type Laboratory,
  laboratory,
  machineSpec,
  ssh,
  untilLogin,
  untilThere,
  wideOpen,
} from "./laboratory.ts";

const id = "i-0a1b2c3d4e5f60001";
const volume = "vol-0a1b2c3d4e5f60001";
const disk = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume.replace("-", "")}`;
let lab: Laboratory;
let address: string;

before(async () => {
  lab = await laboratory("machines");
  [address] = lab.world.publicPool as [string];
});
after(() => lab.end());

function rule(direction: "ingress" | "egress", protocol: string, port: number, cidr: string): FirewallRule {
  return { direction, protocol, fromPort: port, toPort: port, cidr };
}

/** Who a server on the internet says it is speaking to. */
async function echoServer(t: TestContext, port: number): Promise<void> {
  const { world } = lab;
  const server = await listenInside(world.network.internet, world.network.addresses.peer, port);
  t.after(() => server.close());
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.end(`${socket.remoteAddress}\n`);
    socket.resume();
  });
}

const callOut = (host: string, port: number) => `timeout 2 bash -c 'head -n 1 </dev/tcp/${host}/${port}'`;

test("a machine boots, does its cloud-init and takes a login", async () => {
  const { world } = lab;
  await world.launch(machineSpec(id));
  await world.setFirewall(id, wideOpen);
  await world.mapAddress(address, "10.20.0.5");
  const milliseconds = await untilLogin(address);
  assert.ok(milliseconds < 30_000, `${milliseconds} ms`);
  assert.match(await ssh(address, "cloud-init status --wait"), /status: done/);
  assert.equal((await ssh(address, "systemctl is-system-running --wait")).trim(), "running");
  assert.equal((await ssh(address, "hostname -f")).trim(), "mail.example.org");
  assert.match(await ssh(address, "cat /etc/os-release"), /VERSION_ID="13"/);
});

test("it sees its private address alone, and the world sees its public one", async (t) => {
  const { world } = lab;
  const addresses = await ssh(address, "ip -brief -4 address show dev host0");
  assert.match(addresses, /10\.20\.0\.5\/24/);
  assert.doesNotMatch(addresses, /198\.18/);
  await echoServer(t, 4000);
  const { peer } = world.network.addresses;
  assert.equal((await ssh(address, callOut(peer, 4000))).trim(), address);
  // Its own public address leads back to it, and it comes from there.
  assert.match(await ssh(address, callOut(address, 22)), /^SSH-2\.0/);
});

test("without a public address it has no internet, but names", async (t) => {
  const { world } = lab;
  const { peer } = world.network.addresses;
  await echoServer(t, 4000);
  await world.mapAddress(address, undefined);
  assert.equal(await knock(address, 22), "silence");
  await assert.rejects(inMachine(world, id, callOut(peer, 4000)));
  assert.match(await inMachine(world, id, "getent ahostsv4 acme.example.net"), /198\.18\./);
  await world.mapAddress(address, "10.20.0.5");
  assert.equal((await inMachine(world, id, callOut(peer, 4000))).trim(), address);
});

test("the security group really filters, both ways, and open connections live on", async (t) => {
  const { world } = lab;
  const { peer } = world.network.addresses;
  await echoServer(t, 4000);
  const hello =
    "import socket as s\nl=s.create_server(('', 8080))\nwhile 1:\n c=l.accept()[0]; c.send(b'hello'); c.close()";
  await ssh(address, `systemd-run --quiet python3 -c "${hello}"`);
  const login = rule("ingress", "tcp", 22, "203.0.113.1/32");
  await world.setFirewall(id, [login]);
  assert.match(await knock(address, 22), /^open SSH/);
  assert.equal(await knock(address, 8080), "silence");
  await assert.rejects(ssh(address, callOut(peer, 4000)));

  await world.setFirewall(id, [
    login,
    rule("ingress", "tcp", 8080, "0.0.0.0/0"),
    rule("egress", "tcp", 4000, `${peer}/32`),
  ]);
  assert.equal(await knock(address, 8080), "open hello");
  assert.equal((await ssh(address, callOut(peer, 4000))).trim(), address);

  await world.setFirewall(id, [
    login,
    rule("ingress", "tcp", 8080, "198.51.100.0/24"),
    rule("egress", "tcp", 4000, "198.51.100.0/24"),
  ]);
  assert.equal(await knock(address, 8080), "silence");
  await assert.rejects(ssh(address, callOut(peer, 4000)));

  // A group without its login rule: what is open stays, as on EC2.
  const longRunning = ssh(address, "echo first; touch /run/logged-in; sleep 2; echo second");
  await untilThere(world, id, "/run/logged-in");
  await world.setFirewall(id, []);
  assert.equal(await longRunning, "first\nsecond\n");
  assert.equal(await knock(address, 22), "silence");
  await world.setFirewall(id, wideOpen);
});

test("outbound port 25 can be blocked, and nothing else with it", async (t) => {
  const { world } = lab;
  const { peer } = world.network.addresses;
  await echoServer(t, 25);
  await echoServer(t, 4000);
  assert.equal((await ssh(address, callOut(peer, 25))).trim(), address);
  await world.setPort25Blocked(true);
  await assert.rejects(ssh(address, callOut(peer, 25)));
  assert.equal((await ssh(address, callOut(peer, 4000))).trim(), address);
  await world.setPort25Blocked(false);
  assert.equal((await ssh(address, callOut(peer, 25))).trim(), address);
});

test("packages install from the mirror, and a second time without a download", async () => {
  const { world } = lab;
  await ssh(
    address,
    "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y tree >/dev/null",
  );
  assert.match(await ssh(address, "tree --version"), /tree v/);
  await ssh(address, "apt-get -qq purge -y tree >/dev/null && apt-get -qq clean");
  const before = world.mirror.downloads;
  await ssh(address, "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y tree >/dev/null");
  assert.equal(world.mirror.downloads, before);
});

test("a volume appears in the running machine, grows, and goes", async () => {
  const { world } = lab;
  await world.createVolume(volume, 1);
  await world.attachVolume(volume, id);
  await ssh(
    address,
    `mkfs.ext4 -q ${disk} && mkdir -p /srv/data && mount ${disk} /srv/data && echo kept >/srv/data/file && sync`,
  );
  assert.match(await ssh(address, `readlink -f ${disk}`), /^\/dev\/nvme1n1$/m);
  await world.createVolume(volume, 2);
  assert.equal((await ssh(address, `blockdev --getsize64 ${disk}`)).trim(), String(2 * 1024 ** 3));
  await ssh(address, `umount /srv/data`);
  await world.detachVolume(volume, id);
  assert.equal((await ssh(address, `test -e ${disk} || test -e /dev/nvme1n1 || echo gone`)).trim(), "gone");
  await world.attachVolume(volume, id);
  // Twice is once.
  await world.attachVolume(volume, id);
  assert.equal((await ssh(address, `mount ${disk} /srv/data && cat /srv/data/file`)).trim(), "kept");
});

test("a reboot from inside comes back with the disk, at boot", async () => {
  const { world } = lab;
  await ssh(
    address,
    "printf '[Mount]\\nWhat=%s\\nWhere=/srv/data\\n[Install]\\nWantedBy=local-fs.target\\n' " +
      disk +
      " >/etc/systemd/system/srv-data.mount && systemctl enable -q srv-data.mount",
  );
  await ssh(address, "touch /run/marker; systemctl reboot").catch(
    () => "the connection ends with the machine",
  );
  await eventually("it is another boot", 60, () => ssh(address, "test ! -e /run/marker"), 50);
  assert.equal(await world.state(id), "running");
  assert.equal((await ssh(address, "cat /srv/data/file")).trim(), "kept");
});

test("a power cut loses nothing that was on disk, and what was not", async () => {
  const { world } = lab;
  const load = ssh(
    address,
    "i=0; while :; do i=$((i+1)); echo $i >/srv/data/new; sync /srv/data/new; mv /srv/data/new /srv/data/count; sync /srv/data; echo $i; done",
  ).catch((error: Error) => error);
  await untilThere(world, id, "/srv/data/count");
  const reached = Number(await inMachine(world, id, "cat /srv/data/count"));
  assert.ok(reached > 0);
  assert.equal((await inMachine(world, id, "echo lost >/srv/data/lost; cat /srv/data/lost")).trim(), "lost");
  await world.cutPower(id, true);
  await load;
  assert.equal(await world.state(id), "stopped");
  assert.equal(await knock(address, 22), "silence");
  await world.start(id);
  await untilLogin(address);
  assert.ok(Number(await ssh(address, "cat /srv/data/count")) >= reached);
  assert.equal((await ssh(address, "cat /srv/data/file")).trim(), "kept");
  assert.equal((await ssh(address, "cat /srv/data/lost || true")).trim(), "");
});

test("powered off from inside it is stopped; stop and start bring it back", async () => {
  const { world } = lab;
  await ssh(address, "systemctl poweroff").catch(() => "the connection ends with the machine");
  await eventually("it is off", 60, async () => (await world.state(id)) !== "running", 50);
  await world.start(id);
  await untilLogin(address);
  await world.stop(id);
  assert.equal(await world.state(id), "stopped");
  await world.start(id);
  await untilLogin(address);
});

test("another life of the world has the same machine, disk and address", async () => {
  const { world, paths } = lab;
  await ssh(address, "echo here >/root/mark");
  await world.close();
  assert.equal(leftovers(world.network.slot, paths.folder), "");
  await world.raise();
  await world.open();
  await untilLogin(address);
  assert.equal((await ssh(address, "cat /root/mark /srv/data/file")).trim(), "here\nkept");
});

test("a machine that is terminated leaves its volume, and a new one gets it before it boots", async () => {
  const { world } = lab;
  const next = "i-0a1b2c3d4e5f60002";
  await world.terminate(id);
  assert.equal(await world.state(id), "absent");
  await world.launch(machineSpec(next));
  await world.attachVolume(volume, next);
  await world.setFirewall(next, wideOpen);
  await untilLogin(address);
  assert.equal(
    (await ssh(address, `mkdir /srv/data && mount ${disk} /srv/data && cat /srv/data/file`)).trim(),
    "kept",
  );
  await world.terminate(next);
  await world.deleteVolume(volume);
});
