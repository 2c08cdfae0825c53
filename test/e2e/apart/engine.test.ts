/**
 * The engine with its stand-ins, whole, on a small program of its own: what it leaves alone, what it keeps secret,
 * and what is left of it when it is killed. Needs no local cloud.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ensureEngine } from "../../../local/engine/engine.ts";
import { pulumiEnvironment, removeBrokenAttributes, removeStaleLocks } from "../../../local/engine/pulumi.ts";
import { cloudPaths } from "../../../local/paths.ts";
import { installPlugins } from "../../../local/providers/install.ts";
import { privateKeyOpenssh, publicKeyOpenssh } from "../../../local/providers/tls/openssh.ts";
import { eventually } from "../../eventually.ts";
import { type SshServer, startSshServer } from "../../local/providers/ssh-server.ts";

const checkout = join(import.meta.dirname, "../../..");

/** Odd on purpose: comments, order, spacing and quotes that a YAML writer would not keep. */
const STACK_FILE = `# A person's own words, kept.
encryptionsalt: v1:gto2Rw84DbQ=:v1:tI+pn+y17ATpCGJe:TYKGXLSqXrDnbNSuwOOB3i8vVCf78A==

config:
  # z before a
  scratch:zebra:   "1"
  scratch:list:
    - {a: 1,   b: [x, y]}   # at the end of a line

# end
`;

const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Command } from "@pulumi/command/remote/command.js";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import { PrivateKey } from "@pulumi/tls/privateKey.js";
interface Scene { command: string; port: number; key: string; hostKey: string; throws?: boolean }
const scene: Scene = JSON.parse(readFileSync("scene.json", "utf8"));
if (scene.throws) throw new Error("the program's own mistake");
const password = new RandomPassword("mailbox", { length: 24, special: false });
const key = new PrivateKey("dkim", { algorithm: "ED25519" });
const step = new Command("step", {
  connection: { host: "127.0.0.1", port: scene.port, user: "admin", privateKey: scene.key, hostKey: scene.hostKey },
  create: scene.command,
  stdin: pulumi.interpolate\`password=\${password.result}\\n\${key.privateKeyPem}\`,
  addPreviousOutputInEnv: false,
});
export const credentials = password.result;
export const hash = password.bcryptHash;
export const privateKey = key.privateKeyPem;
export const publicKey = key.publicKeyOpenssh;
export const stdout = step.stdout;
`;

let folder: string;
let program: string;
let backendDir: string;
let pulumi: string;
let env: Record<string, string>;
let server: SshServer;
const login = generateKeyPairSync("ed25519").privateKey;
const loginKey = privateKeyOpenssh(login);
const host = generateKeyPairSync("ed25519").privateKey;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "engine-e2e-"));
  program = join(folder, "program");
  backendDir = join(folder, "state");
  const pulumiHome = join(folder, "home");
  mkdirSync(program);
  symlinkSync(join(checkout, "node_modules"), join(program, "node_modules"));
  writeFileSync(
    join(program, "Pulumi.yaml"),
    "name: scratch\nmain: index.ts\nruntime: {name: nodejs, options: {typescript: false}}\n",
  );
  writeFileSync(join(program, "package.json"), '{"type": "module"}');
  writeFileSync(join(program, "index.ts"), PROGRAM);
  writeFileSync(join(program, "Pulumi.dev.yaml"), STACK_FILE);
  ({ pulumi } = await ensureEngine({ cacheDir: cloudPaths().cache, log: console.error }));
  await installPlugins({ pulumiHome, names: ["command", "random", "tls"], checkout });
  env = pulumiEnvironment({
    home: pulumiHome,
    backendDir,
    passphrase: "local",
    extra: { PULUMI_STACK: "dev" },
  });
  server = await startSshServer({
    hostKeys: [privateKeyOpenssh(host)],
    authorized: publicKeyOpenssh(login).line,
  });
  await succeed("stack", "init", "dev", "--no-select");
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

function scene(command: string, more: object = {}): void {
  const connection = {
    port: server.port,
    key: loginKey,
    hostKey: publicKeyOpenssh(host).line,
  };
  writeFileSync(join(program, "scene.json"), JSON.stringify({ command, ...connection, ...more }));
}

interface Run {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
  readonly seconds: number;
}

