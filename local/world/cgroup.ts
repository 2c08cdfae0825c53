import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/**
 * All processes of a cloud live in control groups of its own, so that they can be found and ended, all and only
 * they, after whatever happened to their parent (cgroup.kill, Documentation/admin-guide/cgroup-v2.rst).
 */
export function cloudGroup(slot: number): string {
  return join(cgroup2Mount(), `mailhost-${slot}`);
}

export function makeGroup(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

/** Ends every process of the group and of those below it, and removes them. Several callers at once do no harm. */
export async function endGroup(path: string): Promise<void> {
  try {
    writeFileSync(join(path, "cgroup.kill"), "1");
    // A killed process leaves its group when it is reaped; the kernel tells through `populated`.
    const deadline = Date.now() + 30_000;
    while (/^populated 1$/m.test(readFileSync(join(path, "cgroup.events"), "utf8"))) {
      if (Date.now() > deadline) throw new Error(`Processes in ${path} do not end though they were killed.`);
      await pause(5);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  removeGroup(path);
  // Beside version 1, nspawn makes the same groups in the hierarchy of systemd's own.
  const mount = cgroup2Mount();
  if (basename(mount) === "unified") removeGroup(join(dirname(mount), "systemd", relative(mount, path)));
}

/** The mount point of the unified hierarchy: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1. */
export function cgroup2Mount(): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const found = mounts.map((line) => line.split(" ")).find((words) => words[2] === "cgroup2")?.[1];
  if (found === undefined)
    throw new Error("The unified control group hierarchy (cgroup2) is not mounted here.");
  return found;
}

function removeGroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeGroup(join(path, entry.name));
    }
    rmdirSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** ENODEV is what a file of a group says that was removed after it was opened. */
function isGone(error: unknown): boolean {
  return ["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "");
}
