import { getSubnetOutput } from "@pulumi/aws/ec2/getSubnet.js";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/types.ts";
import { tags } from "./tags.ts";

export interface NetworkArgs {
  readonly settings: Settings["network"];
  /** Where a subnet of its own is made: beside the data volume. */
  readonly availabilityZone: pulumi.Input<string>;
}

/** Where the host lives: a VPC of its own with one public subnet, or a subnet that the stack names. */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  readonly subnetId: pulumi.Output<string>;
  readonly availabilityZone: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:network:Network", name, {}, opts);
    const { subnetId } = args.settings;
    const place = subnetId === undefined ? this.#createVpc(name, args) : existingSubnet(subnetId, this);
    this.vpcId = place.vpcId;
    this.subnetId = place.subnetId;
    this.availabilityZone = place.availabilityZone;
    this.registerOutputs({ vpcId: this.vpcId, subnetId: this.subnetId });
  }

  #createVpc(name: string, { settings, availabilityZone }: NetworkArgs): Place {
    const { cidr, ipv6 } = settings;
    const child = { parent: this };
    const vpc = new Vpc(
      `${name}-vpc`,
      {
        cidrBlock: cidr,
        enableDnsHostnames: true,
        enableDnsSupport: true,
        assignGeneratedIpv6CidrBlock: ipv6,
        tags: tags(name),
      },
      child,
    );
    const gateway = new InternetGateway(`${name}-gateway`, { vpcId: vpc.id, tags: tags(name) }, child);
    const subnet = new Subnet(
      `${name}-subnet`,
      {
        vpcId: vpc.id,
        availabilityZone,
        // The first 256 addresses: one host needs no more, and the rest stays free for the owner.
        cidrBlock: cidr.replace(/\/\d+$/, (length) => `/${Math.max(24, Number(length.slice(1)))}`),
        // The elastic IP is the only public address.
        mapPublicIpOnLaunch: false,
        ...(ipv6 && {
          ipv6CidrBlock: vpc.ipv6CidrBlock.apply((block) => block.replace(/\/\d+$/, "/64")),
          assignIpv6AddressOnCreation: true,
        }),
        tags: tags(name),
      },
      child,
    );
    const routes = new RouteTable(
      `${name}-routes`,
      {
        vpcId: vpc.id,
        routes: [
          { cidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
          ...(ipv6 ? [{ ipv6CidrBlock: "::/0", gatewayId: gateway.id }] : []),
        ],
        tags: tags(name),
      },
      child,
    );
    const association = new RouteTableAssociation(
      `${name}-routes-subnet`,
      { routeTableId: routes.id, subnetId: subnet.id },
      child,
    );
    return {
      vpcId: vpc.id,
      // Whoever uses the subnet needs its way out: the id is known once the route is there.
      subnetId: pulumi.all([subnet.id, association.id]).apply(([id]) => id),
      availabilityZone: subnet.availabilityZone,
    };
  }
}

interface Place {
  readonly vpcId: pulumi.Output<string>;
  readonly subnetId: pulumi.Output<string>;
  readonly availabilityZone: pulumi.Output<string>;
}

function existingSubnet(id: string, parent: pulumi.Resource): Place {
  const subnet = getSubnetOutput({ id }, { parent });
  return { vpcId: subnet.vpcId, subnetId: subnet.id, availabilityZone: subnet.availabilityZone };
}
