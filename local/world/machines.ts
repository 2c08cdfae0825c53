import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { imageFolder } from "../image.ts";
import { run } from "../run.ts";
import type { MachineSpec } from "../types.ts";
import { endGroup, makeGroup } from "./cgroup.ts";
import { connectMachine, hasLink, type Network, resolverOf } from "./network.ts";
import { bootMachine, forgetMachine, initBelow, prepareRoot, removeLink } from "./nspawn.ts";

/** nspawn's way to say that the machine rebooted (systemd-nspawn(1), --keep-unit). */
const REBOOT = 133;

export interface MachineDisk {
  readonly volumeId: string;
  /** Block device of this machine. */
  readonly device: string;
  /** 1 for /dev/nvme1n1. */
  readonly index: number;
}

/** A certificate authority that machines trust. */
export interface TrustedCa {
  readonly pem: string;
  /** Of its name, as OpenSSL finds it in a folder (openssl-rehash(1)). */
  readonly hash: string;
}

export interface MachineOptions {
  readonly spec: MachineSpec;
  /** Version of the image that its root disk began with. */
  readonly image: string;
  readonly folder: string;
  readonly cache: string;
  readonly network: Network;
  /** Control group for its processes. */
  readonly group: string;
  /** Asked at every boot. */
  readonly disks: () => Promise<readonly MachineDisk[]>;
  /** Beside the CAs that Debian brings; looked at when the root disk is made. */
  readonly trusted: readonly TrustedCa[];
  /** Told when the machine is no longer running: by itself (`off`), or torn from its power (`cut`). */
  readonly ended: (how: "off" | "cut") => void;
  readonly log: (text: string) => void;
}

/**
 * One Debian machine: an overlay over the image, booted by systemd-nspawn. Its root disk has no size limit of its own:
 * an overlay cannot have one.
 */
export class Machine {
  readonly #options: MachineOptions;
  #process: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Name of the machine's cable on the router: an interface name has at most 15 characters. */
  static link(instanceId: string): string {
    return `ve-${shortName(instanceId)}`;
  }

  /** Removes what nspawn keeps of a machine while it runs, and leaves when it is killed. */
  static forget(instanceId: string): void {
    forgetMachine(shortName(instanceId));
  }

  /** Boots it; resolves when its network is plugged in. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    this.#stopping = false;
    this.#prepareRoot();
    await this.#boot();
  }

  /** Orderly, as with the power button; by force where systemd's own patience with a service (90 s) did not help. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#stopping = true;
    child.kill("SIGTERM");
    const hard = setTimeout(() => {
      this.#options.log(`${this.#options.spec.id} does not power off: it is torn from its power`);
      void endGroup(this.#options.group);
    }, 100_000);
    await this.#gone;
    clearTimeout(hard);
  }

  /**
   * Tears it from its power.
   * @param losing whether what it had not written to its disks by then is lost
   */
  async cut(losing: boolean): Promise<void> {
    const leader = this.leader();
    if (losing && leader !== undefined) {
      const disks = await this.#options.disks();
      const places = mountPoints(
        readFileSync(`/proc/${leader}/mountinfo`, "utf8"),
        disks.map(({ device }) => statSync(device).rdev),
      );
      if (places.length > 0) {
        await run("nsenter", [
          `--target=${leader}`,
          "--mount",
          "--",
          "python3",
          "-c",
          loseUnwritten,
          ...places,
        ]);
      }
    }
    await this.#end();
  }

  /** Ends its processes; the kernel then unmounts its disks in order. */
  async #end(): Promise<void> {
    await endGroup(this.#options.group);
    await this.#gone;
  }

  /** Asks its init for a reboot. */
  async reboot(): Promise<void> {
    const leader = this.leader();
    // SIGINT is what Ctrl-Alt-Del sends: an orderly reboot (systemd(1)).
    if (leader !== undefined) process.kill(leader, "SIGINT");
  }

