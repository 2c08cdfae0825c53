import { checkCommand } from "../../check/main.ts";
import { otherSideAt } from "../../check/otherside.ts";
import type { Surroundings } from "../../check/stack.ts";
import { needCloud } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { defaultStack, Stack } from "../stack.ts";
import { say } from "../terminal.ts";
import type { CloudInfo } from "../types.ts";

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

export async function localSurroundings(stack: Stack, info: CloudInfo): Promise<Surroundings> {
  return {
    pulumi: (args) => stack.capture(args),
    environment: stack.environment,
    resolver: info.resolver,
    trustedCas: [info.issuerCa],
    isLocal: true,
    otherSide: await otherSideAt(info.peer.api),
  };
}
