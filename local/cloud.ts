/** This checkout's local cloud as its commands see it: up or down, and the way from one to the other. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { NoAnswer } from "../check/api.ts";
import { callDaemon, callSocket } from "./api.ts";
import { takeLock } from "./lock.ts";
import { type CloudPaths, checkout } from "./paths.ts";
import type { CloudInfo } from "./types.ts";
import { LocalWorld, type WorldSummary } from "./world/world.ts";

/**
 * What runs, or undefined. A file of a cloud that was killed does not count: its socket is dead.
 * @throws where its daemon lives and is silent, with what to do
 */
export async function runningCloud(paths: CloudPaths): Promise<CloudInfo | undefined> {
  if (!existsSync(paths.info)) return undefined;
  try {
    await callSocket(paths.socket, { method: "GET", path: "/world/state", patience: 20 });
  } catch (error) {
    if (!(error instanceof NoAnswer)) return undefined;
    const { pid } = toldInfo(paths);
    throw new SilentDaemon(
      `The local cloud's daemon (process ${pid}) does not answer. End it with: npm stop`,
    );
  }
  return toldInfo(paths);
}

class SilentDaemon extends Error {}

function toldInfo(paths: CloudPaths): CloudInfo {
  return JSON.parse(readFileSync(paths.info, "utf8")) as CloudInfo;
}

/** @throws where the cloud is down, with what to do */
export async function needCloud(paths: CloudPaths): Promise<CloudInfo> {
  const info = await runningCloud(paths);
  if (info === undefined) {
    const root = process.getuid?.() === 0 ? "" : " Root's cloud is another: become root (`sudo -i`) first.";
    throw new Error(`The local cloud is not running. Start it with: npm start${root}`);
  }
  return info;
}

export async function worldState(paths: CloudPaths): Promise<WorldSummary> {
  return (await callDaemon(paths, "GET", "/world/state")) as WorldSummary;
}

/**
 * Starts the daemon unless it runs, and machines that lost their power; resolves when everything serves.
 * @throws with its last words
 */
export async function ensureCloud(paths: CloudPaths): Promise<CloudInfo> {
  const running = await runningCloud(paths);
  if (running !== undefined) {
    await callDaemon(paths, "POST", "/world/wake");
    return running;
  }
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
  rmSync(paths.info, { force: true });
  const log = openSync(paths.log, "a", 0o600);
  const child = spawn(process.execPath, [join(checkout, "local/daemon.ts")], {
    // A session of its own: Ctrl-C at the terminal is for the command, not for the cloud.
    detached: true,
    stdio: ["ignore", log, log],
    cwd: paths.folder,
    env: {
      ...process.env,
      MAILHOST_HOME: paths.home,
      MAILHOST_CLOUD: paths.folder,
    },
  });
  closeSync(log);
  const started = Date.now();
  let ended = false;
  child.on("exit", () => {
    ended = true;
  });
  child.unref();
  for (;;) {
    const info = await runningCloud(paths);
    if (info !== undefined) return info;
    if (ended) {
      // Two starts at once: the other one's daemon is the cloud's, and may need a moment.
      if (/Another daemon/.test(lastLine(paths.log)) && Date.now() - started < 60_000) {
        await pause(200);
        continue;
      }
      throw new Error(`The local cloud did not start: ${lastLine(paths.log)}\nMore is in ${paths.log}`);
    }
    if (Date.now() - started > startPatience) {
      throw new Error(
        `The local cloud is not up after three minutes. What it waits for may be in ${paths.log}`,
      );
    }
    await pause(30);
  }
}

/** Milliseconds. Each service has thirty seconds, and they start side by side. */
const startPatience = 180_000;
/** Seconds for an orderly end: a machine has a hundred before it is torn from its power. */
const stopPatience = 150;

/**
 * Takes the running cloud down, or sweeps up after one that was killed.
 * @param hard its machines need not power off in order
 * @returns whether one was running
 */
export async function stopCloud(paths: CloudPaths, hard = false): Promise<boolean> {
  const ended = await endDaemon(paths, hard);
  if (ended === "in order") return true;
  if (!existsSync(paths.slot)) return false;
  const release = await takeLock(paths.folder);
  if (release === undefined)
    throw new Error("The local cloud is just starting or stopping: try again in a moment.");
  try {
    await new LocalWorld(paths, Number(readFileSync(paths.slot, "utf8")), () => {}).sweep();
    for (const path of [paths.info, paths.socket]) rmSync(path, { force: true });
  } finally {
    release();
  }
  return ended === "by force";
}

async function endDaemon(paths: CloudPaths, hard: boolean): Promise<"in order" | "by force" | undefined> {
  if (!existsSync(paths.info)) return undefined;
  const { pid } = toldInfo(paths);
  try {
    if ((await runningCloud(paths)) === undefined) return undefined;
    const path = `/world/shutdown${hard ? "?hard" : ""}`;
    await callDaemon(paths, "POST", path, undefined, stopPatience);
    await gone(pid);
    return "in order";
  } catch (error) {
    if (!(error instanceof SilentDaemon || error instanceof NoAnswer)) throw error;
    // Its number may be another's by now.
    if (!isDaemonOf(paths, pid)) return undefined;
    process.kill(pid, "SIGKILL");
    await gone(pid);
    return "by force";
  }
}

function isDaemonOf(paths: CloudPaths, pid: number): boolean {
  try {
    return realpathSync(`/proc/${pid}/cwd`) === realpathSync(paths.folder);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (existsSync(`/proc/${pid}`)) {
    if (Date.now() > deadline) throw new Error(`Process ${pid}, the local cloud's daemon, does not end.`);
    await pause(10);
  }
}

function lastLine(path: string): string {
  return (
    readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^\S+Z /, "") ?? ""
  );
}
