import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ensureImage, imageFolder } from "../../local/image.ts";
import { cloudPaths } from "../../local/paths.ts";

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Debian machine with systemd and no network, for what needs a real one and nothing around it. */
export class ScratchMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), "mailhost-scratch-"));
  #image = "";
  #process: ChildProcess | undefined;
  #leader = 0;

  static async boot(): Promise<ScratchMachine> {
    const { cache } = cloudPaths();
    const machine = new ScratchMachine();
    machine.#image = imageFolder(cache, await ensureImage(cache));
    for (const name of ["upper", "work", "root"]) mkdirSync(join(machine.#folder, name));
    // Nobody here has a first boot to configure.
    machine.write("/etc/cloud/cloud-init.disabled", "");
    await machine.boot();
    return machine;
  }

  async boot(): Promise<void> {
    const console = openSync(join(this.#folder, "console.log"), "a");
    const root = join(this.#folder, "root");
    const child = spawn(
      "setpriv",
      [
        "--pdeathsig=KILL",
        ...["unshare", "--mount", "--propagation=private", "sh", "-euc"],
        `mount -t overlay overlay -o lowerdir=${this.#image},upperdir=upper,workdir=work root; exec "$@"`,
        ...[
          "machine",
          "systemd-nspawn",
          "--quiet",
          "--boot",
          "--settings=no",
          "--register=no",
          "--keep-unit",
        ],
        ...["--link-journal=no", "--resolv-conf=off", "--timezone=off", "--private-network"],
        ...["--machine=scratch", "--hostname=mail", `--directory=${root}`],
      ],
      {
        cwd: this.#folder,
        stdio: ["ignore", console, console],
        env: { PATH: process.env.PATH, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
      },
    );
    this.#process = child;
    for (let tries = 0; tries < 600; tries++) {
      this.#leader = Number(read(`/proc/${child.pid}/task/${child.pid}/children`)?.trim().split(" ")[0]);
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
