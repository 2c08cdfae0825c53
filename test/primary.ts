import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, tryRun } from "../local/run.ts";
import type { DnsWorld } from "../local/types.ts";
import { freePort } from "./check/dnsworld.ts";
import { eventually } from "./eventually.ts";

/** A real nameserver (Knot) on loopback that takes updates signed with its key. */
export interface Primary {
  readonly server: "127.0.0.1";
  readonly port: number;
  readonly key: string;
  readonly algorithm: "hmac-sha256";
  /** Base64. */
  readonly secret: string;
  /** Every record of a zone but SOA, in knot's words, sorted. */
  records(zone: string): Promise<readonly string[]>;
  /** By hand, past whoever updates. */
  set(zone: string, name: string, ttl: number, type: string, rdata: string): Promise<void>;
  unset(zone: string, name: string, type: string, rdata: string): Promise<void>;
  /** A whole set, as a simulated provider publishes it (`DnsWorld.setRrset`). */
  readonly replace: DnsWorld["setRrset"];
  close(): Promise<void>;
}

/** @param zones zone-file lines by zone, without SOA and NS */
export async function startPrimary(zones: Readonly<Record<string, readonly string[]>>): Promise<Primary> {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-primary-"));
  const port = await freePort();
  const key = "mailhost.test";
  const secret = Buffer.alloc(32, "secret of a key").toString("base64");
  for (const [zone, lines] of Object.entries(zones))
    writeFileSync(
      join(folder, `${zone}.zone`),
      [
        `$ORIGIN ${zone}.`,
        "@ 60 SOA ns hostmaster 1 3600 600 86400 60",
        "@ 60 NS ns",
        "ns 60 A 127.0.0.1",
        ...lines,
        "",
      ].join("\n"),
    );
  const socket = join(folder, "knot.sock");
  const zoneLines = Object.keys(zones).map((zone) => `  - domain: ${zone}\n    file: ${zone}.zone\n`);
  writeFileSync(
    join(folder, "knot.conf"),
    `server:
    listen: 127.0.0.1@${port}
    rundir: ${folder}
control:
    listen: ${socket}
database:
    storage: ${folder}
key:
  - id: ${key}
    algorithm: hmac-sha256
    secret: ${secret}
acl:
  - id: updates
    key: ${key}
    action: update
template:
  - id: default
    storage: ${folder}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    acl: updates
zone:
${zoneLines.join("")}`,
  );
  const child: ChildProcess = spawn("knotd", ["-c", join(folder, "knot.conf")], { stdio: "ignore" });
  const control = (...words: readonly string[]) => run("knotc", ["-b", "-s", socket, ...words]);
  let last: Promise<unknown> = Promise.resolve();
  /** knotd knows one transaction of a zone at a time. */
  const changed = (zone: string, work: () => Promise<unknown>): Promise<void> => {
    const done = last.then(async () => {
      await control("zone-begin", zone);
      await work();
      await control("zone-commit", zone);
    });
    last = done.catch(() => tryRun("knotc", ["-b", "-s", socket, "zone-abort", zone]));
    return done;
  };
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const zone of Object.keys(zones))
      await eventually(`knot serves ${zone}`, 10, async () => {
        if (!/serial: \d+/.test(await control("zone-status", zone, "+serial"))) throw new Error("not yet");
      });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    server: "127.0.0.1",
    port,
    key,
    algorithm: "hmac-sha256",
    secret,
    async records(zone) {
      const text = await control("zone-read", zone);
      const lines = text.split("\n").map((line) => line.replace(/^\[[^\]]*\] /, "").trim());
      return lines.filter((line) => line !== "" && !/ SOA /.test(line)).toSorted();
    },
    set: (zone, name, ttl, type, rdata) =>
      changed(zone, () => control("zone-set", zone, `${name}.`, String(ttl), type, rdata)),
    unset: (zone, name, type, rdata) =>
      changed(zone, () => control("zone-unset", zone, `${name}.`, type, rdata)),
    replace: (zone, name, type, records) =>
      changed(zone, async () => {
        await tryRun("knotc", ["-b", "-s", socket, "zone-unset", zone, `${name}.`, type]);
        for (const { ttl, rdata } of records)
          await control("zone-set", zone, `${name}.`, String(ttl), type, rdata);
      }),
    close,
  };
}
