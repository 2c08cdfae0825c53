import { render } from "./template.ts";

export interface UserDataFacts {
  readonly hostname: string;
  /** The login key's public half, OpenSSH form. */
  readonly loginKey: string;
  /** The first connection's host key (ECDSA), OpenSSH form. */
  readonly hostKey: string;
  readonly hostPublicKey: string;
}

/** The instance's user data: cloud-init's `#cloud-config` (cloudinit.readthedocs.io, module `ssh`). */
export function userData(facts: UserDataFacts): string {
  return render("cloud-init/user-data", {
    ...facts,
    loginKey: facts.loginKey.trim(),
    hostKey: facts.hostKey.trim().replaceAll("\n", "\n    "),
    hostPublicKey: facts.hostPublicKey.trim(),
  });
}
