/** The engine that knows a stack. */
import { engineOnPath } from "../check/main.ts";
import type { Surroundings } from "../check/stack.ts";
import { runningCloud } from "../local/cloud.ts";
import { streamPreview } from "../local/engine/preview.ts";
import { type RunOptions, runPulumi } from "../local/engine/pulumi.ts";
import { type CloudPaths, checkout, defaultStack } from "../local/paths.ts";
import { run } from "../local/run.ts";
import { Stack } from "../local/stack.ts";
import { needStackFile } from "./stackFile/path.ts";

/** What it takes to ask the engine about a stack, and to let it work. */
export interface Engine extends Pick<Surroundings, "pulumi" | "environment"> {
  /** Runs it on the terminal. @returns its exit code */
  work(args: readonly string[], stdio?: RunOptions["stdio"]): Promise<number>;
  /**
   * Lets it preview, and hands over its events as they come.
   * @param words more for it, such as `--config-file PATH`
   * @throws where there is no preview at all, in its words
   */
  preview(onEvent: (line: string) => void, words?: readonly string[]): Promise<void>;
  /** The same as `pulumi`, with a text on its standard input. */
  tell(args: readonly string[], input: string): Promise<string>;
}

/**
 * The local cloud's own engine for its stack, the one on the PATH for any other.
 * @throws where it is the local cloud's, which does not run, or a stack that has no file, with what to do
 */
export async function engineOf(paths: CloudPaths, stack: string): Promise<Engine> {
  if (stack !== defaultStack) {
    needStackFile({ stack, folder: checkout });
    return {
      pulumi: engineOnPath,
      environment: process.env,
      work: (args, stdio = "inherit") =>
        runPulumi(args, { cwd: checkout, env: process.env, pulumi: "pulumi", stdio }),
      preview: (onEvent, words = []) =>
        streamPreview({ pulumi: "pulumi", cwd: checkout, env: process.env, stack, words, onEvent }),
      tell: (args, input) => run("pulumi", args, { cwd: checkout, input }),
    };
  }
  const info = await runningCloud(paths);
  if (info === undefined) {
    throw new Error(
      "Which host? The local cloud's does not run (npm start). Any other is named by its stack: --stack NAME, behind npm run after a --; or for the whole session: export MAILHOST_STACK=NAME",
    );
  }
  const local = await Stack.open(paths, info, (text) => console.error(text));
  await local.ensureState();
  return {
    pulumi: (args) => local.capture(args),
    environment: local.environment,
    work: (args, stdio) => local.run(args, stdio),
    preview: (onEvent, words) => local.preview(onEvent, words),
    tell: (args, input) => local.capture(args, input),
  };
}
