import type { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipDomainName } from "@pulumi/aws/ec2/eipDomainName.js";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/types.ts";
import type { Dns } from "./dns.ts";
import type { Nameserver } from "./nameserver.ts";
import { onceKnown } from "./onceKnown.ts";
import { published } from "./published.ts";

export interface ReverseNameArgs {
  readonly address: Eip;
  readonly settings: Pick<Settings, "hostname" | "hostnameZone" | "resolver">;
  /** Has the A record: AWS resolves the name before it accepts it. */
  readonly dns: Dns;
  /** Of the zones that the host itself serves. */
  readonly nameserver: Nameserver;
}

/** PTR of the elastic IP: the name that the host says HELO with. */
export class ReverseName extends pulumi.ComponentResource {
  constructor(name: string, args: ReverseNameArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:ReverseName", name, {}, opts);
    const visible = visibleFirst(`${name}-visible-first`, args);
    new EipDomainName(
      `${name}-record`,
      { allocationId: args.address.allocationId, domainName: args.settings.hostname },
      {
        parent: this,
        dependsOn: [...args.dns.record("A", args.settings.hostname), ...args.nameserver.ready],
        hooks: { beforeCreate: [visible], beforeUpdate: [visible] },
      },
    );
    this.registerOutputs({});
  }
}

/** That its provider has taken the A record does not mean that its servers serve it: AWS would refuse the name. */
function visibleFirst(
  hookName: string,
  { address, settings, dns, nameserver }: ReverseNameArgs,
): pulumi.ResourceHook {
  const { hostname, hostnameZone: zone, resolver } = settings;
  const publicIp = onceKnown(address.publicIp);
  const lines = nameserver.registrar[zone];
  const atRegistrar = lines && onceKnown(lines);
  const line = dns.lineToPutIn("A", hostname);
  const byHand = line && onceKnown(line);
  return new pulumi.ResourceHook(hookName, async () =>
    published({
      hostname,
      zone,
      address: await publicIp,
      ...(byHand !== undefined && { toPutIn: await byHand }),
      ...(atRegistrar !== undefined && { atRegistrar: await atRegistrar }),
      ...(resolver.outside !== undefined && { resolver: resolver.outside }),
    }),
  );
}
