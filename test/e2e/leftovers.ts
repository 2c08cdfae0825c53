import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { cloudFolder } from "./mailhost.ts";

/**
 * What a cloud has outside its folder on this machine: all that it could leave behind.
 * @returns a line for each, which says what it is: `mount: …`; nothing where the machine is clean
 */
export function leftovers(slot: number, folder = cloudFolder): string {
  const isNamed = new RegExp(`\\bmh${slot}v?\\b|198\\.18\\.${slot}\\.`);
  const named = (line: string) => isNamed.test(line);
  const inFolder = (line: string) => line.includes(folder);
  const found: Readonly<Record<string, readonly string[]>> = {
    device: linesOf("ip", "-brief", "link").filter(named),
    route: linesOf("ip", "route").filter(named),
    namespace: linesOf("ip", "netns").filter(named),
    table: linesOf("nft", "list", "tables").filter(named),
    // Also where the unified hierarchy is mounted below, beside version 1.
    "control group": globSync([`/sys/fs/cgroup/mailhost-${slot}`, `/sys/fs/cgroup/*/mailhost-${slot}`]),
    mount: linesOf("cat", "/proc/self/mounts").filter(inFolder),
    loop: linesOf("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE").filter(inFolder),
    process: processesOf(folder),
  };
  return Object.entries(found)
    .flatMap(([what, lines]) => lines.map((line) => `${what}: ${line}`))
    .join("\n");
}

/** Number and arguments of each process that names the folder there. This one has it in its environment at most. */
export function processesOf(folder: string): readonly string[] {
  return linesOf("ps", "-eo", "pid,args", "-ww").filter((line) => line.includes(folder));
}

function linesOf(program: string, ...args: readonly string[]): readonly string[] {
  return execFileSync(program, args, { encoding: "utf8" }).split("\n");
}
