/** A command at a terminal, where somebody answers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

export interface AtTerminal {
  /** @default this one */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Until it has to be at its end. @default 30 */
  readonly seconds?: number;
}

/** A line, as somebody types it. */
export const line = (text: string) => `${text}\r`;

/**
 * Runs it, and answers.
 * @param answers what it prints, and what is then typed, in this order
 * @returns its exit code and all that it has shown, without colours
 */
export function atTerminal(
  command: readonly string[],
  answers: readonly (readonly [asked: string, answer: string])[],
  { folder = process.cwd(), environment = process.env, seconds = 30 }: AtTerminal = {},
): { readonly code: number; readonly shown: string } {
  const { status, stdout, stderr } = spawnSync("python3", [join(import.meta.dirname, "terminal.py")], {
    input: JSON.stringify({ command, answers, folder, environment, seconds }),
    encoding: "utf8",
  });
  assert.equal(status, 0, `${stderr}\n${stdout}`);
  const [, shown = "", code] = /^([\s\S]*)\n(-?\d+)$/.exec(stdout) ?? [];
  return { code: Number(code), shown: stripVTControlCharacters(shown).replaceAll("\r\n", "\n") };
}
