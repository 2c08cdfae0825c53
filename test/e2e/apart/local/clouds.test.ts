import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ask, valuesOf } from "../../../../dns/client.ts";
import { callDaemon } from "../../../../local/api.ts";
import { ensureCloud, runningCloud, stopCloud, worldState } from "../../../../local/cloud.ts";
import type { CloudInfo } from "../../../../local/types.ts";
import { eventually } from "../../../eventually.ts";
import { leftovers, processesOf } from "../../leftovers.ts";
import {
  inMachine,
  keptOf,
  knock,
  laboratory,
  machineSpec,
  ownPaths,
  removeCloud,
  ssh,
  untilLogin,
  wideOpen,
} from "./laboratory.ts";

const id = "i-0c1b2c3d4e5f60001";

function workingIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && readlink(`/proc/${name}/cwd`) === folder)
    .map(Number);
}

/** Some of what a start runs is over by itself in the moment that it is to be killed. */
function killHard(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function readlink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Waits for what a cloud does by itself. */
const soon = (what: string, holds: () => Promise<unknown>) => eventually(what, 30, holds, 20);

test("two clouds side by side do not meet", async (t) => {
  const labs = [await laboratory("left")];
  t.after(() => Promise.all(labs.map((lab) => lab.end())));
  labs.push(await laboratory("right"));
  const addresses = labs.map((lab) => lab.world.publicPool[0] ?? "");
  assert.equal(new Set(addresses).size, 2);
  for (const [index, { world }] of labs.entries()) {
    // The same private addresses in both, as any two accounts have.
    await world.launch(machineSpec(id.replace("c", String(index))));
    await world.setFirewall(id.replace("c", String(index)), wideOpen);
    await world.mapAddress(addresses[index] ?? "", "10.20.0.5");
    const name = "mail.example.org";
    await world.dns.setRrset("example.org", name, "A", [
      { name, type: "A", ttl: 60, rdata: addresses[index] ?? "" },
    ]);
  }
  for (const [index, { world }] of labs.entries()) {
    const [own, foreign] = [addresses[index] ?? "", addresses[1 - index] ?? ""];
    await untilLogin(own);
    assert.deepEqual(await world.dns.resolve("mail.example.org", "A"), [own]);
    const reaches = (host: string) => `timeout 2 bash -c 'head -n 1 </dev/tcp/${host}/22'`;
    assert.match(await ssh(own, reaches(own)), /^SSH/);
    await assert.rejects(ssh(own, reaches(foreign)));
    await assert.rejects(inMachine(world, id.replace("c", String(index)), `ping -c 1 -W 1 ${foreign}`));
  }
  // The end of one is not felt in the other.
  const [left, right] = labs as [(typeof labs)[0], (typeof labs)[0]];
  await left.end();
  labs.shift();
  assert.equal(leftovers(left.world.network.slot, left.paths.folder), "");
  assert.match(await knock(addresses[1] ?? "", 22), /^open SSH/);
  assert.equal((await ask(right.world.network.addresses.resolver, "example.org", "SOA")).authentic, true);
});

test("the daemon: start, kill -9 of it and of its children, start, stop", async (t) => {
  const paths = await ownPaths("daemon");
  const slot = () => Number(readFileSync(paths.slot, "utf8"));
  after(async () => {
    await stopCloud(paths);
    removeCloud(paths, slot());
  });
  let info = await ensureCloud(paths);
  /** Kills it, and waits until there is another one. */
  const killService = async (name: string) => {
    const before = (await worldState(paths)).services[name];
    assert.ok(before !== undefined);
    process.kill(before, "SIGKILL");
    await soon(`another ${name}`, async () => {
      const now = (await worldState(paths)).services[name];
      return now !== undefined && now !== before;
    });
  };
  assert.equal(info.slot, slot());
  assert.equal((await ensureCloud(paths)).pid, info.pid);
  assert.deepEqual(valuesOf((await ask(info.resolver, "mx.example.net", "A")).answers), [info.peer.address]);
  assert.deepEqual(valuesOf((await ask(info.resolver, "example.org", "A")).answers), ["198.51.100.80"]);

  await t.test("a service that dies is started again", async () => {
    await killService("resolver");
    await soon("the resolver answers", async () =>
      assert.equal((await ask(info.resolver, "example.org", "SOA")).authentic, true),
    );
  });

  await t.test("the nameserver that dies comes back with what was published in its life", async () => {
    const headers = { authorization: `Bearer ${info.cloudflareToken}`, "content-type": "application/json" };
    const zones = (await (await fetch(`${info.cloudflareUrl}/zones`, { headers })).json()) as {
      result: readonly { id: string; name: string }[];
    };
    const zone = zones.result.find(({ name }) => name === "example.org")?.id;
    const record = { type: "A", name: "late.example.org", content: "198.51.100.7", ttl: 60, proxied: false };
    const body = JSON.stringify(record);
    await fetch(`${info.cloudflareUrl}/zones/${zone}/dns_records`, { method: "POST", headers, body });
    assert.deepEqual(valuesOf((await ask(info.resolver, record.name, "A")).answers), [record.content]);
    await killService("knotd");
    await soon("the nameserver has it", async () => {
      const { answers, authoritative } = await ask(info.nameservers[0] ?? "", record.name, "A");
      assert.deepEqual([valuesOf(answers), authoritative], [[record.content], true]);
    });
  });

  await t.test("the authority that dies comes back with another root, which is told", async () => {
    await killService("pebble");
    const told = () => JSON.parse(readFileSync(paths.info, "utf8")) as CloudInfo;
    await soon("another root", async () => assert.notEqual(told().issuerCa, info.issuerCa));
    assert.ok(told().issuerCa.endsWith(info.issuerCa), "certificates from before are still trusted");
    info = told();
  });

  await t.test("with the daemon dies everything, and the next start has it back", async () => {
    process.kill(info.pid, "SIGKILL");
    await soon("all of it has ended", async () => assert.deepEqual(processesOf(paths.folder), []));
    assert.equal(await runningCloud(paths), undefined);
    const again = await ensureCloud(paths);
    assert.notEqual(again.pid, info.pid);
    assert.equal(again.slot, info.slot);
    assert.equal(again.trustAnchor, info.trustAnchor);
    assert.ok(again.issuerCa.endsWith(info.issuerCa), "certificates from before are still trusted");
    assert.equal((await ask(again.resolver, "example.org", "SOA")).authentic, true);
  });

  await t.test("stop leaves nothing behind", async () => {
    assert.equal(await stopCloud(paths), true);
    assert.equal(leftovers(slot(), paths.folder), "");
    assert.equal(await stopCloud(paths), false);
    await assert.rejects(callDaemon(paths, "GET", "/world/state"));
  });

  await t.test("stop after a kill -9 sweeps up as well", async () => {
    process.kill((await ensureCloud(paths)).pid, "SIGKILL");
    await stopCloud(paths);
    assert.equal(leftovers(slot(), paths.folder), "");
  });

  await t.test("a daemon that hangs is named, and stop ends it by force", async () => {
    const { pid } = await ensureCloud(paths);
    process.kill(pid, "SIGSTOP");
    await assert.rejects(runningCloud(paths), new RegExp(`process ${pid}\\) does not answer.*npm stop`));
    assert.equal(await stopCloud(paths), true);
    assert.equal(leftovers(slot(), paths.folder), "");
  });

  await t.test("a start that is killed in its middle holds nobody up", async () => {
    for (const moment of [50, 400, 1200]) {
      const starting = ensureCloud(paths).catch((error: Error) => error);
      await pause(moment);
      // Its folder is where it works (local/cloud.ts).
      for (const pid of workingIn(paths.folder)) killHard(pid);
      await starting;
      assert.equal((await ensureCloud(paths)).slot, slot());
      await stopCloud(paths);
      assert.equal(leftovers(slot(), paths.folder), "");
    }
  });
});

test("stop after a kill -9 of the daemon leaves nothing of its machines", async (t) => {
  const paths = await ownPaths("killed");
  t.after(async () => {
    await stopCloud(paths, true);
    removeCloud(paths, slot());
  });
  const slot = () => Number(readFileSync(paths.slot, "utf8"));
  const info = await ensureCloud(paths);
  const call = async (action: string, body: object) =>
    (await callDaemon(paths, "POST", `/aws/${action}`, body)) as Record<string, unknown>;
  const [image] = (await call("DescribeImages", { Owners: ["136693071363"] })).Images as {
    ImageId: string;
    Architecture: string;
  }[];
  assert.ok(image);
  const instanceType = image.Architecture === "arm64" ? "t4g.small" : "t3.small";
  const launch = { ImageId: image.ImageId, InstanceType: instanceType, MinCount: 1, MaxCount: 1 };
  const [machine] = (await call("RunInstances", launch)).Instances as {
    InstanceId: string;
    Placement: { AvailabilityZone: string };
  }[];
  const id = machine?.InstanceId ?? "";
  await soon("the machine runs", async () => (await worldState(paths)).machines[0]?.leader !== undefined);
  const zone = machine?.Placement.AvailabilityZone;
  const { VolumeId } = await call("CreateVolume", { AvailabilityZone: zone, Size: 1 });
  await soon("the volume can be attached", async () => {
    await call("AttachVolume", { VolumeId, InstanceId: id, Device: "/dev/sdf" });
  });
  // What is looked for in vain afterwards; mounts are in the machine's own namespace.
  assert.deepEqual(
    [...new Set(leftovers(slot(), paths.folder).match(/^[a-z ]+(?=: )/gm))],
    ["device", "route", "namespace", "table", "control group", "loop", "process"],
  );
  assert.notDeepEqual(keptOf(id), []);

  process.kill(info.pid, "SIGKILL");
  await stopCloud(paths);
  assert.equal(leftovers(slot(), paths.folder), "");
  assert.deepEqual(keptOf(id), []);

  // And the next life has it back.
  await ensureCloud(paths);
  await soon("the machine runs", async () => (await worldState(paths)).machines[0]?.leader !== undefined);
});
