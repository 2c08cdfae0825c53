import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Percent of a file system, in blocks or inodes, from which on it is time to act. */
const full = 85;
/** Percent of memory below which the kernel may soon have to kill. */
const leastMemory = 8;

/** Room on the disks and in memory. */
export const resources = insideItem(
  "resources",
  "df -l --output=target,pcent,ipcent -x tmpfs -x devtmpfs -x efivarfs; echo =memory=; grep -E '^Mem(Total|Available):' /proc/meminfo",
  (output) => {
    const [disks = "", memory = ""] = output.split("=memory=\n");
    return [...diskFindings(disks), memoryFinding(memory)];
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
      // A file system without inodes shows a dash.
      used: Math.max(Number.parseInt(blocks, 10) || 0, Number.parseInt(inodes, 10) || 0),
    }));
  const tight = rows.filter(({ used }) => used >= full);
  const fullest = rows.reduce((one, other) => (other.used > one.used ? other : one), { mount: "/", used: 0 });
  return tight.length === 0
    ? [right(`every disk has room (the fullest, ${fullest.mount}, is ${fullest.used} % full)`)]
    : tight.map(({ mount, used }) =>
        wrong(
          `${mount} is ${used} % full`,
          "Raise server.dataSize (mail) or server.rootSize in the stack file and run `pulumi up`.",
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
