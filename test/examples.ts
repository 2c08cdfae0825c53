/** The example stacks, as somebody copies them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const examples = ["personal", "organisation", "staging", "prod"] as const;

export type Example = (typeof examples)[number];

export function exampleText(name: Example): string {
  return readFileSync(join(import.meta.dirname, "..", `Pulumi.${name}.yaml`), "utf8");
}

/** What the owner's environment has, in place of secrets in the files. */
export const examplesEnvironment = {
  STORE_PASSPHRASE: "correct horse battery staple",
  RELAY_PASSWORD: "as-the-provider-gave-it",
};
