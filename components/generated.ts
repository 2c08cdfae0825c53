import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import type { Bundle } from "../plan/types.ts";

/** Passwords between the host's own programs: 32 of 62 characters are 190 bits. */
const PASSWORD_LENGTH = 32;

export interface GeneratedArgs {
  /** All of the host: what two of them ask for by one name is one password. */
  readonly bundles: readonly Bundle[];
}

/** The passwords that the bundles ask for by name. */
export class Generated extends pulumi.ComponentResource {
  /** By name. Secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: GeneratedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:secrets:Generated", name, {}, opts);
    const wanted = [...new Set(args.bundles.flatMap((bundle) => bundle.generates))];
    const made = wanted.map((key) => {
      const form = { length: PASSWORD_LENGTH, special: false };
      return new RandomPassword(`${name}-${key}`, form, { parent: this }).result.apply(
        (value) => [key, value] as const,
      );
    });
    this.passwords = pulumi.secret(pulumi.all(made).apply(Object.fromEntries<string>));
    this.registerOutputs({});
  }
}
