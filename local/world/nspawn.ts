import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";

export interface NspawnOptions {
  /** The machine's own: prepared by `prepareRoot`; its console is written to `console.log` in there. */
  readonly folder: string;
  /** For nspawn; unique among the running machines. */
  readonly name: string;
  readonly hostname: string;
  /** Network namespace, by its path, at whose side the machine's cable ends. @default this process's own */
  readonly networkNamespace?: string;
  /** Control group for the machine's processes. @default this process's own */
  readonly group?: string;
  /** What is this machine's and no other's: disks, network, identity (systemd-nspawn(1)). */
  readonly flags: readonly string[];
}

/** Folders of a machine whose root disk is an overlay over the image in the folder `lower`. */
export function prepareRoot(folder: string, lower: string): void {
  for (const name of ["upper", "work", "root"]) mkdirSync(join(folder, name), { recursive: true });
  // Overlay's options know no way to write a comma or a colon in a path.
  const image = join(folder, "image");
  removeLink(image);
  symlinkSync(lower, image);
}

/** Removes a symbolic link, whatever it points to. */
export function removeLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}

/**
 * Boots a machine: nspawn's process, which ends with this one. The overlay is mounted in a namespace of the machine's
 * own: it ends with the machine, however that ends.
 *
 * No `--capability`: CAP_SYS_RESOURCE, without which no mounted file system grows, is among those that nspawn leaves to
 * every machine, where it has them itself.
 */
export function bootMachine(options: NspawnOptions): ChildProcess {
  const { folder, name, hostname, networkNamespace, group } = options;
  const console = openSync(join(folder, "console.log"), "w", 0o600);
  try {
    return spawn(
      "setpriv",
      [
        "--pdeathsig=KILL",
        ...(networkNamespace === undefined ? [] : ["nsenter", `--net=${networkNamespace}`]),
        ...["unshare", "--mount", "--propagation=private", "sh", "-euc"],
        '[ -z "$1" ] || echo $$ >"$1/cgroup.procs"; shift; ' +
          'mount -t overlay overlay -o lowerdir=image,upperdir=upper,workdir=work root; exec "$@"',
        ...["machine", group ?? ""],
        ...["systemd-nspawn", "--quiet", "--boot", "--settings=no", "--register=no", "--keep-unit"],
        // With the host's zone bound over /etc/localtime, tzdata could not be installed.
        ...["--link-journal=no", "--resolv-conf=off", "--timezone=off"],
        ...[`--machine=${name}`, `--hostname=${hostname}`, `--directory=${join(folder, "root")}`],
        ...options.flags,
      ],
      {
        cwd: folder,
        stdio: ["ignore", console, console],
        env: {
          PATH: process.env.PATH,
          SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
          SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
          // The daemon's own lock does for all its machines; the files of this one would outlive a kill.
          SYSTEMD_NSPAWN_LOCK: "0",
        },
      },
    );
  } finally {
    closeSync(console);
  }
}

/** Removes what nspawn keeps of a machine while it runs, and leaves when it is killed. */
export function forgetMachine(name: string): void {
  rmSync(`/run/systemd/nspawn/propagate/${name}`, { recursive: true, force: true });
}

/** The process below `pid` that is number 1 of a PID namespace: the machine's init. */
export function initBelow(pid: number): number | undefined {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return undefined;
  }
  for (const child of children) {
    if (isInit(child)) return child;
    const found = initBelow(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isInit(pid: number): boolean {
  try {
    return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
