/** Keys that take turns, with the program's clock turned forward. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { KeyPair } from "../../plan/rotation.ts";
import { stackOutput, succeed } from "./mailhost.ts";

/** Pulumi, as it would run so many days from now. */
export function later(days: number, ...args: readonly string[]) {
  return succeed(["pulumi", ...args], { env: laterEnvironment(days) });
}

/** In which the program's clock goes ahead by so many days. */
export function laterEnvironment(days: number): Readonly<Record<string, string>> {
  const clock = join(import.meta.dirname, "laterClock.cjs");
  return { NODE_OPTIONS: `--require=${clock}`, MAILHOST_TEST_DAYS_LATER: String(days) };
}

export const upLater = (days: number) => later(days, "up", "--yes", "--skip-preview");

/** The keys of a domain, or of `_25._tcp.<host>`, as the last `up` has left them. */
export async function pairs(holder: string): Promise<readonly KeyPair[]> {
  const { keyRotation } = (await stackOutput()) as {
    readonly keyRotation?: Readonly<Record<string, readonly KeyPair[]>>;
  };
  return keyRotation?.[holder] ?? assert.fail(`no keys of ${holder}`);
}

export const states = (all: readonly KeyPair[]) => all.map(({ state }) => state);
