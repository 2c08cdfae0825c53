import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { callOtherSide } from "../../check/otherside.ts";
import { imageVersion } from "../image.ts";
import type { CloudPaths } from "../paths.ts";
import { run } from "../run.ts";
import { openStore, type Store } from "../store.ts";
import type { FirewallRule, MachineSpec, SesWorld, World } from "../types.ts";
import { Acme } from "./acme.ts";
import { cloudGroup, endGroup, makeGroup } from "./cgroup.ts";
import { Dns } from "./dns.ts";
import { Edge } from "./edge.ts";
import { forwardDns } from "./forwarder.ts";
import { Machine, type MachineDisk, type TrustedCa } from "./machines.ts";
import { Mirror } from "./mirror.ts";
import { applyRuleset, type Network, networkOf, raiseNetwork, razeNetwork } from "./network.ts";
import { forwarderPort, publicResolver, vpcResolver } from "./resolvers.ts";
import { bindInside, listenInside } from "./sockets.ts";
import { type Service, Supervisor } from "./supervisor.ts";
import { Volumes } from "./volumes.ts";

/** What there is at the moment. */
export interface WorldSummary {
  readonly machines: readonly {
    readonly id: string;
    readonly running: boolean;
    /** Whether it is to run: one that runs not, and is on, lost its power and gets it back at the next wake. */
    readonly on: boolean;
    /** PID of its PID 1, as this machine counts. */
    readonly leader: number | undefined;
    readonly privateIpv4: string;
    readonly volumes: readonly string[];
  }[];
  /** Elastic IPs in use: public to private. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly port25Blocked: boolean;
  /** Zones of the simulated Cloudflare account. */
  readonly zones: readonly string[];
  /** PIDs of the cloud's daemons. */
  readonly services: Readonly<Record<string, number>>;
  /** Files that the package mirror had to fetch since it started. */
  readonly downloads: number;
}

interface WorldState {
  machines: Record<string, MachineRecord>;
  /** Elastic IPs: public to private. */
  addresses: Record<string, string>;
  port25Blocked: boolean;
}

interface MachineRecord {
  readonly spec: MachineSpec;
  readonly image: string;
  /** Whether it runs, or would if the cloud did. */
  on: boolean;
  rules: readonly FirewallRule[];
  /** Volume by disk number: `1` is /dev/nvme1n1. */
  disks: Record<string, string>;
}

/**
 * Makes the simulated cloud's decisions real, on one Linux machine. What it was told is in its state folder before a
 * call resolves; `open` brings all of it back after whatever ended the last life.
 */
export class LocalWorld implements World {
  readonly dns: Dns;
  readonly acme: Acme;
  readonly edge: Edge;
  readonly ses: SesWorld;
  readonly network: Network;
  readonly publicPool: readonly string[];
  readonly mirror: Mirror;
  readonly #paths: CloudPaths;
  readonly #log: (text: string) => void;
  readonly #store: Store<WorldState>;
  readonly #volumes: Volumes;
  readonly #machines = new Map<string, Machine>();
  readonly #group: string;
  /** Close the sockets that this process has in the namespaces. */
  readonly #closers: (() => void)[] = [];
  readonly #trusted: TrustedCa[] = [];
  #supervisor: Supervisor | undefined;
  #filter: Promise<unknown> = Promise.resolve();

