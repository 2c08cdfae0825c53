import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { callDaemon, ensureCloud, runningCloud, stopCloud, worldState } from "../../../local/cloud.ts";
import { ask } from "../../../local/world/ask.ts";
import {
  holders,
  inMachine,
  knock,
  laboratory,
  machineSpec,
  ownPaths,
  removeCloud,
  ssh,
  traces,
  untilLogin,
  wideOpen,
} from "./laboratory.ts";

const id = "i-0c1b2c3d4e5f60001";

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
  assert.deepEqual(Object.values(await traces(left.world.network.slot)).join(""), "");
  assert.match(await knock(addresses[1] ?? "", 22), /^open SSH/);
  assert.equal((await ask(right.world.network.addresses.resolver, "example.org", "SOA")).authenticated, true);
});

test("the daemon: start, kill -9 of it and of its children, start, stop", async (t) => {
  const paths = await ownPaths("daemon");
  const slot = () => Number(readFileSync(paths.slot, "utf8"));
  after(async () => {
    await stopCloud(paths);
    removeCloud(paths, slot());
  });
  const info = await ensureCloud(paths);
  assert.equal(info.slot, slot());
  assert.equal((await ensureCloud(paths)).pid, info.pid);
  assert.equal((await ask(info.resolver, "mx.example.net", "A")).rdata[0], info.peer.address);
  assert.deepEqual((await ask(info.resolver, "example.org", "A")).rdata, ["198.51.100.80"]);

  await t.test("a service that dies is started again", async () => {
    const { resolver } = (await worldState(paths)).services;
    assert.ok(resolver !== undefined);
    process.kill(resolver, "SIGKILL");
    for (;;) {
      const now = (await worldState(paths)).services.resolver;
      if (now !== undefined && now !== resolver) break;
      await pause(20);
    }
    for (;;) {
      const answer = await ask(info.resolver, "example.org", "SOA").catch(() => undefined);
      if (answer?.authenticated) break;
      await pause(20);
    }
  });

  await t.test("with the daemon dies everything, and the next start has it back", async () => {
    process.kill(info.pid, "SIGKILL");
    while ((await holders(paths.folder)).processes !== "") await pause(20);
    assert.equal(await runningCloud(paths), undefined);
    const again = await ensureCloud(paths);
    assert.notEqual(again.pid, info.pid);
    assert.equal(again.slot, info.slot);
    assert.equal(again.trustAnchor, info.trustAnchor);
    assert.ok(again.issuerCa.endsWith(info.issuerCa), "certificates from before are still trusted");
    assert.equal((await ask(again.resolver, "example.org", "SOA")).authenticated, true);
  });

  await t.test("stop leaves nothing behind", async () => {
    assert.equal(await stopCloud(paths), true);
    assert.deepEqual(Object.values(await traces(slot())).join(""), "");
    assert.deepEqual(Object.values(await holders(paths.folder)).join(""), "");
    assert.equal(await stopCloud(paths), false);
    await assert.rejects(callDaemon(paths, "GET", "/world/state"));
  });

  await t.test("stop after a kill -9 sweeps up as well", async () => {
    process.kill((await ensureCloud(paths)).pid, "SIGKILL");
    await stopCloud(paths);
    assert.deepEqual(Object.values(await traces(slot())).join(""), "");
    assert.deepEqual(Object.values(await holders(paths.folder)).join(""), "");
  });
});
