import type { FirewallRule, MachineSpec, PublishedRecord, SesAccount, World } from "../../local/types.ts";
import { Isolate } from "../../local/world/isolate.ts";

/** A world of plain maps, for tests of the simulated services. */
export interface FakeWorld extends World {
  readonly machines: Map<string, { spec: MachineSpec; state: "running" | "stopped" }>;
  readonly volumes: Map<string, { size: number; instanceId?: string }>;
  readonly firewalls: Map<string, readonly FirewallRule[]>;
  readonly mapped: Map<string, string>;
  readonly ptrs: Map<string, string>;
  /** RRsets by `<name> <type>`. */
  readonly records: Map<string, readonly PublishedRecord[]>;
  /** Scripts of Workers by host name. */
  scripts: Readonly<Record<string, string>>;
  port25Blocked: boolean;
  /** What SES was told last. */
  sesAccount: SesAccount | undefined;
  /** Thrown by the next call of that name. */
  readonly failures: Map<keyof World | "setRrset", Error>;
  /** How often `resolve` was asked. */
  lookups: number;
}

export function fakeWorld(zones: readonly string[] = ["example.org", "example.com"]): FakeWorld {
  const failures: FakeWorld["failures"] = new Map();
  const fail = (call: keyof World | "setRrset"): void => {
    const error = failures.get(call);
    if (error === undefined) return;
    failures.delete(call);
    throw error;
  };
  const machine = (id: string) => {
    const found = world.machines.get(id);
    if (found === undefined) throw new Error(`the world has no machine ${id}`);
    return found;
  };
  const world: FakeWorld = {
    machines: new Map(),
    volumes: new Map(),
    firewalls: new Map(),
    mapped: new Map(),
    ptrs: new Map(),
    records: new Map(),
    scripts: {},
    port25Blocked: false,
    sesAccount: undefined,
    failures,
    lookups: 0,
    publicPool: Array.from({ length: 8 }, (_, index) => `198.18.7.${index + 10}`),

    async launch(spec) {
      fail("launch");
      world.machines.set(spec.id, { spec, state: "running" });
    },
    async terminate(id) {
      world.machines.delete(id);
      world.firewalls.delete(id);
    },
    async stop(id) {
      fail("stop");
      machine(id).state = "stopped";
    },
    async start(id) {
      machine(id).state = "running";
    },
    async reboot(id) {
      machine(id);
    },
    state: async (id) => world.machines.get(id)?.state ?? "absent",

    async createVolume(id, size) {
      fail("createVolume");
      world.volumes.set(id, { ...world.volumes.get(id), size });
    },
    async deleteVolume(id) {
      world.volumes.delete(id);
    },
    async attachVolume(id, instanceId) {
      fail("attachVolume");
      machine(instanceId);
      const volume = world.volumes.get(id);
      if (volume === undefined) throw new Error(`the world has no volume ${id}`);
      volume.instanceId = instanceId;
    },
    async detachVolume(id) {
      const volume = world.volumes.get(id);
      if (volume) delete volume.instanceId;
    },

    async setFirewall(id, rules) {
      machine(id);
      world.firewalls.set(id, rules);
    },
    async mapAddress(publicIp, privateIp) {
      if (privateIp === undefined) world.mapped.delete(publicIp);
      else world.mapped.set(publicIp, privateIp);
    },
    async setPort25Blocked(blocked) {
      world.port25Blocked = blocked;
    },

    ses: {
      async serve(account) {
        world.sesAccount = account;
      },
    },

    edge: {
      address: "198.18.7.9",
      async tryScript(source) {
        await (await Isolate.start(source)).close();
      },
      async serve(scripts) {
        world.scripts = scripts;
      },
    },

    dns: {
      zones,
      route53Zones: ["example.info"],
      route53Servers: ["ns-1.awsdns.example"],
      async setRrset(_zone, name, type, records) {
        fail("setRrset");
        if (records.length === 0) world.records.delete(`${name} ${type}`);
        else world.records.set(`${name} ${type}`, records);
      },
      async setPtr(publicIp, name) {
        if (name === undefined) world.ptrs.delete(publicIp);
        else world.ptrs.set(publicIp, name);
      },
      async resolve(name, type) {
        world.lookups++;
        return (world.records.get(`${name} ${type}`) ?? []).map((record) => record.rdata);
      },
    },
  };
  return world;
}
