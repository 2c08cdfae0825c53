import type { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipDomainName } from "@pulumi/aws/ec2/eipDomainName.js";
import * as pulumi from "@pulumi/pulumi";

export interface ReverseNameArgs {
  readonly address: Eip;
  readonly hostname: string;
  /** The A record: AWS resolves the name before it accepts it. */
  readonly after: pulumi.Resource;
}

/** PTR of the elastic IP: the name that the host says HELO with. */
export class ReverseName extends pulumi.ComponentResource {
  constructor(name: string, args: ReverseNameArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:ReverseName", name, {}, opts);
    new EipDomainName(
      `${name}-record`,
      { allocationId: args.address.allocationId, domainName: args.hostname },
      { parent: this, dependsOn: [args.after] },
    );
    this.registerOutputs({});
  }
}
