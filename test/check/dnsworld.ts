import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "../../dns/client.ts";
import { eventually } from "../eventually.ts";

/** A small real DNS on loopback: knot serves and signs the zones, unbound validates what it resolves. */
export interface DnsWorld {
  /** The authoritative server, `127.0.0.1:<port>`. */
  readonly authority: string;
  /** The validating resolver, `127.0.0.1:<port>`. */
  readonly resolver: string;
  close(): Promise<void>;
}

export interface ZoneText {
  /** Zone-file lines without SOA and NS, which are added. */
  readonly lines: readonly string[];
  /** @default "signed" */
  readonly dnssec?: "signed" | "unsigned" | "bogus";
}

/** Starts both daemons; needs the packages knot and unbound. */
export async function startDnsWorld(zones: Readonly<Record<string, ZoneText>>): Promise<DnsWorld> {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-dns-"));
  const [authorityPort, resolverPort] = [await freePort(), await freePort()];
  const children: ChildProcess[] = [];
  const close = async () => {
    await Promise.all(children.map(ended));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const names = Object.keys(zones);
    for (const [name, zone] of Object.entries(zones)) {
      writeFileSync(join(folder, `${name}.zone`), zoneFile(name, zone));
    }
    writeFileSync(join(folder, "knot.conf"), knotConf(folder, authorityPort, zones));
    children.push(daemon("knotd", ["-c", join(folder, "knot.conf")], folder));
    const authority = `127.0.0.1:${authorityPort}`;
    const anchors: string[] = [];
    for (const name of names) {
      const keys = await eventually(
        `knot serves ${name}`,
        10,
        async () => {
          const { answers, rcode } = await ask(authority, name, "DNSKEY", { recursion: false });
          const signed = (zones[name]?.dnssec ?? "signed") !== "unsigned";
          if (rcode !== "NOERROR" || (signed && answers.length === 0)) {
            throw new Error(rcode);
          }
          return answers;
        },
        50,
      );
      for (const key of keys) {
        if (key.type === "DNSKEY") {
          const bogus = zones[name]?.dnssec === "bogus";
          const text = Buffer.from(key.data.key);
          if (bogus) {
            text[0] = (text[0] ?? 0) ^ 0xff;
          }
          anchors.push(
            `${name}. DNSKEY ${key.data.flags} 3 ${key.data.algorithm} ${text.toString("base64")}`,
          );
        }
      }
    }
    writeFileSync(
      join(folder, "unbound.conf"),
      unboundConf(folder, resolverPort, authorityPort, names, anchors),
    );
    children.push(daemon("unbound", ["-d", "-c", join(folder, "unbound.conf")], folder));
    const resolver = `127.0.0.1:${resolverPort}`;
    await eventually("unbound answers", 10, () => ask(resolver, names[0] ?? ".", "SOA"), 50);
    return { authority, resolver, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function zoneFile(name: string, zone: ZoneText): string {
  return [
    `$ORIGIN ${name}.`,
    "$TTL 60",
    `@ SOA ns hostmaster 1 3600 600 86400 60`,
    "@ NS ns",
    "ns A 127.0.0.1",
    ...zone.lines,
    "",
  ].join("\n");
}

function knotConf(folder: string, port: number, zones: Readonly<Record<string, ZoneText>>): string {
  const zone = ([name, { dnssec }]: [string, ZoneText]) =>
    [
      `  - domain: ${name}`,
      `    file: ${name}.zone`,
      ...(dnssec === "unsigned" ? [] : ["    dnssec-signing: on", "    dnssec-policy: small"]),
    ].join("\n");
  return `server:
    listen: 127.0.0.1@${port}
    rundir: ${folder}
database:
    storage: ${folder}
policy:
  - id: small
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: ${folder}
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
zone:
${Object.entries(zones).map(zone).join("\n")}
`;
}

function unboundConf(
  folder: string,
  port: number,
  authorityPort: number,
  names: readonly string[],
  anchors: readonly string[],
): string {
  const stubs = names.map(
    (name) => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${authorityPort}\n  stub-prime: no\n`,
  );
  return `server:
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  module-config: "validator iterator"
  # Beyond these zones there is nothing: what is not here does not exist, without asking anybody.
  local-zone: "." static
${names.map((name) => `  local-zone: "${name}." transparent`).join("\n")}
${anchors.map((anchor) => `  trust-anchor: "${anchor}"`).join("\n")}
remote-control:
  control-enable: no
${stubs.join("")}`;
}

function daemon(program: string, args: readonly string[], folder: string): ChildProcess {
  return spawn(program, args, { cwd: folder, stdio: process.env.MAILHOST_TEST_LOGS ? "inherit" : "ignore" });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  }
}

/** A port that nothing on loopback uses, by TCP; the kernel does not give it out again soon. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