  async delete(): Promise<void> {
    this.#stopping = true;
    await this.#end();
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  /** Gives a running machine a disk, as udev would show it. */
  async plug(disk: MachineDisk): Promise<void> {
    const leader = this.leader();
    if (leader !== undefined) {
      const node = `/proc/${leader}/root/dev/nvme${disk.index}n1`;
      const [major, minor] = deviceNumber(statSync(disk.device).rdev);
      if (!existsSync(node)) await run("mknod", ["--mode=0660", node, "b", String(major), String(minor)]);
    }
    this.#label(disk);
  }

  unplug(disk: Pick<MachineDisk, "volumeId" | "index">): void {
    removeLink(join(this.#labels, labelOf(disk.volumeId)));
    const leader = this.leader();
    if (leader !== undefined) rmSync(`/proc/${leader}/root/dev/nvme${disk.index}n1`, { force: true });
  }

  /** PID, here, of the machine's PID 1. */
  leader(): number | undefined {
    const pid = this.#process?.pid;
    return pid === undefined ? undefined : initBelow(pid);
  }

  get #labels(): string {
    return join(this.#options.folder, "by-id");
  }

  #label(disk: MachineDisk): void {
    const path = join(this.#labels, labelOf(disk.volumeId));
    removeLink(path);
    symlinkSync(`../../nvme${disk.index}n1`, path);
  }

  #prepareRoot(): void {
    const { folder, cache, image, spec } = this.#options;
    const lower = imageFolder(cache, image);
    if (!existsSync(lower)) {
      throw new Error(
        `The image ${image}, on which machine ${spec.id} stands, is gone from ${cache}: npm run destroy, then npm start.`,
      );
    }
    prepareRoot(folder, lower);
    const seed = join(folder, "upper/var/lib/cloud/seed/nocloud");
    if (existsSync(join(seed, "user-data"))) return;
    for (const [index, ca] of this.#options.trusted.entries()) trustCa(join(folder, "upper"), index, ca);
    mkdirSync(seed, { recursive: true });
    writeFileSync(join(seed, "meta-data"), `instance-id: ${spec.id}\nlocal-hostname: ${spec.hostname}\n`);
    writeFileSync(join(seed, "network-config"), networkConfig(spec));
    // Last, with the mode that EC2's own copy has on a machine.
    writeFileSync(join(seed, "user-data"), spec.userData, { mode: 0o600 });
  }

  async #boot(): Promise<void> {
    const { spec, folder, network, group, log } = this.#options;
    rmSync(this.#labels, { recursive: true, force: true });
    mkdirSync(this.#labels);
    const disks = await this.#options.disks();
    for (const disk of disks) this.#label(disk);
    makeGroup(group);
    const child = bootMachine({
      folder,
      name: shortName(spec.id),
      hostname: spec.hostname.split(".")[0] ?? spec.hostname,
      networkNamespace: `/run/netns/${network.router}`,
      group,
      flags: [
        `--uuid=${uuidOf(spec.id)}`,
        "--network-veth",
        `--bind=${this.#labels.replaceAll(":", "\\:")}:/dev/disk/by-id`,
        ...disks.map((disk) => `--bind=${disk.device}:/dev/nvme${disk.index}n1`),
        ...(existsSync("/dev/fuse") ? ["--bind=/dev/fuse"] : []),
      ],
    });
    this.#process = child;
    let over = false;
    this.#gone = new Promise((resolve) => {
      const end = (code: number | null) => {
        over = true;
        if (code === REBOOT && !this.#stopping) {
          log(`${spec.id} reboots`);
          this.#boot().then(resolve, (error: Error) => {
            log(`${spec.id} did not come back: ${error.message}`);
            this.#process = undefined;
            resolve();
          });
          return;
        }
        this.#process = undefined;
        const how = code === 0 || code === REBOOT ? "off" : "cut";
        log(how === "off" ? `${spec.id} is off` : `${spec.id} lost its power (${lastWords(folder)})`);
        // What a killed nspawn left of its machine goes with the group.
        endGroup(group)
          .then(() => Machine.forget(spec.id))
          .catch((error: Error) => log(error.message))
          .finally(() => {
            if (!this.#stopping) this.#options.ended(how);
            resolve();
          });
      };
      child.on("exit", end);
      child.on("error", () => end(1));
    });
    const { link } = { link: Machine.link(spec.id) };
    const deadline = Date.now() + 20_000;
    while (!(await hasLink(network, link))) {
      if (over) throw new Error(`Machine ${spec.id} did not start: ${lastWords(folder)}`);
      if (Date.now() > deadline)
        throw new Error(`Machine ${spec.id} has no network after 20 s: ${lastWords(folder)}`);
      await pause(20);
    }
    await connectMachine(network, { link, privateIpv4: spec.privateIpv4, gateway: spec.gateway });
  }
}

/**
 * The machine's processes end, but its memory is this machine's: the kernel would write what they left there. So its file
 * systems are shut first, journal and all: EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), with EXT4_GOING_FLAGS_NOLOGFLUSH, 2
 * (fs/ext4/ext4.h of Linux). A Python one-liner of the machine's, because Node has no ioctl(2).
 */
const loseUnwritten =
  "import fcntl, os, struct, sys\n" +
  "for place in sys.argv[1:]: fcntl.ioctl(os.open(place, os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/**
 * Where these devices are mounted, one place for each.
 * @param mountinfo of proc_pid_mountinfo(5)
 * @param devices as `rdev` of stat(2)
 */
function mountPoints(mountinfo: string, devices: readonly number[]): readonly string[] {
  const places = new Map<string, string>();
  for (const line of mountinfo.split("\n")) {
    const [, , device, , place] = line.split(" ");
    if (device !== undefined && place !== undefined && !places.has(device)) places.set(device, place);
  }
  return devices.flatMap((device) => places.get(deviceNumber(device).join(":")) ?? []);
}

/** Major and minor number: makedev(3), in glibc's form, for small numbers. */
function deviceNumber(rdev: number): readonly [number, number] {
  return [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
}

function lastWords(folder: string): string {
  const text = readFileSync(join(folder, "console.log"), "utf8").trim();
  return text.split("\n").slice(-3).join(" / ") || "no word on its console";
}

function networkConfig(spec: MachineSpec): string {
  // `to: default` fails in cloud-init's networkd renderer, and every later stage with it.
  return `version: 2
ethernets:
  host0:
    addresses: [${spec.privateIpv4}/${spec.subnetPrefix}]
    nameservers: {addresses: [${resolverOf(spec.gateway)}]}
    routes: [{to: 0.0.0.0/0, via: ${spec.gateway}}]
`;
}

/** The start of a machine's id: 12 hexadecimal digits, so that `ve-` and it fit an interface's name. */
function shortName(instanceId: string): string {
  return instanceId.replace(/^i-/, "").slice(0, 12);
}

function uuidOf(instanceId: string): string {
  return instanceId
    .replace(/[^0-9a-f]/g, "")
    .padEnd(32, "0")
    .slice(0, 32);
}

/** EBS volumes appear under this name on Nitro machines (AWS documentation, "Identify the EBS device"). */
function labelOf(volumeId: string): string {
  return `nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;
}

/** As update-ca-certificates(8) would do it, which finds the file when it runs for another reason. */
function trustCa(root: string, index: number, { pem, hash }: TrustedCa): void {
  const source = `/usr/local/share/ca-certificates/local-cloud-${index}.crt`;
  const certificates = join(root, "etc/ssl/certs");
  for (const folder of [join(root, "usr/local/share/ca-certificates"), certificates])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(root, source), pem);
  const link = join(certificates, `local-cloud-${index}.pem`);
  removeLink(link);
  symlinkSync(source, link);
  removeLink(join(certificates, `${hash}.0`));
  symlinkSync(`local-cloud-${index}.pem`, join(certificates, `${hash}.0`));
}
