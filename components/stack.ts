import * as pulumi from "@pulumi/pulumi";
import { parseSettings, SettingsError } from "../settings/parse.ts";
import type { Settings } from "../settings/types.ts";

const NAMESPACE = "mailhost:";

/**
 * The stack's settings, from its configuration and the environment.
 *
 * @throws pulumi.RunError naming every mistake in the stack file, before anything is touched.
 */
export function readSettings(): Settings {
  const raw = Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(NAMESPACE))
      .map(([key, value]) => [key.slice(NAMESPACE.length), parseValue(value)]),
  );
  try {
    return parseSettings(raw, process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    // A RunError is shown as its message alone; a stack trace would say nothing to whoever wrote the stack file.
    throw new pulumi.RunError(error.message);
  }
}

/** The engine hands structured values over as JSON, and everything else as it was written. */
function parseValue(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The day, in UTC, as YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
