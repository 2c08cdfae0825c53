import { execFileSync } from "node:child_process";
import { cloudFolder } from "./mailhost.ts";

/** What this cloud could have left on the machine. */
export function leftovers(slot: number): string {
  const run = (command: string) => execFileSync("sh", ["-c", command], { encoding: "utf8" });
  return [
    run(`ip -o link | grep -E '[^0-9]mh${slot}[^0-9]' || true`),
    run(`ip netns list | grep -w mh${slot} || true`),
    run(`nft list tables | grep -w mh${slot} || true`),
    run(`losetup -a | grep ${cloudFolder} || true`),
    run(`grep ${cloudFolder} /proc/mounts || true`),
    run(`ip route | grep '198\\.18\\.${slot}\\.' || true`),
    // This process names the folder as well, in its environment and not in its arguments.
    run(`ps -eo args | grep ${cloudFolder} | grep -v -e grep -e 'sh -c' || true`),
  ].join("");
}
