/**
 * The stand-in providers of one run of the engine, in one process. The engine would start an executable for each, and
 * once more in an `up` that refreshes first: ten times the start of Node and the reading of the same modules.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ProviderName } from "./names.ts";

export interface Attached {
  /** Value of `PULUMI_DEBUG_PROVIDERS`, by which the engine finds them: `aws:40123,cloudflare:40124`. */
  readonly addresses: string;
  /** Ends the process. */
  end(): Promise<void>;
}

/**
 * Starts them. They end with this process, however it ends.
 * @param env the environment that the engine has
 * @throws Error where the process ends before it serves
 */
export async function attachProviders(
  names: readonly ProviderName[],
  env: Readonly<Record<string, string>>,
): Promise<Attached> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "--attached", ...names], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const [addresses] = (await Promise.race([
    once(createInterface(child.stdout), "line"),
    ended.then(() => []),
  ])) as readonly string[];
  if (addresses === undefined) {
    throw new Error("The local cloud's providers do not start; what they wrote is above.");
  }
  return {
    addresses,
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
