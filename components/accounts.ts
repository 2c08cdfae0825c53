import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import { appPasswords } from "../plan/users.ts";
import type { Mailbox } from "../settings/types.ts";

/** Length of a generated password: 24 of 62 characters are 142 bits, and no mail program trips over one of them. */
const PASSWORD_LENGTH = 24;

export interface AccountsArgs {
  /** Of all domains. One that brings a hash keeps its password to itself. */
  readonly mailboxes: readonly Mailbox[];
}

/** The mailboxes' passwords: generated, unless the owner gave a hash; and those of single devices. */
export class Accounts extends pulumi.ComponentResource {
  /** Hashes in Dovecot's `{SCHEME}…` form, by address, or `<address>/<device>`. Secret. */
  readonly passwordHashes: pulumi.Output<Record<string, string>>;
  /** Generated passwords, by the same keys. Secret. */
  readonly credentials: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: AccountsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:accounts:Accounts", name, {}, opts);
    const own = args.mailboxes.map(({ address, passwordHash }) =>
      passwordHash === undefined
        ? this.#generated(name, address)
        : { key: address, hash: pulumi.secret(passwordHash), password: undefined },
    );
    const all = [...own, ...appPasswords(args.mailboxes).map(({ key }) => this.#generated(name, key))];
    this.passwordHashes = pulumi
      .all(all.map(({ key, hash }) => hash.apply((value) => [key, value] as const)))
      .apply(Object.fromEntries<string>);
    this.credentials = pulumi
      .all(
        all.flatMap(({ key, password }) =>
          password === undefined ? [] : [password.apply((value) => [key, value] as const)],
        ),
      )
      .apply(Object.fromEntries<string>);
    this.registerOutputs({});
  }

  #generated(name: string, key: string) {
    const password = new RandomPassword(
      `${name}-${key}`,
      { length: PASSWORD_LENGTH, special: false },
      { parent: this },
    );
    return {
      key,
      // bcrypt (crypt(5)); the hash stands in the state, so it is the same in every run.
      hash: password.bcryptHash.apply((hash) => `{BLF-CRYPT}${hash}`),
      password: password.result,
    };
  }
}
