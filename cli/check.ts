import { checkCommand } from "../check/main.ts";
import { needCloud } from "../local/cloud.ts";
import { type CloudPaths, defaultStack } from "../local/paths.ts";
import { Stack } from "../local/stack.ts";
import { localSurroundings } from "../local/surroundings.ts";
import { say } from "../local/terminal.ts";

/** Of the check: it could not look (check/main.ts). */
const couldNotLook = 2;

/**
 * `npm run check`: the local cloud's stack with its surroundings, any other as it is in the world.
 * @returns the check's exit code
 */
export async function check(paths: CloudPaths, args: readonly string[]): Promise<number> {
  const named = args.findIndex((word) => word === "--stack" || word.startsWith("--stack="));
  const usual = process.env.MAILHOST_STACK || defaultStack;
  const name = named === -1 ? usual : (args[named]?.split("=")[1] ?? args[named + 1]);
  const words = named === -1 ? ["--stack", usual, ...args] : args;
  if (name !== defaultStack || args.includes("--help") || args.includes("-h"))
    return await checkCommand(words);
  try {
    const info = await needCloud(paths);
    const stack = await Stack.open(paths, info, say);
    await stack.ensureState();
    return await checkCommand(words, await localSurroundings(stack, info));
  } catch (error) {
    console.error((error as Error).message);
    return couldNotLook;
  }
}
