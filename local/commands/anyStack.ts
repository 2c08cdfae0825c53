import { engineOnPath } from "../../check/main.ts";
import type { Surroundings } from "../../check/stack.ts";
import { runningCloud } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { defaultStack, Stack } from "../stack.ts";
import { say } from "../terminal.ts";

/** What it takes to ask the engine about a stack. */
export type Engine = Pick<Surroundings, "pulumi" | "environment">;

/**
 * The engine that knows a stack: the local cloud's own for its stack, the one on the PATH for any other.
 * @throws where it is the local cloud's, which does not run, with what to do
 */
export async function engineOf(paths: CloudPaths, stack: string): Promise<Engine> {
  if (stack !== defaultStack) return { pulumi: engineOnPath, environment: process.env };
  const info = await runningCloud(paths);
  if (info === undefined) {
    throw new Error(
      "Which host? The local cloud's does not run (npm start); any other is named by its stack: add -- --stack NAME",
    );
  }
  const local = await Stack.open(paths, info, say);
  return { pulumi: (args) => local.capture(args), environment: local.environment };
}