  /** @param slot number of this cloud's network, claimed for it */
  constructor(paths: CloudPaths, slot: number, log: (text: string) => void) {
    this.#paths = paths;
    this.#log = log;
    this.network = networkOf(slot);
    this.publicPool = this.network.pool;
    this.#group = cloudGroup(slot);
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    this.#store = openStore(dirname(paths.world), "world.json", () => ({
      machines: {},
      addresses: {},
      port25Blocked: false,
    }));
    this.#volumes = new Volumes(paths.volumes);
    this.dns = new Dns(this.network, paths.dns);
    this.acme = new Acme(this.network, paths.acme, paths.issuers);
    this.edge = new Edge(this.network, this.acme, paths.edge, log);
    this.ses = {
      serve: async (account) => {
        await callOtherSide(paths.peerApi, "/ses", { method: "POST", body: account });
      },
    };
    this.mirror = new Mirror(join(paths.cache, "archive"), log);
  }

  /** Ends what an earlier life left, and brings up the network. */
  async raise(): Promise<void> {
    await this.sweep();
    await raiseNetwork(this.network, this.#paths.folder);
    makeGroup(this.#group);
    this.#supervisor = new Supervisor(join(this.#group, "services"), this.#log);
    await this.#applyFilter();
  }

  /** Brings up the services and the machines that ran. */
  async open(): Promise<void> {
    const supervisor = this.#running();
    const { internet, router, addresses } = this.network;
    // Machines boot while the services start: what they need first is the network.
    const machines = this.wake();
    const sockets = Promise.all([
      bindInside(router, "127.0.0.1", forwarderPort),
      listenInside(router, "127.0.0.1", forwarderPort),
      listenInside(internet, addresses.mirror, 80),
    ]);
    const acme = this.acme.prepare();
    await supervisor.start(await this.dns.prepare());
    const [udp, tcp, http] = await sockets;
    this.#closers.push(
      () => udp.close(),
      () => tcp.close(),
      () => http.close(),
      () => this.mirror.server.closeAllConnections(),
    );
    forwardDns(udp, tcp);
    http.on("connection", (socket) => {
      this.mirror.server.emit("connection", socket);
      socket.resume();
    });
    await Promise.all([
      supervisor.start(publicResolver(this.network, this.#paths.dns)),
      supervisor.start(vpcResolver(this.network, this.dns, this.#paths.dns)),
      supervisor.start(await acme),
      this.edge.open(),
      machines,
    ]);
  }

  /** Starts every machine that is to be on: after a life of the world, or a power cut. */
  async wake(): Promise<void> {
    await Promise.all(
      Object.entries(this.#store.data.machines).map(async ([id, record]) => {
        if (record.on) await this.#machine(id).start();
      }),
    );
  }

  /** Machines that are made from now on know this certificate (PEM) as Debian's know those of the world's CAs. */
  async trust(pem: string): Promise<void> {
    const hash = await run("openssl", ["x509", "-noout", "-hash"], { input: pem });
    this.#trusted.push({ pem, hash: hash.trim() });
  }

  /** Another daemon of this cloud, in the internet's namespace. */
  async serve(service: Omit<Service, "namespace">): Promise<void> {
    await this.#running().start({ ...service, namespace: this.network.internet });
  }

  /**
   * Powers off every machine, ends every daemon, and takes the network away. Disks and state stay.
   * @param hard tears the machines from their power: nobody wants them back
   */
  async close(hard = false): Promise<void> {
    const machines = [...this.#machines.values()];
    await Promise.all(machines.map((machine) => (hard ? machine.cut(false) : machine.stop())));
    for (const close of this.#closers.splice(0)) close();
    await this.edge.close();
    await this.#supervisor?.end();
    await this.sweep();
  }

  /** Leaves no process, device, rule, mount or namespace of this cloud. */
  async sweep(): Promise<void> {
    await endGroup(this.#group);
    for (const id of Object.keys(this.#store.data.machines)) Machine.forget(id);
    await this.#volumes.disconnectAll();
    await razeNetwork(this.network, this.#paths.folder);
  }

  async launch(spec: MachineSpec): Promise<void> {
    this.#store.data.machines[spec.id] ??= { spec, image: imageVersion(), on: true, rules: [], disks: {} };
    await this.start(spec.id);
  }

  async terminate(instanceId: string): Promise<void> {
    const record = this.#store.data.machines[instanceId];
    if (record === undefined) return;
    record.on = false;
    this.#store.save();
    await this.#machine(instanceId).delete();
    for (const volumeId of Object.values(record.disks)) await this.#volumes.disconnect(volumeId);
    delete this.#store.data.machines[instanceId];
    this.#machines.delete(instanceId);
    this.#store.save();
    await this.#applyFilter();
  }

  async stop(instanceId: string): Promise<void> {
    this.#record(instanceId).on = false;
    this.#store.save();
    await this.#machine(instanceId).stop();
  }

  async start(instanceId: string): Promise<void> {
    this.#record(instanceId).on = true;
    this.#store.save();
    await this.#applyFilter();
    await this.#machine(instanceId).start();
  }

  async reboot(instanceId: string): Promise<void> {
    this.#record(instanceId);
    await this.#machine(instanceId).reboot();
  }

  async state(instanceId: string): Promise<"running" | "stopped" | "absent"> {
    if (this.#store.data.machines[instanceId] === undefined) return "absent";
    return this.#machine(instanceId).running ? "running" : "stopped";
  }

  /**
   * Tears a machine from its power.
   * @param losing whether what it had not written to its disks by then is lost
   */
  async cutPower(instanceId: string, losing: boolean): Promise<void> {
    this.#record(instanceId);
    await this.#machine(instanceId).cut(losing);
  }

  /** Also lets an existing volume grow; the machine sees the new size at once. */
  async createVolume(volumeId: string, sizeGiB: number): Promise<void> {
    await this.#volumes.create(volumeId, sizeGiB);
  }

  async deleteVolume(volumeId: string): Promise<void> {
    await this.#volumes.delete(volumeId);
  }

  async attachVolume(volumeId: string, instanceId: string): Promise<void> {
    if (!this.#volumes.exists(volumeId)) throw new Error(`There is no volume ${volumeId}.`);
    const { disks } = this.#record(instanceId);
    const index = diskIndex(disks, volumeId) ?? firstFree(disks);
    disks[index] = volumeId;
    this.#store.save();
    await this.#machine(instanceId).plug({ volumeId, index, device: await this.#volumes.connect(volumeId) });
  }

  async detachVolume(volumeId: string, instanceId: string): Promise<void> {
    const record = this.#store.data.machines[instanceId];
    const index = record && diskIndex(record.disks, volumeId);
    if (record === undefined || index === undefined) return;
    this.#machine(instanceId).unplug({ volumeId, index });
    await this.#volumes.disconnect(volumeId);
    delete record.disks[index];
    this.#store.save();
  }

  async setFirewall(instanceId: string, rules: readonly FirewallRule[]): Promise<void> {
    this.#record(instanceId).rules = rules;
    this.#store.save();
    await this.#applyFilter();
  }

  async mapAddress(publicIpv4: string, privateIpv4: string | undefined): Promise<void> {
    const { addresses } = this.#store.data;
    if (addresses[publicIpv4] === privateIpv4) return;
    if (privateIpv4 === undefined) delete addresses[publicIpv4];
    else addresses[publicIpv4] = privateIpv4;
    this.#store.save();
    await this.#applyFilter();
  }

  async setPort25Blocked(blocked: boolean): Promise<void> {
    this.#store.data.port25Blocked = blocked;
    this.#store.save();
    await this.#applyFilter();
  }

  /** For tests and for people: what there is. */
  summary(): WorldSummary {
    return {
      machines: Object.entries(this.#store.data.machines).map(([id, record]) => ({
        id,
        running: this.#machine(id).running,
        on: record.on,
        leader: this.#machine(id).leader(),
        privateIpv4: record.spec.privateIpv4,
        volumes: Object.values(record.disks),
      })),
      addresses: { ...this.#store.data.addresses },
      port25Blocked: this.#store.data.port25Blocked,
      zones: this.dns.zones,
      services: this.#supervisor?.pids() ?? {},
      downloads: this.mirror.downloads,
    };
  }

  #running(): Supervisor {
    if (this.#supervisor === undefined) throw new Error("The network is not up: raise() comes first.");
    return this.#supervisor;
  }

  #record(instanceId: string): MachineRecord {
    const record = this.#store.data.machines[instanceId];
    if (record === undefined) throw new Error(`There is no machine ${instanceId}.`);
    return record;
  }

  #machine(instanceId: string): Machine {
    const known = this.#machines.get(instanceId);
    if (known !== undefined) return known;
    const record = this.#record(instanceId);
    const machine = new Machine({
      spec: record.spec,
      image: record.image,
      folder: join(this.#paths.machines, instanceId),
      cache: this.#paths.cache,
      network: this.network,
      group: join(this.#group, instanceId),
      disks: () => this.#disks(record),
      trusted: this.#trusted,
      ended: (how) => {
        // Who switched it off from inside wants it off; who lost its power wants it back.
        if (how === "off") record.on = false;
        this.#store.save();
      },
      log: this.#log,
    });
    this.#machines.set(instanceId, machine);
    return machine;
  }

  async #disks(record: MachineRecord): Promise<MachineDisk[]> {
    return await Promise.all(
      Object.entries(record.disks).map(async ([index, volumeId]) => ({
        volumeId,
        index: Number(index),
        device: await this.#volumes.connect(volumeId),
      })),
    );
  }

  /** One after the other: each replaces the whole filter by the state of its moment. */
  #applyFilter(): Promise<void> {
    const applied = this.#filter.then(() => {
      // Before `open` and after `close` there is nothing to filter.
      if (!existsSync(`/run/netns/${this.network.router}`)) return;
      return applyRuleset(this.network, {
        machines: Object.entries(this.#store.data.machines).map(([id, record]) => ({
          link: Machine.link(id),
          privateIpv4: record.spec.privateIpv4,
          rules: record.rules,
        })),
        addresses: this.#store.data.addresses,
        port25Blocked: this.#store.data.port25Blocked,
      });
    });
    this.#filter = applied.catch(() => {});
    return applied;
  }
}

function diskIndex(disks: Readonly<Record<string, string>>, volumeId: string): number | undefined {
  const found = Object.entries(disks).find(([, each]) => each === volumeId)?.[0];
  return found === undefined ? undefined : Number(found);
}

/** /dev/nvme0n1 is the root disk. */
function firstFree(disks: Readonly<Record<string, string>>): number {
  let index = 1;
  while (disks[index] !== undefined) index += 1;
  return index;
}
