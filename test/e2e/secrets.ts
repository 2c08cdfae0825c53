/** What no one may find in plain text, and the places where it is looked for. */
import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HOST_KEY } from "../../plan/hostKey.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import {
  cloudFolder,
  cloudInfo,
  mailhost,
  onHost,
  stackOutput,
  stateResources,
  succeed,
} from "./mailhost.ts";

/** Everything that must be nowhere in plain text, by what it is: each key and password that the state holds. */
export async function secrets(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const kinds = { key: 0, password: 0 };
  for (const { type, urn, outputs = {} } of await stateResources("--show-secrets")) {
    const name = urn.split("::").at(-1) ?? "";
    const plain = (property: string) => {
      const { plaintext } = outputs[property] as { plaintext?: string };
      assert.ok(plaintext, `${name}: ${property} is no secret of the state`);
      return JSON.parse(plaintext) as string;
    };
    if (type === "tls:index/privateKey:PrivateKey") {
      kinds.key++;
      for (const form of ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"]) {
        // OpenSSH has no form for some kinds.
        if (outputs[form] === "" || outputs[form] === undefined) continue;
        // OpenSSH's form holds the public half as well, and sometimes in the very lines of the public key.
        for (const [index, part] of partsOfKey(plain(form)).entries())
          if (!String(outputs.publicKeyOpenssh).includes(part)) found.set(`${name} ${form} ${index}`, part);
      }
    }
    if (type === "random:index/randomPassword:RandomPassword") {
      kinds.password++;
      found.set(`${name} password`, plain("result"));
      found.set(`${name} hash`, plain("bcryptHash"));
    }
  }
  const { credentials, keyRotation } = (await stackOutput()) as {
    readonly credentials: Record<string, string>;
    readonly keyRotation: KeyRotation;
  };
  const known = new Set(found.values());
  for (const [address, password] of Object.entries(credentials))
    assert.ok(known.has(password), `${address}'s password is not in the state`);
  assert.ok(kinds.password >= Object.keys(credentials).length);
  // Two of SSH for those who log in; two of DKIM for each pair of two domains and the host; those of TLS and of the host in SSH.
  const single = (holder: string) => holder.startsWith("_25._tcp.") || holder === HOST_KEY;
  const held = Object.entries(keyRotation).map(([holder, { length }]) => (single(holder) ? 1 : 2) * length);
  assert.ok(held.length === 5 && held.every((count) => count >= 2), held.join(" "));
  assert.equal(kinds.key, 2 + held.reduce((sum, count) => sum + count), "keys in the state");
  found.set("Cloudflare's token", cloudInfo().cloudflareToken);
  for (const [what, value] of found)
    assert.ok(value.length >= 20, `${what} could not be read, so nothing would be proven`);
  return found;
}

/** The key's base64 in one line, and those of its lines that hold its private half and not its public one alone. */
function partsOfKey(pem: string): readonly string[] {
  const lines = pem.trim().split("\n").slice(1, -1);
  const isShort = lines.length <= 3 && !pem.includes("OPENSSH");
  const telling = isShort ? lines.slice(0, 1) : lines.slice(Math.ceil(lines.length / 2));
  return [lines.join(""), ...telling.filter((line) => line.length >= 40)];
}

/** Looks into every process of this machine, the host's and the engine's among them, until it is stopped. */
function watchProcesses(see: (where: string, text: string) => void) {
  const read = (path: string) => {
    try {
      return readFileSync(path, "latin1");
    } catch {
      return ""; // It has ended.
    }
  };
  const seen = new Set<string>();
  const looks = new Map<string, number>();
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      // Between fork and exec it is still its parent; later it does not change.
      const times = looks.get(pid) ?? 0;
      if (times === 3) continue;
      looks.set(pid, times + 1);
      for (const file of ["cmdline", "environ"]) {
        const text = read(`/proc/${pid}/${file}`);
        if (seen.has(text)) continue;
        seen.add(text);
        see(`${file} of process ${pid}`, text);
      }
    }
  };
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    return seen;
  };
}

function* textsBelow(folder: string): Generator<readonly [string, string]> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    // The token's own home.
    if (path.endsWith("/cloudflare/token")) continue;
    if (entry.isFile()) yield [path, readFileSync(path, "latin1")];
  }
}

/** By nature these are in the environment of the engine and what it starts. */
const fromTheEnvironment = ["Cloudflare's token", "the owner's hash"];

/**
 * Looks for each secret in all that is kept, printed and listed, while the engine works.
 * @param all by what it is
 * @param fails runs an `up` whose step with secrets on its standard input fails, and gives what was said
 */
export async function noneIsFound(
  all: ReadonlyMap<string, string>,
  fails?: () => Promise<string>,
): Promise<void> {
  const found: string[] = [];
  const look = (where: string, text: string) => {
    for (const [what, value] of all)
      if (text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1)))
        found.push(`${what} in ${where}`);
  };
  for (const [path, text] of textsBelow(join(cloudFolder, "pulumi"))) look(path, text);
  for (const part of ["aws", "cloudflare"])
    for (const [path, text] of textsBelow(join(cloudFolder, part))) look(path, text);
  const logs = globSync(["daemon.log", "machines/*/console.log", "peer/*.log"], { cwd: cloudFolder });
  assert.ok(logs.length >= 3, "daemon, machine and other side each keep a log");
  for (const log of logs) look(log, readFileSync(join(cloudFolder, log), "latin1"));
  // The engine and the daemon are given the token by their environment.
  const stop = watchProcesses((where, text) => {
    for (const [what, value] of all)
      if (!fromTheEnvironment.includes(what) || where.startsWith("cmdline"))
        if (text.includes(value)) found.push(`${what} in ${where}`);
  });
  if (fails !== undefined) look("the message of a failing step", await fails());
  for (const args of [
    ["preview", "--diff"],
    ["preview", "--json"],
    ["up", "--yes", "--skip-preview", "--json", "--replace", "**::host-*-secrets"],
    ["stack", "output", "--json"],
    ["stack", "export"],
  ]) {
    const ran = await succeed(["pulumi", ...args]);
    look(`pulumi ${args.join(" ")}`, ran.stdout + ran.stderr);
  }
  const seen = [...stop()];
  for (const process of ["--skip-preview", "mailhost/apply"])
    assert.ok(
      seen.some((text) => text.includes(process)),
      `${process} was not seen, so nothing would be proven`,
    );
  look("check", (await mailhost(["check", "--json"])).stdout);
  look("the host's journal", await onHost("journalctl --sync; journalctl -q --no-pager"));
  for (const user of ["nobody", "vmail"])
    look(
      `what ${user} can read on the host`,
      await onHost(
        `runuser -u ${user} -- find /etc /home /root /run /srv /tmp /var -type f -readable -size -1000k -exec cat {} + 2>/dev/null | tr -d "\\000"`,
      ),
    );
  assert.deepEqual(found, []);
}
