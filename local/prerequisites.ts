import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run, tryRun } from "./run.ts";
import { cgroup2Mount } from "./world/cgroup.ts";

export interface Need {
  /** A command on root's PATH, or a file. */
  readonly what: string;
  readonly package: string;
  readonly why: string;
}

/** The local cloud's DNS, which the unit tests ask as well. */
export const dnsDaemons: readonly Need[] = [
  { what: "knotd", package: "knot", why: "serves and signs the DNS zones" },
  { what: "unbound", package: "unbound", why: "resolves and validates" },
];

/** What the local cloud runs, by the Debian package that has it. */
const needs: readonly Need[] = [
  { what: "systemd-nspawn", package: "systemd-container", why: "boots the machines" },
  { what: "mmdebstrap", package: "mmdebstrap", why: "makes their Debian image" },
  {
    what: "/usr/share/keyrings/debian-archive-keyring.gpg",
    package: "debian-archive-keyring",
    why: "knows Debian's packages as genuine",
  },
  { what: "nft", package: "nftables", why: "filters and translates, as security groups and elastic IPs" },
  { what: "ip", package: "iproute2", why: "makes the networks" },
  { what: "losetup", package: "mount", why: "makes disks of files" },
  { what: "setpriv", package: "util-linux", why: "ends what the cloud started with it" },
  { what: "sysctl", package: "procps", why: "sets up the networks" },
  ...dnsDaemons,
  { what: "pebble", package: "pebble", why: "issues certificates over ACME" },
  { what: "openssl", package: "openssl", why: "makes the ACME server's own certificate" },
  { what: "ssh", package: "openssh-client", why: "logs in to the host" },
];

/** Services of these packages that Debian would start and enable, and that nobody here asked for. */
const unwantedUnits = ["knot.service", "unbound.service", "pebble.service"];

/** Root's commands are in the sbin folders, which the PATH of who became root by `su` may lack. */
export function addSystemFolders(): void {
  process.env.PATH = [...new Set([...searched(), "/usr/local/sbin", "/usr/sbin", "/sbin"])].join(delimiter);
}

function searched(): string[] {
  return (process.env.PATH ?? "").split(delimiter);
}

/**
 * Makes sure that this machine can carry a local cloud: installs what is missing, and says what and why.
 * @throws in one sentence where it cannot
 */
export async function ensurePrerequisites(say: (text: string) => void): Promise<void> {
  if (process.platform !== "linux") {
    throw new Error(
      `The local cloud needs Linux; this is ${process.platform}. Run it in a virtual machine with Debian 12 or 13.`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      "The local cloud makes networks, disks and machines, which only root may: become root (`sudo -i`) and stay it, then run `npm start` in this folder.",
    );
  }
  addSystemFolders();
  await ensurePackages(needs, say);
  await checkKernel();
}

/** Installs what is missing of these, and says what and why. @throws in one sentence where it cannot */
export async function ensurePackages(
  wanted: readonly Need[],
  say: (text: string) => void = console.error,
): Promise<void> {
  const missing = wanted.filter((need) => !isPresent(need.what));
  if (missing.length > 0) await install(missing, say);
}

function isPresent(what: string): boolean {
  const candidates = what.startsWith("/") ? [what] : searched().map((folder) => join(folder, what));
  return candidates.some((path) => {
    try {
      accessSync(path, what.startsWith("/") ? constants.R_OK : constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function install(missing: readonly Need[], say: (text: string) => void): Promise<void> {
  const packages = missing.map((need) => need.package);
  if (!isPresent("apt-get")) {
    throw new Error(
      `These programs are missing: ${missing.map((need) => need.what).join(", ")}. On Debian 12 or 13 this step installs them; here, install them yourself (Debian's packages: ${packages.join(" ")}).`,
    );
  }
  say("Installing from Debian, once:");
  for (const need of missing) say(`  ${need.package.padEnd(24)}${need.why}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await withoutStarts(async () => {
    const options = ["-q", "-y", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends"];
    try {
      await run("apt-get", ["install", ...options, ...packages], { env });
    } catch {
      // Most often the list of packages is missing or old.
      await run("apt-get", ["update", "-q"], { env });
      await run("apt-get", ["install", ...options, ...packages], { env });
    }
  });
  const enabled = unwantedUnits.filter((unit) => packages.includes(unit.replace(".service", "")));
  for (const unit of enabled) await tryRun("systemctl", ["disable", "--now", unit]).catch(() => undefined);
  const stillMissing = missing.filter((need) => !isPresent(need.what));
  if (stillMissing.length > 0) {
    throw new Error(
      `After the installation these are still missing: ${stillMissing.map((need) => need.what).join(", ")}.`,
    );
  }
}

/** Debian asks policy-rc.d before a package's script starts a service. */
async function withoutStarts(work: () => Promise<void>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) {
    await work();
    return;
  }
  writeFileSync(policy, "#!/bin/sh\n# mailhost: packages that are installed now start nothing.\nexit 101\n", {
    mode: 0o755,
  });
  try {
    await work();
  } finally {
    rmSync(policy, { force: true });
  }
}

/** Tries, in namespaces that vanish at once, what the local cloud does in earnest. @throws what the kernel lacks */
export async function checkKernel(): Promise<void> {
  cgroup2Mount();
  if (!existsSync("/etc/machine-id") || readFileSync("/etc/machine-id", "utf8").trim() === "") {
    throw new Error(
      "This machine has no id, which systemd-nspawn needs: make one with `systemd-machine-id-setup`.",
    );
  }
  for (const [path, module] of [
    ["/dev/loop-control", "loop"],
    ["/dev/fuse", "fuse"],
  ] as const) {
    if (!existsSync(path)) await tryRun("modprobe", [module]).catch(() => undefined);
  }
  if (!existsSync("/dev/loop-control")) throw lacks("loop devices (/dev/loop-control)");
  if (!/\toverlay$/m.test(readFileSync("/proc/filesystems", "utf8"))) {
    await tryRun("modprobe", ["overlay"]).catch(() => undefined);
    if (!/\toverlay$/m.test(readFileSync("/proc/filesystems", "utf8")))
      throw lacks("the overlay file system");
  }
  const trial =
    "ip link add veth0 type veth peer name veth1 && nft 'table ip t { chain c { type nat hook postrouting priority srcnat; ct state new counter masquerade; }; }'";
  try {
    await run("unshare", ["--net", "--mount", "sh", "-euc", trial]);
  } catch (error) {
    throw new Error(
      `${lacks("network namespaces, veth and nftables").message} (${(error as Error).message})`,
    );
  }
}

function lacks(what: string): Error {
  return new Error(
    `This machine's kernel, or the container that this is, does not offer ${what}: use a whole machine or a virtual one with Debian 12 or 13.`,
  );
}
