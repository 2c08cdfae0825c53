import type { CheckTarget } from "./types.ts";

/**
 * A remedy's commands as they can be typed for this stack. Items write `pulumi …`, `npm run host -- …` and such, as the
 * local cloud has them: the first is its engine, or the one that came with `npm ci`.
 */
export function runnable(
  remedy: string,
  { stack, isLocal = false }: Pick<CheckTarget, "stack" | "isLocal">,
): string {
  if (isLocal) return remedy.replaceAll("`pulumi ", "`npm run pulumi -- ");
  return remedy
    .replaceAll(/`pulumi (\w+)/g, (_, command: string) => `\`npx pulumi ${command} --stack ${stack}`)
    .replaceAll(
      /`(?:npm run|npx mailhost) (check|host|logs|queue|reports|trace|unlock)(?: --(?= ))?([^`]*)`/g,
      (_, command: string, more: string) => `\`npx mailhost ${command} --stack ${stack}${more}\``,
    );
}
