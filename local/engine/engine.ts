/** Finds Pulumi's CLI on this machine, or gets it, once. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { rename } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkout, writeWhole } from "../paths.ts";
import { run, tryRun } from "../run.ts";

/** The version that `go.mod` and the SDK in package.json name. Newer ones of the user's are as good. */
export const ENGINE_VERSION = "3.259.0";

/** The package that is the CLI. */
const CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";

/** Where npm's `pulumi` package gets the official release: its installer's address. */
const INSTALLER_URL = "https://get.pulumi.com/install.sh";

/** Long enough for a slow line to answer at all. */
const PROBE_TIMEOUT = 5000;

/** The release is 150 MB. */
const DOWNLOAD_TIMEOUT = 20 * 60_000;

/** How long it is not tried again to reach the download. */
const UNREACHABLE_FOR = 24 * 60 * 60_000;

const PROGRESS_EVERY = 30_000;

export interface Engine {
  /** Path of the executable. */
  readonly pulumi: string;
}

export interface EngineOptions {
  /** Folder that all clouds of this user share; the engine goes to `engine/` in it. */
  readonly cacheDir: string;
  /** Where progress goes, a sentence at a time. */
  readonly log: (line: string) => void;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** At least {@link ENGINE_VERSION}: `v3.260.1`, `3.259.0-beta`. */
function isNewEnough(version: string): boolean {
  const numbers = (text: string) => /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [found, wanted] = [numbers(version), numbers(ENGINE_VERSION)];
  if (!found || !wanted || found[0] !== wanted[0]) {
    return false;
  }
  const [minor = 0, patch = 0] = [found[1], found[2]];
  const [wantedMinor = 0, wantedPatch = 0] = [wanted[1], wanted[2]];
  return minor > wantedMinor || (minor === wantedMinor && patch >= wantedPatch);
}

/** The user's own CLI on PATH, with the official language host beside it or on PATH. */
async function onPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const candidate = join(folder, "pulumi");
    // npm's wrapper is a script of Node that would try a download: that is done below, with a limit.
    if (!isExecutable(candidate) || realpathSync(candidate).endsWith(".js")) {
      continue;
    }
    const hosts = [dirname(realpathSync(candidate)), ...folders].map((each) =>
      join(each, "pulumi-language-nodejs"),
    );
    const version = await tryRun(candidate, ["version"], {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    if (version !== undefined && isNewEnough(version) && hosts.some(isExecutable)) {
      return candidate;
    }
  }
  return undefined;
}

/** Where npm's wrapper puts a release, below a home of Pulumi's. */
function releaseIn(home: string): string {
  return join(home, "versions", ENGINE_VERSION, "bin", "pulumi");
}

/** The official release by way of npm's wrapper, into a folder of our own; `undefined` where it cannot be had. */
async function download({ cacheDir, log, env = process.env }: EngineOptions): Promise<string | undefined> {
  const home = join(cacheDir, "engine", "official");
  const marker = join(cacheDir, "engine", "unreachable");
  if (existsSync(marker) && Date.now() - statSync(marker).mtimeMs < UNREACHABLE_FOR) {
    return undefined;
  }
  const wrapper = join(checkout, "node_modules", "pulumi", "run.js");
  const reachable = await fetch(INSTALLER_URL, {
    method: "HEAD",
    signal: AbortSignal.timeout(PROBE_TIMEOUT),
  }).then(
    (response) => response.ok,
    () => false,
  );
  if (reachable && existsSync(wrapper)) {
    log(`downloading Pulumi ${ENGINE_VERSION}, once…`);
    const version = await Promise.race([
      tryRun(process.execPath, [wrapper, "version"], {
        env: { ...env, PULUMI_HOME: home, PULUMI_VERSION: ENGINE_VERSION, PULUMI_SKIP_UPDATE_CHECK: "true" },
      }),
      sleep(DOWNLOAD_TIMEOUT, undefined, { ref: false }),
    ]);
    if (version !== undefined && isNewEnough(version)) {
      return releaseIn(home);
    }
  }
  rmSync(home, { recursive: true, force: true });
  writeWhole(
    marker,
    "The official release of Pulumi could not be downloaded; it is tried again after a day.\n",
  );
  return undefined;
}

/**
 * Stands beside a CLI that was built here, where the engine looks first. It names no checkout, since several may
 * share it: the environment (`pulumi.ts`) does.
 */
const LANGUAGE_HOST_SHIM = `#!/bin/sh
# Runs the stand-in of Pulumi's Node.js language host that belongs to the checkout in use.
: "\${MAILHOST_LANGUAGE_HOST:?run Pulumi by \\"npm run pulumi -- …\\" in the checkout}"
exec "\${MAILHOST_NODE:-node}" "$MAILHOST_LANGUAGE_HOST" "$@"
`;

/** Whether the process that a build's folder is named after is still there. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Builds into `folder`, whole or not at all. */
async function build(folder: string, { log, env = process.env }: EngineOptions): Promise<void> {
  const parent = dirname(folder);
  const prefix = "building.";
  const others = () =>
    readdirSync(parent)
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ path: join(parent, name), pid: Number(name.slice(prefix.length)) }));
  for (const { path, pid } of others()) {
    if (!isAlive(pid)) {
      rmSync(path, { recursive: true, force: true });
    }
  }
  let told = false;
  while (others().length > 0) {
    if (!told) {
      log("another start builds Pulumi's engine at the moment: waiting for it…");
      told = true;
    }
    await sleep(1000);
    for (const { path, pid } of others()) {
      if (!isAlive(pid)) {
        rmSync(path, { recursive: true, force: true });
      }
    }
  }
  if (isExecutable(join(folder, "pulumi"))) {
    return;
  }
  const go = await tryRun("go", ["version"], { env }).catch(() => undefined);
  if (go === undefined) {
    throw new Error(
      `Pulumi's engine is not installed and its download could not be reached; building it needs Go 1.25 or ` +
        `newer, which is not on PATH. Install Pulumi ${ENGINE_VERSION} (https://www.pulumi.com/docs/install/) or ` +
        "Go (https://go.dev/dl/), then run this again.",
    );
  }
  const temporary = join(parent, `${prefix}${process.pid}`);
  const caches = join(temporary, "caches");
  mkdirSync(caches, { recursive: true });
  log("building Pulumi's engine from its modules, once; 3–7 min…");
  const started = Date.now();
  const progress = setInterval(() => {
    log(`building Pulumi's engine: ${Math.round((Date.now() - started) / 1000)} s so far`);
  }, PROGRESS_EVERY);
  try {
    const version = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${ENGINE_VERSION}`;
    await run(
      "go",
      ["build", "-trimpath", "-ldflags", `-s -w -X ${version}`, "-o", join(temporary, "pulumi"), CLI_PACKAGE],
      {
        cwd: import.meta.dirname,
        env: {
          ...env,
          // Without C the result depends on no compiler and no library of this machine.
          CGO_ENABLED: "0",
          // Go's own caches would be left in the home of whoever builds: gigabytes, of use to nothing else here.
          GOPATH: join(caches, "go"),
          GOCACHE: join(caches, "go-build"),
          // Its modules may be removed like any other file.
          GOFLAGS: `${env.GOFLAGS ?? ""} -modcacherw`.trim(),
        },
      },
    );
    rmSync(caches, { recursive: true });
    writeWhole(join(temporary, "pulumi-language-nodejs"), LANGUAGE_HOST_SHIM, 0o755);
    await rename(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw new Error(
      `Pulumi's engine could not be built: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    clearInterval(progress);
  }
  log(`built Pulumi's engine in ${Math.round((Date.now() - started) / 1000)} s`);
}

/**
 * The CLI to use: the user's own where it is new enough and has its language host, else the official release that
 * npm's `pulumi` package downloads, else one that is built here from Go modules.
 * @throws Error with what to install, where none of these can be had
 */
export async function ensureEngine(options: EngineOptions): Promise<Engine> {
  const { cacheDir, env = process.env } = options;
  const own = await onPath(env);
  if (own !== undefined) {
    return { pulumi: own };
  }
  const built = join(cacheDir, "engine", `v${ENGINE_VERSION}`);
  const present = [
    releaseIn(env.PULUMI_HOME || join(homedir(), ".pulumi")),
    releaseIn(join(cacheDir, "engine", "official")),
    join(built, "pulumi"),
  ].find(isExecutable);
  if (present !== undefined) {
    return { pulumi: present };
  }
  mkdirSync(join(cacheDir, "engine"), { recursive: true });
  const official = await download(options);
  if (official !== undefined) {
    return { pulumi: official };
  }
  await build(built, options);
  return { pulumi: join(built, "pulumi") };
}
