import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/types.ts";
import { engineCommand } from "./engine.ts";
import type { Host } from "./host.ts";
import { remote } from "./remote.ts";
import { ACME_ACCOUNT } from "./steps.ts";

export interface AcmeAccountArgs {
  readonly host: Host;
  readonly settings: Settings;
  /** The volume that its key lies on: on another one it is another account. */
  readonly volumeId: pulumi.Input<string>;
}

/** The host's account at the ACME server. Its key lies on the data volume, so a new machine has it again. */
export class AcmeAccount extends pulumi.ComponentResource {
  /** Its URL (RFC 8555 section 7.1.2); empty where the server gave none when it was asked. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AcmeAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:host:AcmeAccount", name, {}, opts);
    const { directory } = args.settings.acme;
    const say = new pulumi.ResourceHook(`${name}-said`, ({ newOutputs }) => {
      if ((newOutputs as { stdout?: string }).stdout?.trim() === "")
        pulumi.log.warn(
          `${directory} gave the host no account now, so the CAA records name the authority alone. When it answers again: ${engineCommand(`up --replace "**::${name}-url"`)}`,
          this,
        );
    });
    const asked = remote(
      `${name}-url`,
      {
        login: args.host.login,
        command: `${ACME_ACCOUNT} </dev/null`,
        // It is there so that another server is asked anew, and this one after another volume.
        stdin: pulumi.interpolate`${directory}\n${args.volumeId}\n`,
      },
      {
        parent: this,
        dependsOn: [args.host.bundle("certbot")],
        hooks: { afterCreate: [say], afterUpdate: [say] },
      },
    );
    this.url = asked.stdout.apply((text) => text.trim());
    this.registerOutputs({});
  }
}
