import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inside, networkOf, runInside } from "../../local/world/network.ts";
import { cloudInfo } from "./mailhost.ts";

/** A key that zone transfers are signed with, as the stack's output `transferKeys` has it. */
export interface Key {
  readonly key: string;
  readonly algorithm: string;
  readonly secret: string;
}

/** A nameserver of somebody else's (Knot) at an address of its own, which copies a zone from the host. */
export interface Secondary {
  readonly address: string;
  /** Begins to copy, as its owner sets it up. */
  copy(zone: string, from: string, key: Key): Promise<void>;
  /** What it has written down. */
  close(): Promise<void>;
}

/** @param host the last part of its address in the cloud's public range, which nobody else has */
export async function secondary(host = 14): Promise<Secondary> {
  const { internet, slot } = networkOf(cloudInfo().slot);
  const address = `198.18.${slot}.${host}`;
  const folder = mkdtempSync(join(tmpdir(), "mailhost-secondary-"));
  await runInside(internet, ["ip", "address", "add", `${address}/32`, "dev", "lo"]);
  let stop: (() => Promise<void>) | undefined;
  return {
    address,
    async copy(zone, from, { key, algorithm, secret }) {
      const conf = join(folder, "knot.conf");
      writeFileSync(
        conf,
        `server:
    listen: ${address}@53
    rundir: ${folder}
control:
    listen: ${join(folder, "knot.sock")}
database:
    storage: ${folder}
key:
  - id: ${key}
    algorithm: ${algorithm}
    secret: ${secret}
remote:
  - id: host
    address: ${from}
    key: ${key}
    via: ${address}
acl:
  - id: host
    address: ${from}
    key: ${key}
    action: notify
zone:
  - domain: ${zone}
    storage: ${folder}
    master: host
    acl: host
`,
      );
      const [file, args] = inside(internet, ["knotd", "-c", conf]);
      const child = spawn(file, args, { stdio: "ignore" });
      stop = async () => {
        child.kill("SIGKILL");
        await new Promise((resolve) => child.once("exit", resolve));
      };
    },
    async close() {
      await stop?.();
      await runInside(internet, ["ip", "address", "del", `${address}/32`, "dev", "lo"]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
