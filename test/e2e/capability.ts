import { readFileSync } from "node:fs";

/**
 * Whether a mounted ext4 may grow in this process's machines: the kernel asks for CAP_SYS_RESOURCE (capabilities(7)),
 * and where this process lacks it, as in a container, nothing that it starts has it.
 */
export function mayGrowMounted(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
}
