import type { Path } from "./mistakes.ts";

/** Keys whose values are secret, wherever they stand in a stack file. */
export const secretKeys: readonly (string | number)[] = [
  "passwordHash",
  "password",
  "passphrase",
  "secret",
  "webhook",
];

/** Words in the names of secrets, of a resource's inputs and of environment variables too, in either case; each a regular expression. */
export const secretWords: readonly string[] = [
  ...secretKeys.map(String),
  "passwd",
  "token",
  "credential",
  "private_?key",
  "access_?key",
  "api_?key",
];

/**
 * Places where a stack file holds a secret in plain text, instead of the name of an environment variable: Pulumi copies
 * the file into the history of each update, as it stands.
 * @param raw the keys of the stack's `mailhost:` namespace as they were written, without those that Pulumi encrypts
 */
export function plainSecrets(raw: unknown, path: Path = []): readonly Path[] {
  if (typeof raw === "string") {
    return secretKeys.includes(path.at(-1) ?? "") && !/^\$\{[^}]*\}$/.test(raw) ? [path] : [];
  }
  if (typeof raw !== "object" || raw === null) return [];
  return Object.entries(raw).flatMap(([key, value]) => plainSecrets(value, [...path, key]));
}

/** Places of what Pulumi has encrypted, as it stands in a file: `secure: v1:…` in place of the value. */
export function encrypted(raw: unknown, path: Path = []): readonly Path[] {
  if (typeof raw !== "object" || raw === null) return [];
  if (!Array.isArray(raw) && Object.keys(raw).join() === "secure") return [path];
  return Object.entries(raw).flatMap(([key, value]) => encrypted(value, [...path, key]));
}
