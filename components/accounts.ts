import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import type { Mailbox } from "../settings/types.ts";

/** Length of a generated password: 24 of 62 characters are 142 bits, and no mail program trips over one of them. */
const PASSWORD_LENGTH = 24;

/** The mailboxes' passwords: generated, unless the owner gave a hash. */
export class Accounts extends pulumi.ComponentResource {
  /** Hashes in Dovecot's `{SCHEME}…` form, by address. Secret. */
  readonly passwordHashes: pulumi.Output<Record<string, string>>;
  /** Generated passwords, by address. Secret. */
  readonly credentials: pulumi.Output<Record<string, string>>;

  constructor(name: string, mailboxes: readonly Mailbox[], opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:accounts:Accounts", name, {}, opts);
    const accounts = mailboxes.map(({ address, passwordHash }) => {
      if (passwordHash !== undefined) return { address, hash: pulumi.secret(passwordHash) };
      const password = new RandomPassword(
        `${name}-${address}`,
        { length: PASSWORD_LENGTH, special: false },
        { parent: this },
      );
      return {
        address,
        // bcrypt (crypt(5)); the hash stands in the state, so it is the same in every run.
        hash: password.bcryptHash.apply((hash) => `{BLF-CRYPT}${hash}`),
        password: password.result,
      };
    });
    this.passwordHashes = pulumi
      .all(accounts.map(({ address, hash }) => hash.apply((value) => [address, value] as const)))
      .apply(Object.fromEntries<string>);
    this.credentials = pulumi
      .all(
        accounts.flatMap(({ address, password }) =>
          password === undefined ? [] : [password.apply((value) => [address, value] as const)],
        ),
      )
      .apply(Object.fromEntries<string>);
    this.registerOutputs({});
  }
}
