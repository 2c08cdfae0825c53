import { spawn } from "node:child_process";
import { needCloud } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { Stack, sshOptions } from "../stack.ts";
import { say } from "../terminal.ts";

/** A shell on the host, or one command there. @returns ssh's exit code: the command's, or 255 */
export async function host(paths: CloudPaths, command: readonly string[]): Promise<number> {
  const stack = await Stack.open(paths, await needCloud(paths), say);
  const { ssh } = await stack.outputs();
  const child = spawn("ssh", [...sshOptions(paths, ssh), ...command], { stdio: "inherit" });
  // Ctrl-C is for what runs on the host.
  process.on("SIGINT", () => {});
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 255));
  });
}
