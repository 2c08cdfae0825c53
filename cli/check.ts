import { checkCommand } from "../check/main.ts";
import { needCloud } from "../local/cloud.ts";
import { type CloudPaths, defaultStack } from "../local/paths.ts";
import { Stack } from "../local/stack.ts";
import { localSurroundings } from "../local/surroundings.ts";
import { say } from "../local/terminal.ts";

/** `npm run check`: the local cloud's stack with its surroundings, any other as it is in the world. */
export async function check(paths: CloudPaths, args: readonly string[]): Promise<number> {
  const named = args.findIndex((word) => word === "--stack" || word.startsWith("--stack="));
  const name = args[named]?.split("=")[1] ?? args[named + 1];
  if (named !== -1 && name !== defaultStack) return await checkCommand(args);
  if (args.includes("--help") || args.includes("-h")) return await checkCommand(args);
  const info = await needCloud(paths);
  const stack = await Stack.open(paths, info, say);
  await stack.ensureState();
  return await checkCommand(args, await localSurroundings(stack, info));
}
