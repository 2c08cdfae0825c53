/** What the engine is told, and what people are told of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultStack, writeWhole } from "../local/paths.ts";

/** A command of the engine's for this stack, as a person types it. */
export function pulumiCommand(stack: string, words: string): string {
  return stack === defaultStack ? `npm run pulumi -- ${words}` : `npx pulumi ${words} --stack ${stack}`;
}

/** One of `mailhost`'s own commands for this stack, as a person types it. */
export function mailhostCommand(stack: string, words: string): string {
  // Of a session that has another stack by itself, the local cloud's has to be named, too.
  const isUsual = stack === defaultStack && (process.env.MAILHOST_STACK || defaultStack) === defaultStack;
  return `npx mailhost ${words}${isUsual ? "" : ` --stack ${stack}`}`;
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
