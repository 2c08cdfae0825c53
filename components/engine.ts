import * as pulumi from "@pulumi/pulumi";

/**
 * The engine's command as it can be typed for this stack: the local cloud says how its own is called, and knows its
 * stack; elsewhere it is the one that came with `npm ci`.
 * @param words what stands behind `pulumi`
 */
export function engineCommand(words: string): string {
  return `${process.env.MAILHOST_PULUMI ?? "npx pulumi"} ${words}${stackOption()}`;
}

/** What this stack's commands that are not the engine's have to be told: nothing on the local cloud. */
export function stackOption(): string {
  return process.env.MAILHOST_PULUMI === undefined ? ` --stack ${pulumi.getStack()}` : "";
}
