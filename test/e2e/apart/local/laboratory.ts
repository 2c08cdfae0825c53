/** A world of its own for a test, without Pulumi: machines, networks, names. */
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ensureImage } from "../../../../local/image.ts";
import { type CloudPaths, cloudPaths } from "../../../../local/paths.ts";
import { ensurePrerequisites } from "../../../../local/prerequisites.ts";
import { CommandFailed, run } from "../../../../local/run.ts";
import type { FirewallRule, MachineSpec } from "../../../../local/types.ts";
import { claimSlot, operatorAddress, releaseSlot } from "../../../../local/world/network.ts";
import { LocalWorld } from "../../../../local/world/world.ts";
import { shellWord } from "../../../../plan/shell.ts";

/** Everybody may do everything. */
export const wideOpen: readonly FirewallRule[] = (["ingress", "egress"] as const).map((direction) => ({
  direction,
  protocol: "-1",
  fromPort: -1,
  toPort: -1,
  cidr: "0.0.0.0/0",
}));

export interface Laboratory {
  readonly paths: CloudPaths;
  readonly world: LocalWorld;
  /** Lines of the world's log. */
  readonly log: string[];
  /** Ends the world and removes its folder. */
  end(): Promise<void>;
}

/** Folders for a cloud of the test's own; the caches are those of every cloud. */
export async function ownPaths(name: string): Promise<CloudPaths> {
  await ensurePrerequisites(() => {});
  const paths = cloudPaths({
    ...process.env,
    MAILHOST_CLOUD_ID: `${name}-${process.pid}`,
    MAILHOST_CLOUD: "",
  });
  mkdirSync(paths.folder, { recursive: true });
  await ensureImage(paths.cache);
  return paths;
}

export async function laboratory(name: string): Promise<Laboratory> {
  const paths = await ownPaths(name);
  const slot = await claimSlot(paths.folder, paths.slot, paths.home);
  const log: string[] = [];
  const world = new LocalWorld(paths, slot, (text) => log.push(text));
  await world.raise();
  await world.open();
  return {
    paths,
    world,
    log,
    end: async () => {
      await world.close();
      removeCloud(paths, slot);
    },
  };
}

export function removeCloud(paths: CloudPaths, slot: number): void {
  releaseSlot(slot, paths.home);
  rmSync(paths.folder, { recursive: true, force: true });
}

const keyFolder = mkdtempSync(join(tmpdir(), "mailhost-key-"));
const key = join(keyFolder, "key");
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
process.on("exit", () => rmSync(keyFolder, { recursive: true, force: true }));

export function machineSpec(id: string, privateIpv4 = "10.20.0.5"): MachineSpec {
  const subnet = privateIpv4.split(".").slice(0, 3).join(".");
  return {
    id,
    privateIpv4,
    subnetPrefix: 24,
    gateway: `${subnet}.1`,
    hostname: `ip-${privateIpv4.replaceAll(".", "-")}`,
    userData: `#cloud-config
fqdn: mail.example.org
ssh_authorized_keys:
  - ${readFileSync(`${key}.pub`, "utf8").trim()}
`,
    rootSize: 8,
  };
}

/** A command over SSH, as root. @throws CommandFailed */
export async function ssh(address: string, command: string): Promise<string> {
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "ConnectTimeout=3",
  ];
  return await run("ssh", [
    ...["-F", "none", "-i", key, "-o", "IdentitiesOnly=yes"],
    ...options.flatMap((option) => ["-o", option]),
    ...[`admin@${address}`, `sudo sh -euc ${shellWord(command)}`],
  ]);
}

/** Waits for a login. @returns milliseconds it took */
export async function untilLogin(address: string): Promise<number> {
  const started = performance.now();
  for (;;) {
    try {
      await ssh(address, "true");
      return performance.now() - started;
    } catch (error) {
      if (!(error instanceof CommandFailed) || performance.now() - started > 60_000) throw error;
      await pause(100);
    }
  }
}

/** A command in a running machine, not over its network. */
export async function inMachine(world: LocalWorld, instanceId: string, command: string): Promise<string> {
  const leader = world.summary().machines.find((machine) => machine.id === instanceId)?.leader;
  if (leader === undefined) throw new Error(`${instanceId} does not run`);
  return await run("nsenter", ["--target", String(leader), "--all", "sh", "-euc", command]);
}

/** Waits until a running machine has a file. @throws after 20 seconds */
export async function untilThere(world: LocalWorld, instanceId: string, path: string): Promise<void> {
  await inMachine(
    world,
    instanceId,
    `for i in $(seq 200); do [ -e ${path} ] && exit 0; sleep 0.1; done; echo "there is no ${path}" >&2; exit 1`,
  );
}

/** `open` with the first bytes, or what the attempt ended in: `refused`, or `silence` after a second. */
export function knock(address: string, port: number, from = operatorAddress): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: from, timeout: 1000 });
    socket.on("data", (data) => {
      resolve(`open ${data.toString().trim()}`);
      socket.destroy();
    });
    socket.on("timeout", () => {
      resolve("silence");
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ECONNREFUSED" ? "refused" : String(error.code)),
    );
  });
}

/** What nspawn keeps of a machine outside every folder. */
export function keptOf(instanceId: string): string[] {
  const name = instanceId.replace(/^i-/, "").slice(0, 12);
  return globSync(`/run/systemd/nspawn/**/*${name}*`);
}
