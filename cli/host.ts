import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sshOptions } from "../local/stack.ts";
import { outputsOfHost } from "./outputs.ts";
import type { Place } from "./stackFile/change.ts";

/** A shell on the host, or one command there. @returns ssh's exit code: the command's, or 255 */
export async function host(place: Place, command: readonly string[]): Promise<number> {
  const { ssh } = await outputsOfHost(place);
  const folder = mkdtempSync(join(tmpdir(), "mailhost-"));
  try {
    const child = spawn("ssh", [...sshOptions({ folder }, ssh), ...command], { stdio: "inherit" });
    // Ctrl-C is for what runs on the host.
    process.on("SIGINT", () => {});
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(code ?? 255));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
