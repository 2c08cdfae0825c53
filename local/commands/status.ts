import { existsSync } from "node:fs";
import { callDaemon } from "../api.ts";
import { runningCloud, worldState } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { say } from "../terminal.ts";
import type { CloudInfo } from "../types.ts";
import type { WorldSummary } from "../world/world.ts";

/** What EC2 says, as far as it is read here. */
export interface Ec2View {
  /** `pending`, `running`, `stopping`… by instance id; those that are terminated are left out. */
  readonly instances: Readonly<Record<string, string>>;
  /** Elastic IPs that the account holds. */
  readonly addresses: readonly string[];
}

/** What `status --json` prints of a running cloud. */
export interface CloudStatus {
  readonly running: true;
  readonly id: string;
  readonly folder: string;
  /** PID of the daemon. */
  readonly pid: number;
  /** Range of its public addresses. */
  readonly network: string;
  readonly machines: readonly {
    readonly id: string;
    /** `without power`: it is to run, and gets its power back at the next `npm start`. */
    readonly power: "on" | "off" | "without power" | "going on" | "going off" | "being deleted";
    readonly privateIpv4: string;
    readonly publicIpv4?: string;
    readonly volumes: readonly string[];
  }[];
  /** Public addresses that are given out, and the private ones that they lead to. */
  readonly addresses: readonly { readonly publicIpv4: string; readonly leadsTo?: string }[];
  /** Outgoing. */
  readonly port25: "blocked" | "open";
  /** Zones of the simulated Cloudflare account. */
  readonly zones: readonly string[];
  readonly nameservers: readonly string[];
  /** Validating resolver of the outside world. */
  readonly resolver: string;
  readonly acmeDirectory: string;
  readonly cloudflareUrl: string;
  /** PIDs of the cloud's daemons. */
  readonly services: Readonly<Record<string, number>>;
}

/** What runs. @returns 0 where the cloud is up, 3 where it is not (as `systemctl status`) */
export async function status(paths: CloudPaths, json: boolean): Promise<number> {
  const info = await runningCloud(paths);
  if (info === undefined) {
    const { id, folder } = paths;
    say(json ? JSON.stringify({ running: false, id, folder }) : restText(paths));
    return 3;
  }
  const [world, ec2] = await Promise.all([worldState(paths), ec2View(paths)]);
  const summary = cloudStatus(paths, info, world, ec2);
  say(json ? JSON.stringify(summary, undefined, 2) : statusText(summary));
  return 0;
}

/** Of a cloud that does not run, or that there is none of. */
export function restText({ id, folder }: Pick<CloudPaths, "id" | "folder">): string {
  return existsSync(folder)
    ? `Local cloud ${id} is not running. Start it: npm start. Its state: ${folder}`
    : `There is no local cloud ${id}. Make it: npm start`;
}

async function ec2View(paths: CloudPaths): Promise<Ec2View> {
  const [{ Reservations }, { Addresses }] = (await Promise.all([
    callDaemon(paths, "POST", "/aws/DescribeInstances", {}),
    callDaemon(paths, "POST", "/aws/DescribeAddresses", {}),
  ])) as [
    { Reservations: { Instances: { InstanceId: string; State: { Name: string } }[] }[] },
    { Addresses: { PublicIp: string }[] },
  ];
  const instances = Reservations.flatMap(({ Instances }) => Instances)
    .filter(({ State }) => State.Name !== "terminated")
    .map(({ InstanceId, State }) => [InstanceId, State.Name]);
  return { instances: Object.fromEntries(instances), addresses: Addresses.map(({ PublicIp }) => PublicIp) };
}

export function cloudStatus(
  { id, folder }: Pick<CloudPaths, "id" | "folder">,
  info: Pick<CloudInfo, "slot" | "pid" | "resolver" | "nameservers" | "acmeDirectory" | "cloudflareUrl">,
  world: Omit<WorldSummary, "downloads">,
  ec2: Ec2View,
): CloudStatus {
  const { slot, pid, resolver, nameservers, acmeDirectory, cloudflareUrl } = info;
  const mapped = Object.entries(world.addresses);
  const given = [...new Set([...ec2.addresses, ...Object.keys(world.addresses)])];
  return {
    running: true,
    id,
    folder,
    pid,
    network: `198.18.${slot}.0/24`,
    machines: world.machines.map((machine) => {
      const publicIpv4 = mapped.find(([, inside]) => inside === machine.privateIpv4)?.[0];
      return {
        id: machine.id,
        power: powerOf(machine, ec2.instances[machine.id]),
        privateIpv4: machine.privateIpv4,
        ...(publicIpv4 === undefined ? {} : { publicIpv4 }),
        volumes: machine.volumes,
      };
    }),
    addresses: given.map((publicIpv4) => {
      const leadsTo = world.addresses[publicIpv4];
      return { publicIpv4, ...(leadsTo === undefined ? {} : { leadsTo }) };
    }),
    port25: world.port25Blocked ? "blocked" : "open",
    zones: world.zones,
    nameservers,
    resolver,
    acmeDirectory,
    cloudflareUrl,
    services: world.services,
  };
}

type Power = CloudStatus["machines"][number]["power"];

function powerOf(
  machine: Pick<WorldSummary["machines"][number], "running" | "on">,
  ec2: string | undefined,
): Power {
  if (ec2 === "shutting-down") return "being deleted";
  if (machine.running) return machine.on && ec2 !== "stopping" ? "on" : "going off";
  if (ec2 === "pending") return "going on";
  return machine.on ? "without power" : "off";
}

const powerWords: Readonly<Record<Power, string>> = {
  on: "runs",
  off: "is switched off",
  "without power": "lost its power: npm start brings it back",
  "going on": "is being switched on",
  "going off": "is being switched off",
  "being deleted": "is being deleted",
};

export function statusText(cloud: CloudStatus): string {
  const rows: [string, string][] = [
    ...cloud.machines.map(({ id, power, publicIpv4, privateIpv4, volumes }): [string, string] => [
      "machine",
      `${id} ${powerWords[power]}; ${publicIpv4 ?? "no public address"} (inside ${privateIpv4})${volumes.map((volume) => `, ${volume}`).join("")}`,
    ]),
    ...cloud.addresses.map(({ publicIpv4, leadsTo }): [string, string] => [
      "address",
      `${publicIpv4} ${leadsTo === undefined ? "leads nowhere" : `leads to ${leadsTo}`}`,
    ]),
    [
      "port 25",
      cloud.port25 === "open"
        ? "open on the way out"
        : "blocked on the way out; npm run cloud -- port25 open opens it",
    ],
    ["zones", `${cloud.zones.join(", ")}, at ${cloud.nameservers.join(" and ")}`],
    ["resolver", cloud.resolver],
    ["ACME", cloud.acmeDirectory],
    ["services", Object.keys(cloud.services).join(", ")],
    ["state", cloud.folder],
  ];
  if (cloud.machines.length === 0) rows.unshift(["machine", "none"]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `Local cloud ${cloud.id} runs (process ${cloud.pid}), network ${cloud.network}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
  ].join("\n");
}
