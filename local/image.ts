import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { shellWord } from "../plan/shell.ts";
import { run } from "./run.ts";

/**
 * What a machine starts from: a Debian like the one that Debian publishes for AWS (default user `admin`, cloud-init,
 * networkd and resolved), without a kernel. Any change here makes a new image; machines stay on theirs.
 */
const recipe = {
  suite: "trixie",
  // With the security updates of its day, as Debian's own images.
  sources: [
    "deb http://deb.debian.org/debian trixie main",
    "deb http://deb.debian.org/debian trixie-updates main",
    "deb http://deb.debian.org/debian-security trixie-security main",
  ],
  // What Debian's cloud images have of the packages that matter to a first boot and to a person on the host.
  packages: [
    "apt-utils",
    "ca-certificates",
    "cloud-init",
    "dbus",
    "e2fsprogs",
    "iproute2",
    "iputils-ping",
    "less",
    "linux-sysctl-defaults",
    "openssh-server",
    "procps",
    "python3-minimal",
    "sudo",
    "systemd",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "tzdata",
    "vim-tiny",
  ],
  files: {
    // As in Debian's: unattended-upgrades would make an empty one.
    "etc/apt/sources.list": "# See /etc/apt/sources.list.d/debian.sources\n",
    "etc/apt/sources.list.d/debian.sources": `Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    // As in Debian's AMI.
    "etc/cloud/cloud.cfg.d/01_debian_cloud.cfg": `datasource_list: [ NoCloud, None ]
manage_etc_hosts: true
system_info:
  default_user:
    name: admin
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
    lock_passwd: true
    gecos: Debian
    groups: [adm, audio, cdrom, dialout, dip, floppy, plugdev, sudo, video]
`,
  },
  shell: [
    'rm -f "$1"/etc/ssh/ssh_host_*',
    ': > "$1/etc/machine-id"',
    'chroot "$1" systemctl enable systemd-networkd systemd-resolved',
    // Nothing here has a clock, a console or a disk of its own to look after.
    'chroot "$1" systemctl mask console-getty.service systemd-timesyncd.service e2scrub_reap.service',
    'ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"',
  ],
} as const;

/** Name of the image that the present recipe makes. */
export function imageVersion(): string {
  return `${recipe.suite}-${createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12)}`;
}

export function imageFolder(cache: string, version: string): string {
  return join(cache, "image", version);
}

export interface ImageOptions {
  /** Proxy for the packages, `http://127.0.0.1:1234`: the cache that the machines use too. */
  readonly proxy?: string;
  /** Told about each step of the build. */
  readonly progress?: (text: string) => void;
}

/**
 * Makes the image unless the cache has it (a minute, or ten seconds more for each megabyte per second that the
 * network lacks). Two builds at once do not harm each other: the first to finish wins.
 * @returns its version
 */
export async function ensureImage(cache: string, options: ImageOptions = {}): Promise<string> {
  const version = imageVersion();
  const target = imageFolder(cache, version);
  if (existsSync(target)) return version;
  const parent = join(cache, "image");
  mkdirSync(parent, { recursive: true });
  removeAbandoned(parent);
  const building = join(parent, `.building-${process.pid}`);
  options.progress?.(`making the Debian image (${recipe.suite}, once)`);
  try {
    await run(
      "setpriv",
      [
        // It ends with us, and what it mounts is nowhere else.
        ...["--pdeathsig=KILL", "unshare", "--mount", "--propagation=private", "mmdebstrap"],
        "--variant=apt",
        `--include=${recipe.packages.join(",")}`,
        "--aptopt=Acquire::Languages none",
        ...(options.proxy === undefined ? [] : [`--aptopt=Acquire::http::Proxy "${options.proxy}"`]),
        // The packages' own scripts may not start anything on the machine that builds.
        ...Object.entries(recipe.files).flatMap(([path, content]) => [
          `--customize-hook=mkdir -p "$1/$(dirname ${path})" && printf %s ${shellWord(content)} > "$1/${path}"`,
        ]),
        ...recipe.shell.map((line) => `--customize-hook=${line}`),
        recipe.suite,
        building,
        ...recipe.sources,
      ],
      { onLine: (line) => /^I: /.test(line) && options.progress?.(line.slice(3)) },
    );
    // The proxy is this build's, not the machine's.
    rmSync(join(building, "etc/apt/apt.conf.d/99mmdebstrap"), { force: true });
    try {
      renameSync(building, target);
    } catch (error) {
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return version;
}

/** What a build left that was killed. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^\.building-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}
