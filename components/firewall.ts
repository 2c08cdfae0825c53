import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import * as pulumi from "@pulumi/pulumi";
import ipaddr from "ipaddr.js";
import type { Exit } from "../plan/egress.ts";
import type { Port } from "../plan/types.ts";
import { engineCommand } from "./engine.ts";
import { tags } from "./tags.ts";

export interface FirewallArgs {
  readonly vpcId: pulumi.Input<string>;
  readonly ports: readonly Port[];
  /** Where the host may go; undefined: everywhere. */
  readonly exits: readonly Exit[] | undefined;
  readonly ipv6: boolean;
}

/** The security group: exactly the plan's ports in, and out everything, or exactly the plan's exits. */
export class Firewall extends pulumi.ComponentResource {
  readonly securityGroupId: pulumi.Output<string>;

  constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:network:Firewall", name, {}, opts);
    const group = new SecurityGroup(
      `${name}-group`,
      {
        vpcId: args.vpcId,
        description: "Mail host: the ports of its services",
        // Inline rules own the whole group: a rule that was added by hand shows in a preview and is taken away.
        ingress: args.ports.map((port) => ({
          description: port.why,
          protocol: port.protocol,
          fromPort: port.number,
          toPort: port.number,
          ...sources(port, args.ipv6),
        })),
        egress: outRules(args),
        tags: tags(name),
      },
      {
        parent: this,
        hooks: { beforeUpdate: [new pulumi.ResourceHook(`${name}-closes`, warn, { onDryRun: true })] },
      },
    );
    this.securityGroupId = group.id;
    this.registerOutputs({ securityGroupId: this.securityGroupId });
  }
}

function outRules({ exits, ipv6 }: Pick<FirewallArgs, "exits" | "ipv6">) {
  const everywhere = { cidrBlocks: ["0.0.0.0/0"], ...(ipv6 && { ipv6CidrBlocks: ["::/0"] }) };
  if (exits === undefined) {
    const description = "Mail, DNS, packages and certificates go out; the host is a gateway for nobody";
    return [{ description, protocol: "-1", fromPort: 0, toPort: 0, ...everywhere }];
  }
  const rules = exits.flatMap(({ protocol, ports, why }) =>
    ports.map((port) => ({ description: why, protocol, fromPort: port, toPort: port, ...everywhere })),
  );
  // Every type and code of ICMP.
  return [
    ...rules,
    {
      description: "Errors and pings",
      protocol: "icmp",
      fromPort: -1,
      toPort: -1,
      cidrBlocks: ["0.0.0.0/0"],
    },
    ...(ipv6
      ? [
          {
            description: "Errors, pings and neighbours",
            protocol: "icmpv6",
            fromPort: -1,
            toPort: -1,
            ipv6CidrBlocks: ["::/0"],
          },
        ]
      : []),
  ];
}

function sources(port: Port, ipv6: boolean): { cidrBlocks?: string[]; ipv6CidrBlocks?: string[] } {
  const networks = port.from === "anywhere" ? ["0.0.0.0/0", ...(ipv6 ? ["::/0"] : [])] : port.from;
  const v4 = networks.filter((network) => !network.includes(":"));
  const v6 = networks.filter((network) => network.includes(":"));
  return {
    ...(v4.length > 0 && { cidrBlocks: v4 }),
    ...(v6.length > 0 && { ipv6CidrBlocks: v6 }),
  };
}

interface Rule {
  readonly fromPort: number;
  readonly cidrBlocks?: readonly string[];
  readonly ipv6CidrBlocks?: readonly string[];
}

/**
 * Networks that could reach port 22 before and cannot after. A deployment that runs in one of them shuts itself out
 * with its first step, and hangs in the next.
 */
export function closedToSsh(before: readonly Rule[], after: readonly Rule[]): readonly string[] {
  const open = sshNetworks(after).map((network) => ipaddr.parseCIDR(network));
  return sshNetworks(before).filter((network) => {
    const [address, prefix] = ipaddr.parseCIDR(network);
    return !open.some(
      ([other, length]) =>
        other.kind() === address.kind() && length <= prefix && address.match(other, length),
    );
  });
}

function sshNetworks(rules: readonly Rule[]): readonly string[] {
  return rules
    .filter(({ fromPort }) => fromPort === 22)
    .flatMap(({ cidrBlocks = [], ipv6CidrBlocks = [] }) => [...cidrBlocks, ...ipv6CidrBlocks]);
}

/** Before the group changes, in previews too. */
function warn({ oldInputs, newInputs }: pulumi.ResourceHookArgs): void {
  const rules = (inputs: unknown) => (inputs as { ingress?: readonly Rule[] } | undefined)?.ingress ?? [];
  const closed = closedToSsh(rules(oldInputs), rules(newInputs));
  if (closed.length === 0) return;
  pulumi.log.warn(
    `Port 22 closes for ${closed.join(", ")}. If you deploy from there, the deployment cannot log in to the host any more. The way back: interrupt it (Ctrl-C), put the network back into mailhost:ssh.from, and run \`${engineCommand("up")}\` again; that works from anywhere.`,
  );
}
