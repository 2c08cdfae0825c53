import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ENGINE_VERSION, ensureEngine } from "../../../local/engine/engine.ts";
import {
  pulumiEnvironment,
  removeBrokenAttributes,
  removeStaleLocks,
  runPulumi,
} from "../../../local/engine/pulumi.ts";
import { eventually } from "../../eventually.ts";

const checkout = join(import.meta.dirname, "../../..");

let folder: string;
let cacheDir: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "engine-test-"));
  cacheDir = join(folder, "cache");
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An executable of the test's own. */
function executable(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** An environment whose PATH has only these folders and the system's shell tools, and a home without Pulumi. */
function environment(...folders: string[]): NodeJS.ProcessEnv {
  const tools = join(folder, "tools");
  executable(join(tools, "mkdir"), 'exec /bin/mkdir "$@"');
  return { HOME: folder, PULUMI_HOME: join(folder, "home"), PATH: [...folders, tools].join(delimiter) };
}

function ensure(env: NodeJS.ProcessEnv) {
  return ensureEngine({ cacheDir, log: (line) => lines.push(line), env });
}

/** Says that the download was tried a moment ago and could not be reached. */
function unreachable(): void {
  mkdirSync(join(cacheDir, "engine"), { recursive: true });
  writeFileSync(join(cacheDir, "engine", "unreachable"), "");
}

const go = (script: string) =>
  executable(join(folder, "go", "go"), `[ "$1" = version ] && { echo go version go1.26; exit; }\n${script}`);

/** Writes the file that `go build -o FILE` would. */
const BUILDS = `while [ "$1" != -o ]; do shift; done; echo built > "$2"; /bin/chmod 755 "$2"`;

test("the user's own CLI is taken, where it is new enough and has its language host", async () => {
  const old = executable(join(folder, "old", "pulumi"), "echo v3.258.0");
  executable(join(folder, "old", "pulumi-language-nodejs"), "");
  executable(join(folder, "bare", "pulumi"), "echo v4.0.0");
  const own = executable(join(folder, "own", "pulumi"), "echo v3.261.2");
  executable(join(folder, "own", "pulumi-language-nodejs"), "");
  const { pulumi } = await ensure(environment(dirname(old), join(folder, "bare"), join(folder, "own")));
  assert.equal(pulumi, own);
});

test("npm's wrapper on PATH is passed over, and a release that it downloaded before is taken", async () => {
  const release = executable(join(folder, "home", "versions", ENGINE_VERSION, "bin", "pulumi"), "");
  assert.ok(existsSync(join(checkout, "node_modules/.bin/pulumi")));
  const { pulumi } = await ensure(environment(join(checkout, "node_modules/.bin")));
  assert.equal(pulumi, release);
});

test("it is built once, whole, from the modules that go.mod names", async () => {
  unreachable();
  const leaves = '/bin/mkdir -p "$GOPATH/pkg" "$GOCACHE"; echo "$GOPATH $GOCACHE"';
  go(
    `pwd > ${folder}/where; echo "$CGO_ENABLED $@" > ${folder}/how; ${leaves} > ${folder}/caches; ${BUILDS}`,
  );
  const env = environment(join(folder, "go"));
  const { pulumi } = await ensure(env);
  // Of Go's own caches nothing stays, here or in anybody's home.
  for (const cache of readFileSync(join(folder, "caches"), "utf8").trim().split(" ")) {
    assert.ok(cache.startsWith(`${cacheDir}/`), cache);
    assert.ok(!existsSync(cache), cache);
  }
  assert.equal(pulumi, join(cacheDir, "engine", `v${ENGINE_VERSION}`, "pulumi"));
  assert.equal(readFileSync(join(folder, "where"), "utf8").trim(), join(checkout, "local/engine"));
  assert.match(readFileSync(join(folder, "how"), "utf8"), /^0 build -trimpath .*version\.Version=v3\.259\.0/);
  assert.match(lines[0] ?? "", /^building Pulumi's engine from its modules, once; 3–7 min…$/);
  assert.deepEqual(readdirSync(dirname(pulumi)).sort(), ["pulumi", "pulumi-language-nodejs"]);
  lines = [];
  rmSync(join(folder, "go"), { recursive: true });
  assert.equal((await ensure(env)).pulumi, pulumi);
  assert.deepEqual(lines, []);
});

test("go.mod, the SDK and the engine are of one version", () => {
  const manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  assert.equal(manifest.dependencies["@pulumi/pulumi"], ENGINE_VERSION);
  assert.equal(manifest.devDependencies.pulumi, ENGINE_VERSION);
  assert.match(
    readFileSync(join(checkout, "local/engine/go.mod"), "utf8"),
    new RegExp(`^require github.com/pulumi/pulumi/pkg/v3 v${ENGINE_VERSION}$`, "m"),
  );
});

test("a build that was killed leaves nothing that the next one takes for a whole", async () => {
  unreachable();
  const { pid } = spawnSync("true");
  const left = join(cacheDir, "engine", `building.${pid}`);
  executable(join(left, "pulumi"), "exit 1");
  go(BUILDS);
  const { pulumi } = await ensure(environment(join(folder, "go")));
  assert.equal(readFileSync(pulumi, "utf8"), "built\n");
  assert.equal(existsSync(left), false);
});

test("a build that fails says why and leaves nothing", async () => {
  unreachable();
  go("echo 'main.go:1: no space left on device' >&2; exit 1");
  await assert.rejects(
    ensure(environment(join(folder, "go"))),
    /could not be built: .*no space left on device/s,
  );
  assert.deepEqual(readdirSync(join(cacheDir, "engine")), ["unreachable"]);
});

test("two starts at once build once", async () => {
  unreachable();
  const counter = join(folder, "builds");
  go(`echo x >> ${counter}; ${BUILDS}`);
  const other = spawn("sleep", ["30"]);
  mkdirSync(join(cacheDir, "engine", `building.${other.pid}`));
  const waiting = ensure(environment(join(folder, "go")));
  await eventually("it waits", 20, () => lines.some((line) => line.startsWith("another start builds")), 5);
  assert.equal(existsSync(counter), false);
  // The other one dies: this one takes over.
  other.kill("SIGKILL");
  await once(other, "exit");
  await waiting;
  assert.equal(readFileSync(counter, "utf8"), "x\n");
});

test("without Go, one sentence says what to install", async () => {
  unreachable();
  await assert.rejects(
    ensure(environment()),
    /^Error: Pulumi's engine is not installed .* needs Go 1\.25 or newer.* Install Pulumi 3\.259\.0 .* or Go /,
  );
});

test("the shim beside a built engine runs the checkout's host, with the Node in use", async () => {
  unreachable();
  go(BUILDS);
  const { pulumi } = await ensure(environment(join(folder, "go")));
  const shim = join(dirname(pulumi), "pulumi-language-nodejs");
  const env = { PATH: "/bin", MAILHOST_NODE: "/bin/echo", MAILHOST_LANGUAGE_HOST: "host.ts" };
  assert.equal(spawnSync(shim, ["127.0.0.1:1"], { env, encoding: "utf8" }).stdout, "host.ts 127.0.0.1:1\n");
  const bare = spawnSync(shim, [], { env: { PATH: "/bin" }, encoding: "utf8" });
  assert.notEqual(bare.status, 0);
  assert.match(bare.stderr, /npm run pulumi/);
});

test("the environment is the local cloud's, and nothing of the user's Pulumi comes through", () => {
  // Left by a run before.
  mkdirSync(join(folder, "home", "logs"), { recursive: true });
  process.env.PULUMI_ACCESS_TOKEN = "token of the user";
  const env = pulumiEnvironment({
    home: join(folder, "home"),
    backendDir: join(folder, "state"),
    passphrase: "local",
    extra: { MAILHOST_CLOUD: "/cloud" },
  });
  delete process.env.PULUMI_ACCESS_TOKEN;
  assert.equal(env.PULUMI_ACCESS_TOKEN, undefined);
  assert.equal(env.PULUMI_BACKEND_URL, `file://${folder}/state`);
  assert.equal(env.PULUMI_CONFIG_PASSPHRASE, "local");
  assert.equal(env.MAILHOST_CLOUD, "/cloud");
  assert.equal(env.PATH, process.env.PATH);
  assert.ok(existsSync(join(folder, "state")));
  assert.ok(statSync(join(folder, "home", "logs")).isFile(), "the CLI can keep no log there");
});

test("a run's exit code is the CLI's, and a signal's is the shell's", async () => {
  const run = (script: string) =>
    runPulumi(["up"], {
      cwd: folder,
      env: { PATH: "/bin" },
      pulumi: executable(join(folder, "pulumi"), script),
      stdio: "ignore",
    });
  assert.equal(await run('[ "$1" = up ] && exit 5'), 5);
  assert.equal(await run("kill -KILL $$"), 137);
  await assert.rejects(
    runPulumi([], { cwd: folder, env: {}, pulumi: join(folder, "absent") }),
    /^Error: Pulumi cannot be started/,
  );
});

test("locks of runs that are dead go, those of the living and of other machines stay", () => {
  const locks = join(folder, "state", ".pulumi", "locks", "organization", "mailhost", "dev");
  mkdirSync(locks, { recursive: true });
  const { pid: dead } = spawnSync("true");
  const lock = (name: string, content: object) =>
    writeFileSync(join(locks, `${name}.json`), JSON.stringify(content));
  lock("dead", { pid: dead, hostname: hostname() });
  lock("reused", { pid: process.pid, hostname: hostname() });
  lock("elsewhere", { pid: dead, hostname: `not-${hostname()}` });
  writeFileSync(join(locks, "cut.json"), '{"pid":');
  assert.equal(removeStaleLocks(join(folder, "state")), 3);
  assert.deepEqual(readdirSync(locks), ["elsewhere.json"]);
  assert.equal(removeStaleLocks(join(folder, "no state yet")), 0);
});

test("attributes that a killed run left half written go, whole ones stay", () => {
  const stacks = join(folder, "state", ".pulumi", "stacks", "mailhost");
  mkdirSync(stacks, { recursive: true });
  writeFileSync(join(stacks, "dev.json.attrs"), "");
  writeFileSync(join(stacks, "second.json.attrs"), '{"user.cache_control":');
  writeFileSync(join(stacks, "third.json.attrs"), '{"user.cache_control":""}\n');
  assert.equal(removeBrokenAttributes(join(folder, "state")), 2);
  assert.deepEqual(readdirSync(stacks), ["third.json.attrs"]);
  assert.equal(removeBrokenAttributes(join(folder, "no state yet")), 0);
});
