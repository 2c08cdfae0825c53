import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ensureImage, imageFolder } from "../../local/image.ts";
import { cloudPaths } from "../../local/paths.ts";
import { bootMachine, forgetMachine, initBelow, prepareRoot } from "../../local/world/nspawn.ts";

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Debian machine with systemd and no network, for what needs a real one and nothing around it. */
export class ScratchMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), "mailhost-scratch-"));
  readonly #disks: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #leader = 0;

  private constructor(disks: Readonly<Record<string, string>>) {
    this.#disks = disks;
  }

  /** @param disks block devices of this machine, by their paths in the new one; there at every boot */
  static async boot(disks: Readonly<Record<string, string>> = {}): Promise<ScratchMachine> {
    const { cache } = cloudPaths();
    const machine = new ScratchMachine(disks);
    prepareRoot(machine.#folder, imageFolder(cache, await ensureImage(cache)));
    // Nobody here has a first boot to configure.
    machine.write("/etc/cloud/cloud-init.disabled", "");
    await machine.boot();
    return machine;
  }

  async boot(): Promise<void> {
    const child = bootMachine({
      folder: this.#folder,
      name: basename(this.#folder),
      hostname: "mail",
      flags: [
        "--private-network",
        ...Object.entries(this.#disks).map(([path, device]) => `--bind=${device}:${path}`),
      ],
    });
    this.#process = child;
    for (let tries = 0; tries < 600; tries++) {
      this.#leader = child.pid === undefined ? 0 : (initBelow(child.pid) ?? 0);
      if (this.#leader > 0) {
        const { stdout } = await this.run("systemctl is-system-running");
        if (/^(running|degraded)$/.test(stdout.trim())) return;
      }
      if (child.exitCode !== null) break;
      await pause(100);
    }
    throw new Error(`the scratch machine did not boot:\n${read(join(this.#folder, "console.log"))}`);
  }

  /** Puts a file there while the machine is off. */
  write(path: string, content: string): void {
    const target = join(this.#folder, "upper", path);
    mkdirSync(join(target, ".."), { recursive: true });
    writeFileSync(target, content);
  }

  /**
   * Runs a shell's line as root.
   * @param killAfter SIGKILL to it, and not to the commands that it waits for, after so many milliseconds
   */
  async run(command: string, input = "", killAfter?: number): Promise<Said> {
    const child = spawn(
      "nsenter",
      [`--target=${this.#leader}`, "--all", "--root", "--wd", "--", "sh", "-c", command],
      { detached: true },
    );
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const killer =
      killAfter === undefined
        ? undefined
        : setTimeout(() => {
            if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
          }, killAfter);
    const [code] = await once(child, "exit");
    clearTimeout(killer);
    return { code, stdout, stderr };
  }

  /** Tears it from its power. */
  async cut(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    if (this.#leader > 0) process.kill(this.#leader, "SIGKILL");
    else child.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.cut();
    forgetMachine(basename(this.#folder));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
