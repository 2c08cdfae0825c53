import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import type { Bundle } from "../plan/types.ts";

/** Passwords between the host's own programs: 32 of 62 characters are 190 bits. */
const PASSWORD_LENGTH = 32;

/** The passwords that the bundles ask for by name. */
export class Generated extends pulumi.ComponentResource {
  /** By name. Secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, bundles: readonly Bundle[], opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:secrets:Generated", name, {}, opts);
    const wanted = [...new Set(bundles.flatMap((bundle) => bundle.generates))];
    const made = wanted.map((key) => {
      const args = { length: PASSWORD_LENGTH, special: false };
      return new RandomPassword(`${name}-${key}`, args, { parent: this }).result.apply(
        (value) => [key, value] as const,
      );
    });
    this.passwords = pulumi.secret(pulumi.all(made).apply(Object.fromEntries<string>));
    this.registerOutputs({});
  }
}
