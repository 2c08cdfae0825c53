import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";

const GiB = 1024 ** 3;

/** Disks as sparse files; on a loop device while attached. */
export class Volumes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Makes the disk, or lets it grow; never shrinks. */
  async create(volumeId: string, sizeGiB: number): Promise<void> {
    const file = this.#file(volumeId);
    if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600 });
    if (statSync(file).size >= sizeGiB * GiB) return;
    truncateSync(file, sizeGiB * GiB);
    for (const device of await this.#devices(volumeId)) await run("losetup", ["--set-capacity", device]);
  }

  exists(volumeId: string): boolean {
    return existsSync(this.#file(volumeId));
  }

  /** @returns the block device, `/dev/loop3` */
  async connect(volumeId: string): Promise<string> {
    // With --nooverlap a file that has a device keeps it.
    return (await run("losetup", ["--find", "--show", "--nooverlap", this.#file(volumeId)])).trim();
  }

  async disconnect(volumeId: string): Promise<void> {
    for (const device of await this.#devices(volumeId)) await run("losetup", ["--detach", device]);
  }

  /** Leaves no device of any disk here. */
  async disconnectAll(): Promise<void> {
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(".img")) await this.disconnect(name.slice(0, -".img".length));
    }
  }

  async delete(volumeId: string): Promise<void> {
    if (!this.exists(volumeId)) return;
    await this.disconnect(volumeId);
    rmSync(this.#file(volumeId));
  }

  async #devices(volumeId: string): Promise<string[]> {
    const found = await run("losetup", [
      "--list",
      "--noheadings",
      "--output",
      "NAME",
      "--associated",
      this.#file(volumeId),
    ]);
    return found
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }

  #file(volumeId: string): string {
    return join(this.#folder, `${volumeId}.img`);
  }
}
