import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Percent of a file system, in blocks or inodes, from which on it is time to act. */
const full = 85;
/** Percent of memory below which the kernel may soon have to kill. */
const leastMemory = 8;

/** Room on the disks and in memory. */
export const resources = insideItem(
  "resources",
  `df -l --output=target,pcent,ipcent -x tmpfs -x devtmpfs -x efivarfs; echo =readonly=; awk '$1 ~ "^/dev/" && $2 !~ "^/run/" && $4 ~ /^ro(,|$)/ { print $2 }' /proc/1/mounts; echo =memory=; grep -E '^Mem(Total|Available):' /proc/meminfo`,
  (output) => {
    const [disks = "", readOnly = "", memory = ""] = output.split(/=readonly=\n|=memory=\n/);
    return [...diskFindings(disks), ...readOnlyFindings(readOnly), memoryFinding(memory)];
  },
);

function diskFindings(table: string): Finding[] {
  const rows = table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .map(([mount = "", blocks = "", inodes = ""]) => ({
      mount,
      used: Number.parseInt(blocks, 10) || 0,
      // A file system without inodes shows a dash.
      names: Number.parseInt(inodes, 10) || 0,
    }));
  const tight = rows.filter(({ used, names }) => Math.max(used, names) >= full);
  const fullest = rows.reduce((one, other) => (other.used > one.used ? other : one), {
    mount: "/",
    used: 0,
    names: 0,
  });
  return tight.length === 0
    ? [right(`every disk has room (the fullest, ${fullest.mount}, is ${fullest.used} % full)`)]
    : tight.map(({ mount, used, names }) =>
        wrong(
          used >= full
            ? `${mount} is ${used} % full`
            : `${mount} has room, but ${names} % of its files (inodes) are in use`,
          `${mount === "/" ? "See what takes it: `npm run host -- sudo du -xh --max-depth=3 /`; or raise server.rootSize" : "Raise server.dataSize"} in the stack file and run \`pulumi up\`.`,
          { part: mount },
        ),
      );
}

function readOnlyFindings(mounts: string): Finding[] {
  return mounts
    .split("\n")
    .filter((mount) => mount !== "")
    .map((mount) =>
      wrong(
        `${mount} cannot be written to: the kernel found errors there`,
        "Run `npm run host -- sudo reboot`: it is mended before it is mounted. Then `pulumi up`.",
        { part: `readonly.${mount}` },
      ),
    );
}

function memoryFinding(text: string): Finding {
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  const [total, available] = [kilobytes("MemTotal"), kilobytes("MemAvailable")];
  const share = total === 0 ? 0 : Math.round((100 * available) / total);
  return share >= leastMemory
    ? right(`memory: ${Math.round(available / 1024)} MB of ${Math.round(total / 1024)} MB are free`)
    : wrong(
        `memory: only ${Math.round(available / 1024)} MB of ${Math.round(total / 1024)} MB are free`,
        "Choose a larger server.instanceType in the stack file and run `pulumi up`.",
      );
}
