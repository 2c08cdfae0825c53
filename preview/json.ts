/** A preview for a program. */
import { details } from "./details.ts";
import { publishable } from "./hide.ts";
import { story } from "./story.ts";
import type { Preview } from "./types.ts";

/** The story, and what changes by its names; names in sentences stand between backticks. */
export function json(preview: Preview, secrets: readonly string[] = []): string {
  const told = story(preview);
  const changes = preview.changes.map(({ kind, name, type, changed, causes }) => ({
    kind,
    name,
    type,
    changed,
    causes,
  }));
  const sections = told.refusals.length > 0 ? [] : details(preview, secrets);
  const whole = { stack: preview.stack, ...told, changes, details: sections };
  return publishable(JSON.stringify(whole, undefined, 2), secrets);
}
