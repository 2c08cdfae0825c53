import type { CheckTarget } from "./types.ts";

/**
 * A remedy's commands as they can be typed for this stack. Items write `pulumi …` and `npm run host -- …`: the first is
 * the local cloud's engine or the one that came with `npm ci`, the second is there on the local cloud alone.
 */
export function runnable(
  remedy: string,
  { stack, isLocal = false }: Pick<CheckTarget, "stack" | "isLocal">,
): string {
  if (isLocal) return remedy.replaceAll("`pulumi ", "`npm run pulumi -- ");
  return remedy
    .replaceAll(/`pulumi (\w+)/g, (_, command: string) => `\`npx pulumi ${command} --stack ${stack}`)
    .replaceAll(
      /`npm run (unlock|reports)`/g,
      (_, command: string) => `\`npm run ${command} -- --stack ${stack}\``,
    )
    .replaceAll(/`npm run host -- ([^`]+)`/g, (_, command: string) => `\`${command}\` on the host`);
}
