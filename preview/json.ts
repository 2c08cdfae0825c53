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
  const sections = told.isWhole ? details(preview, secrets) : [];
  const whole = { stack: preview.stack, ...told, changes, details: sections };
  // In the finished text a secret's form would take the signs of JSON behind it along.
  const hide = (_key: string, value: unknown) =>
    typeof value === "string" ? publishable(value, secrets) : value;
  return JSON.stringify(whole, hide, 2);
}
