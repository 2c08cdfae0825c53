/** The engine that knows a stack. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineOnPath } from "../check/main.ts";
import type { Surroundings } from "../check/stack.ts";
import { runningCloud } from "../local/cloud.ts";
import { type RunOptions, runPulumi } from "../local/engine/pulumi.ts";
import { type CloudPaths, checkout, writeWhole } from "../local/paths.ts";
import { run } from "../local/run.ts";
import { defaultStack, Stack } from "../local/stack.ts";

/** What it takes to ask the engine about a stack, and to let it work. */
export interface Engine extends Pick<Surroundings, "pulumi" | "environment"> {
  /** Runs it on the terminal. @returns its exit code */
  work(args: readonly string[], stdio?: RunOptions["stdio"]): Promise<number>;
  /** The same as `pulumi`, with a text on its standard input. */
  tell(args: readonly string[], input: string): Promise<string>;
}

/**
 * The local cloud's own engine for its stack, the one on the PATH for any other.
 * @throws where it is the local cloud's, which does not run, with what to do
 */
export async function engineOf(paths: CloudPaths, stack: string): Promise<Engine> {
  if (stack !== defaultStack) {
    return {
      pulumi: engineOnPath,
      environment: process.env,
      work: (args, stdio = "inherit") =>
        runPulumi(args, { cwd: checkout, env: process.env, pulumi: "pulumi", stdio }),
      tell: (args, input) => run("pulumi", args, { cwd: checkout, input }),
    };
  }
  const info = await runningCloud(paths);
  if (info === undefined) {
    throw new Error(
      "Which host? The local cloud's does not run (npm start); any other is named by its stack: add -- --stack NAME",
    );
  }
  const local = await Stack.open(paths, info, (text) => console.error(text));
  await local.ensureState();
  return {
    pulumi: (args) => local.capture(args),
    environment: local.environment,
    work: (args, stdio) => local.run(args, stdio),
    tell: (args, input) => local.capture(args, input),
  };
}

/** A command of the engine's for this stack, as a person types it. */
export function pulumiCommand(stack: string, words: string): string {
  return stack === defaultStack ? `npm run pulumi -- ${words}` : `npx pulumi ${words} --stack ${stack}`;
}

/**
 * Lets the engine read another text in place of the stack file: what would be, before it is.
 * @param work gets the path of a file that is there as long as it works, readable by its owner alone
 */
export async function withConfigFile<T>(text: string, work: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-"));
  try {
    const path = join(folder, "Pulumi.yaml");
    writeWhole(path, text);
    return await work(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
