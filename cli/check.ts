import { checkCommand, checkOptions } from "../check/main.ts";
import { needCloud } from "../local/cloud.ts";
import { type CloudPaths, checkout, defaultStack } from "../local/paths.ts";
import { Stack } from "../local/stack.ts";
import { localSurroundings } from "../local/surroundings.ts";
import { say } from "../local/terminal.ts";
import { Failure } from "./failure.ts";
import { needStackFile } from "./stackFile/path.ts";

/** Of the check: it could not look (check/main.ts). */
const couldNotLook = 2;

/**
 * `npm run check`: the local cloud's stack with its surroundings, any other as it is in the world.
 * @param folder of the stack files
 * @returns the check's exit code
 * @throws Failure where it could not begin to look
 */
export async function check(
  paths: CloudPaths,
  args: readonly string[],
  folder: string = checkout,
): Promise<number> {
  // The last one that is named counts.
  const words = ["--stack", process.env.MAILHOST_STACK || defaultStack, ...args];
  try {
    const { stack: name, help } = checkOptions(words);
    if (help) return await checkCommand(words);
    if (name !== defaultStack) {
      needStackFile({ stack: name, folder });
      return await checkCommand(words);
    }
    const info = await needCloud(paths);
    const stack = await Stack.open(paths, info, say);
    await stack.ensureState();
    return await checkCommand(words, await localSurroundings(stack, info));
  } catch (error) {
    throw new Failure((error as Error).message, couldNotLook);
  }
}