function start(args: readonly string[]) {
  const child = spawn(pulumi, [...args], { cwd: program, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

async function run(...args: string[]): Promise<Run> {
  const started = performance.now();
  const { child, output } = start(args);
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(
    readFileSync(join(program, "Pulumi.dev.yaml"), "utf8"),
    STACK_FILE,
    `after pulumi ${args.join(" ")}`,
  );
  return { code, output: output(), seconds: (performance.now() - started) / 1000 };
}

async function succeed(...args: string[]): Promise<Run> {
  const result = await run(...args);
  assert.equal(result.code, 0, `pulumi ${args.join(" ")}:\n${result.output}`);
  return result;
}

/** Everything that runs for this test's engine: its environment names the folder. */
function processes(): string[] {
  return globSync("/proc/[0-9]*/environ").flatMap((path) => {
    try {
      const mine = readFileSync(path, "utf8").includes(`PULUMI_HOME=${folder}/`);
      return mine ? [readFileSync(path.replace("environ", "cmdline"), "utf8").replaceAll("\0", " ")] : [];
    } catch {
      return [];
    }
  });
}

test("a stack from its first preview to its end", async (t) => {
  scene("wc -c");
  const preview = await succeed("preview", "--diff");
  assert.match(preview.output, /\+ 4 to create/);
  assert.match(preview.output, /stdin +: \[unknown\]/);
  const up = await succeed("up", "--yes", "--skip-preview");
  assert.match(up.output, /\+ 4 created/);
  const opened = server.opened();
  const again = await succeed("up", "--yes", "--skip-preview");
  assert.match(again.output, /4 unchanged/);
  t.diagnostic(`up without a change: ${again.seconds.toFixed(2)} s`);
  await succeed("preview", "--expect-no-changes");
  await succeed("refresh", "--yes", "--expect-no-changes");
  assert.equal(server.opened(), opened, "no change, no SSH connection");

  scene("wc -c; true");
  const json = await succeed("preview", "--json");
  assert.deepEqual(
    (JSON.parse(json.output) as { changeSummary: object }).changeSummary,
    { same: 3, update: 1 },
    json.output,
  );
  const diff = await succeed("preview", "--diff");
  assert.match(diff.output, /~ create: "wc -c" => "wc -c; true"/);

  const secrets = JSON.parse((await succeed("stack", "output", "--json", "--show-secrets")).output) as {
    credentials: string;
    hash: string;
    privateKey: string;
    publicKey: string;
  };
  const needles = [
    secrets.credentials,
    secrets.hash,
    secrets.privateKey.split("\n")[1],
    ...loginKey.split("\n").slice(2, 5),
  ];
  const files = readdirSync(backendDir, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  assert.ok(files.length >= 8, "checkpoint, backups and history are there to be searched");
  const failure = async () => {
    // A command that repeated its standard input would show it: no plugin hides that.
    scene("wc -c; exit 3");
    const failed = await run("up", "--yes", "--skip-preview");
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /Process exited with status 3: running "wc -c; exit 3"/);
    return failed.output;
  };
  const places = [
    ...[preview, up, again, json, diff].map((each) => each.output),
    await failure(),
    ...files.map((file) => readFileSync(join(file.parentPath, file.name), "utf8")),
  ];
  assert.ok(
    places.filter((place) => place.includes(secrets.publicKey.trim())).length > files.length / 4,
    "what is no secret is found by the same search",
  );
  for (const needle of needles) {
    assert.ok(needle && needle.length >= 24);
    assert.equal(places.filter((place) => place.includes(needle)).length, 0, "a secret in clear");
  }

  scene("true");
  await succeed("up", "--yes", "--skip-preview");
  await succeed("destroy", "--yes", "--run-program");
});

test("a program's mistake is shown with its place", async () => {
  scene("true", { throws: true });
  const { code, output } = await run("up", "--yes", "--skip-preview");
  assert.notEqual(code, 0);
  assert.match(output, /the program's own mistake/);
  assert.match(output, /index\.ts:\d+/);
  scene("true");
  assert.match((await succeed("about")).output, /written in nodejs/);
});

test("a CLI that is killed takes plugins and program along, and the next run works", async () => {
  scene("exec sleep 30");
  const executed = server.executed();
  const { child, output } = start(["up", "--yes", "--skip-preview"]);
  await eventually("the command runs", 20, () => assert.ok(server.executed() > executed, output()), 20);
  assert.ok(processes().some((command) => command.includes("main.ts command")));
  child.kill("SIGKILL");
  await eventually("all have ended", 20, () => assert.deepEqual(processes(), []), 20);
  await eventually("the connection is closed", 20, () => server.open() === 0, 20);
  scene("echo done");
  const locked = await run("up", "--yes", "--skip-preview");
  assert.match(locked.output, /currently locked/);
  assert.equal(removeStaleLocks(backendDir), 1);
  const next = await succeed("up", "--yes", "--skip-preview");
  assert.match(next.output, /stdout +: .*"done"/);
  // As if the kill had come while the state was saved.
  const [attributes = ""] = globSync(join(backendDir, ".pulumi/stacks/*/*.json.attrs"));
  writeFileSync(attributes, "");
  assert.match((await run("stack", "output")).output, /failed to load checkpoint: EOF/);
  assert.equal(removeBrokenAttributes(backendDir), 1);
  await succeed("stack", "output");
  await succeed("destroy", "--yes");
});
