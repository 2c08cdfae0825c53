import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/types.ts";
import type { Host } from "./host.ts";
import { remote } from "./remote.ts";
import { ACME_ACCOUNT } from "./steps.ts";

export interface AcmeAccountArgs {
  readonly host: Host;
  readonly settings: Settings;
}

/** The host's account at the ACME server. Its key lies on the data volume, so a new machine has it again. */
export class AcmeAccount extends pulumi.ComponentResource {
  /** Its URL (RFC 8555 section 7.1.2). */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AcmeAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:host:AcmeAccount", name, {}, opts);
    const { directory } = args.settings.acme;
    const asked = remote(
      `${name}-url`,
      // The text is there so that another server is asked anew.
      { login: args.host.login, command: `${ACME_ACCOUNT} </dev/null`, stdin: `${directory}\n` },
      { parent: this, dependsOn: [args.host.bundle("certbot")] },
    );
    this.url = asked.stdout.apply((text) => text.trim());
    this.registerOutputs({});
  }
}
