/** How the local cloud runs Pulumi's CLI. */
import { spawn } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants, hostname } from "node:os";
import { join } from "node:path";

/** A stack's engine: its home, its state and its passphrase. */
export interface PulumiHome {
  /** Folder that belongs to the local cloud: plugins and settings of the engine. Never a person's own ~/.pulumi. */
  readonly home: string;
  /** Folder of the state (`file://` backend); made when it is missing. */
  readonly backendDir: string;
  /** Passphrase of the stack's secrets. */
  readonly passphrase: string;
  /** Variables for the program and its providers. */
  readonly extra?: { readonly [name: string]: string };
}

/** The environment of every run of the CLI: this process's own with what the local cloud changes. */
export function pulumiEnvironment({
  home,
  backendDir,
  passphrase,
  extra = {},
}: PulumiHome): Record<string, string> {
  mkdirSync(backendDir, { recursive: true, mode: 0o700 });
  leaveNoLogs(home);
  const inherited = Object.entries(process.env).filter(
    // A person's own organisation, tokens and settings are of no use here, and may mislead.
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("PULUMI_"),
  );
  return {
    ...Object.fromEntries(inherited),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: `file://${backendDir}`,
    PULUMI_CONFIG_PASSPHRASE: passphrase,
    // A plugin that the state names and the disk lacks would cost five attempts to fetch it.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: "true",
    // The stand-in of the language host is one shim for every checkout of this machine: these say which.
    MAILHOST_NODE: process.execPath,
    MAILHOST_LANGUAGE_HOST: join(import.meta.dirname, "language-host.ts"),
    ...extra,
  };
}

/**
 * The CLI keeps a log of everything that it does, in a folder of its home, and has no switch for that. It costs a fifth of a
 * preview's processor time (1.1 of 5.5 seconds) and 3 MB each time. Where it cannot be kept, the CLI does without.
 */
function leaveNoLogs(home: string): void {
  const logs = join(home, "logs");
  if (statSync(logs, { throwIfNoEntry: false })?.isFile()) return;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  rmSync(logs, { recursive: true, force: true });
  writeFileSync(logs, "");
}

export interface RunOptions {
  /** Folder of the program. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Path of the CLI, from `ensureEngine`. */
  readonly pulumi: string;
  /** @default "inherit" */
  readonly stdio?: "inherit" | "ignore" | readonly ("inherit" | "ignore" | number)[];
}

/**
 * Runs the CLI to its end.
 * @returns its exit code; a signal that ended it counts as in a shell, 128 and its number
 */
export function runPulumi(
  args: readonly string[],
  { cwd, env, pulumi, stdio = "inherit" }: RunOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(pulumi, args, { cwd, env, stdio: typeof stdio === "string" ? stdio : [...stdio] });
    // The terminal sends Ctrl-C to the whole group: the engine winds up in its own time, and we wait for it.
    const wait = () => {};
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", wait);
    process.on("SIGTERM", forward);
    const done = () => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", forward);
    };
    child.once("error", (error) => {
      done();
      reject(new Error(`Pulumi cannot be started (${pulumi}): ${error.message}`));
    });
    child.once("close", (code, signal) => {
      done();
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * Removes the locks that killed runs of the CLI left behind, so that the next one need not be told
 * `pulumi cancel`. A lock whose process lives, or that another machine made, stays.
 * @returns how many were removed
 */
export function removeStaleLocks(backendDir: string): number {
  let removed = 0;
  for (const path of globSync(join(backendDir, ".pulumi", "locks", "**", "*.json"))) {
    let lock: { pid?: unknown; hostname?: unknown };
    try {
      lock = JSON.parse(readFileSync(path, "utf8"));
    } catch {
      // The machine went down while it was written.
      lock = { hostname: hostname() };
    }
    if (lock.hostname === hostname() && !(typeof lock.pid === "number" && isPulumi(lock.pid))) {
      rmSync(path, { force: true });
      removed++;
    }
  }
  return removed;
}

/**
 * Removes what a run left half written that was killed while it saved the state: beside each file of it, which is
 * exchanged as a whole, stands one of attributes, which is not (gocloud.dev's fileblob, `.attrs`). Where that is empty,
 * the engine says `failed to load checkpoint: EOF`; where it is missing, nothing is missing.
 * @returns how many were removed
 */
export function removeBrokenAttributes(backendDir: string): number {
  const broken = globSync(join(backendDir, ".pulumi", "**", "*.attrs")).filter((path) => {
    try {
      JSON.parse(readFileSync(path, "utf8"));
      return false;
    } catch {
      return true;
    }
  });
  for (const path of broken) rmSync(path, { force: true });
  return broken.length;
}

/**
 * Whether a process is there and is Pulumi's: after a reboot its number may be another's, and one that was killed
 * is listed until somebody has taken note of its end (states Z and X of proc(5)).
 */
function isPulumi(pid: number): boolean {
  try {
    return /^\d+ \(pulumi\) [^ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
