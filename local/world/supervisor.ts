import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { endGroup, makeGroup } from "./cgroup.ts";
import { inside } from "./network.ts";

export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Where its output goes. */
  readonly log: string;
  /** Done before each start, also when it has died and is started again. */
  readonly prepare?: () => Promise<void>;
  /** True once it serves. Asked again and again, at each start. */
  readonly ready: () => Promise<boolean>;
}

/** Keeps the cloud's daemons running: what dies is started again, and all die with this process. */
export class Supervisor {
  readonly #group: string;
  readonly #log: (text: string) => void;
  readonly #children = new Map<string, ChildProcess>();
  #ending = false;

  /** @param group control group for the daemons */
  constructor(group: string, log: (text: string) => void) {
    this.#group = makeGroup(group);
    this.#log = log;
  }

  /** Starts it and waits until it serves. @throws with its last words where it ends before, or takes 30 s */
  async start(service: Service): Promise<void> {
    await service.prepare?.();
    let died = false;
    this.#launch(service, () => {
      died = true;
    });
    const deadline = Date.now() + 30_000;
    while (!(await service.ready())) {
      if (this.#ending) return;
      if (died) throw new Error(`${service.name} ended at once: ${lastLines(service.log)}`);
      if (Date.now() > deadline)
        throw new Error(`${service.name} does not serve after 30 s: ${lastLines(service.log)}`);
      await pause(15);
    }
  }

  pids(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, child.pid ?? 0]));
  }

  async end(): Promise<void> {
    this.#ending = true;
    for (const child of this.#children.values()) child.kill("SIGTERM");
    const deadline = Date.now() + 3000;
    while (this.#children.size > 0 && Date.now() < deadline) await pause(10);
    await endGroup(this.#group);
  }

  #launch(service: Service, onExit: () => void): void {
    const output = openSync(service.log, "w", 0o600);
    const [file, args] = inside(service.namespace, service.command);
    const child = spawn("setpriv", ["--pdeathsig=KILL", file, ...args], {
      stdio: ["ignore", output, output],
      cwd: service.cwd,
      env: { PATH: process.env.PATH, ...service.env },
    });
    closeSync(output);
    this.#children.set(service.name, child);
    // Between spawn and here the process is in our own group; it cannot have children yet.
    if (child.pid !== undefined) join(this.#group, child.pid);
    const end = (reason: string) => {
      if (this.#children.get(service.name) !== child) return;
      this.#children.delete(service.name);
      onExit();
      if (this.#ending) return;
      this.#log(`${service.name} ended (${reason}): ${lastLines(service.log)}; it is started again`);
      // One that dies before it serves has told so here as well, and is tried again by that death.
      setTimeout(() => {
        if (this.#ending) return;
        this.start(service).then(
          () => this.#log(`${service.name} serves again`),
          (failure: Error) => this.#log(failure.message),
        );
      }, 300);
    };
    child.on("exit", (code, signal) => end(signal ?? `exit code ${code}`));
    child.on("error", (error) => end(error.message));
  }
}

function join(group: string, pid: number): void {
  try {
    writeFileSync(`${group}/cgroup.procs`, String(pid));
  } catch (error) {
    // It may have ended already: its exit is told elsewhere.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function lastLines(path: string): string {
  return readFileSync(path, "utf8").trim().split("\n").slice(-3).join(" / ") || "it said nothing";
}
