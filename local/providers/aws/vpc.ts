/** VPCs. What replaces, replaces as in terraform-provider-aws (`internal/service/ec2`). */
import type { Ec2 } from "./client.ts";
import { checkIpv4Network } from "./networks.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs } from "./resource.ts";

interface VpcInputs extends CommonInputs {
  readonly cidrBlock: string;
  readonly enableDnsHostnames?: boolean;
  readonly enableDnsSupport?: boolean;
  readonly enableNetworkAddressUsageMetrics?: boolean;
  readonly assignGeneratedIpv6CidrBlock?: boolean;
  readonly instanceTenancy?: string;
}

export interface ApiIpv6Block {
  readonly AssociationId: string;
  readonly Ipv6CidrBlock: string;
}

export interface ApiVpc {
  readonly VpcId: string;
  readonly CidrBlock: string;
  readonly Ipv6CidrBlockAssociationSet: readonly ApiIpv6Block[];
  readonly CidrBlockAssociationSet: readonly {
    readonly AssociationId: string;
    readonly CidrBlock: string;
    readonly CidrBlockState: { readonly State: string };
  }[];
  readonly InstanceTenancy: string;
  readonly IsDefault: boolean;
  readonly State: string;
  readonly DhcpOptionsId: string;
  readonly MainRouteTableId: string;
  readonly DefaultSecurityGroupId: string;
  readonly DefaultNetworkAclId: string;
  readonly Tags: readonly ApiTag[];
}

export async function vpcAttribute(ec2: Ec2, id: string, attribute: string): Promise<boolean> {
  const name = `${attribute[0]?.toUpperCase()}${attribute.slice(1)}`;
  const answer = await ec2.call<Record<string, { Value: boolean }>>("DescribeVpcAttribute", {
    VpcId: id,
    Attribute: attribute,
  });
  return answer[name]?.Value ?? false;
}

async function setVpcAttributes(
  ec2: Ec2,
  id: string,
  wanted: Record<string, boolean | undefined>,
): Promise<void> {
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) await ec2.call("ModifyVpcAttribute", { VpcId: id, [name]: { Value: value } });
  }
}

export const vpc = awsResource<VpcInputs>({
  inputs: {
    cidrBlock: { type: "string", required: true, replaceOnChange: true },
    enableDnsHostnames: { type: "boolean", computed: true },
    enableDnsSupport: { type: "boolean", default: true },
    enableNetworkAddressUsageMetrics: { type: "boolean", computed: true },
    assignGeneratedIpv6CidrBlock: { type: "boolean" },
    instanceTenancy: {
      type: "string",
      default: "default",
      oneOf: ["default", "dedicated"],
      replaceOnChange: true,
    },
  },
  outputs: {
    arn: {},
    defaultNetworkAclId: {},
    defaultRouteTableId: {},
    defaultSecurityGroupId: {},
    dhcpOptionsId: {},
    ipv6AssociationId: { changesWith: ["assignGeneratedIpv6CidrBlock"] },
    ipv6CidrBlock: { changesWith: ["assignGeneratedIpv6CidrBlock"] },
    mainRouteTableId: {},
    ownerId: {},
  },
  unsimulated: [
    "ipv4IpamPoolId",
    "ipv4NetmaskLength",
    "ipv6CidrBlock",
    "ipv6CidrBlockNetworkBorderGroup",
    "ipv6IpamPoolId",
    "ipv6NetmaskLength",
  ],
  taggedAs: "vpc",
  check: (inputs) => checkIpv4Network(inputs, "cidrBlock"),
  create: async (ec2, inputs, tags) => {
    const answer = await ec2.call<{ Vpc: ApiVpc }>("CreateVpc", {
      CidrBlock: inputs.cidrBlock,
      AmazonProvidedIpv6CidrBlock: inputs.assignGeneratedIpv6CidrBlock ?? false,
      InstanceTenancy: inputs.instanceTenancy,
      ...tags,
    });
    return answer.Vpc.VpcId;
  },
  complete: (ec2, id, inputs) =>
    setVpcAttributes(ec2, id, {
      EnableDnsSupport: inputs.enableDnsSupport === false ? false : undefined,
      EnableDnsHostnames: inputs.enableDnsHostnames || undefined,
      EnableNetworkAddressUsageMetrics: inputs.enableNetworkAddressUsageMetrics || undefined,
    }),
  read: async (ec2, id) => {
    const answer = await ec2.maybe<{ Vpcs: ApiVpc[] }>("DescribeVpcs", { VpcIds: [id] });
    const found = answer?.Vpcs[0];
    if (found === undefined) return undefined;
    const [block] = found.Ipv6CidrBlockAssociationSet;
    return {
      outputs: {
        arn: arn(ec2, `vpc/${id}`, accountId),
        cidrBlock: found.CidrBlock,
        instanceTenancy: found.InstanceTenancy,
        enableDnsHostnames: await vpcAttribute(ec2, id, "enableDnsHostnames"),
        enableDnsSupport: await vpcAttribute(ec2, id, "enableDnsSupport"),
        enableNetworkAddressUsageMetrics: await vpcAttribute(ec2, id, "enableNetworkAddressUsageMetrics"),
        assignGeneratedIpv6CidrBlock: block !== undefined,
        ipv6AssociationId: block?.AssociationId ?? "",
        ipv6CidrBlock: block?.Ipv6CidrBlock ?? "",
        dhcpOptionsId: found.DhcpOptionsId,
        mainRouteTableId: found.MainRouteTableId,
        defaultRouteTableId: found.MainRouteTableId,
        defaultSecurityGroupId: found.DefaultSecurityGroupId,
        defaultNetworkAclId: found.DefaultNetworkAclId,
        ownerId: accountId,
      },
      tags: found.Tags,
    };
  },
  update: async (ec2, { id, inputs, state, changed }) => {
    await setVpcAttributes(ec2, id, {
      // Host names need name resolution: it goes on first and off last.
      EnableDnsSupport: changed("enableDnsSupport") && inputs.enableDnsSupport ? true : undefined,
      EnableDnsHostnames: changed("enableDnsHostnames") ? (inputs.enableDnsHostnames ?? false) : undefined,
    });
    await setVpcAttributes(ec2, id, {
      EnableDnsSupport: changed("enableDnsSupport") && inputs.enableDnsSupport === false ? false : undefined,
      EnableNetworkAddressUsageMetrics: changed("enableNetworkAddressUsageMetrics")
        ? (inputs.enableNetworkAddressUsageMetrics ?? false)
        : undefined,
    });
    if (!changed("assignGeneratedIpv6CidrBlock")) return;
    if (inputs.assignGeneratedIpv6CidrBlock && !state.ipv6AssociationId) {
      await ec2.call("AssociateVpcCidrBlock", { VpcId: id, AmazonProvidedIpv6CidrBlock: true });
    }
    if (!inputs.assignGeneratedIpv6CidrBlock && state.ipv6AssociationId) {
      await ec2.call("DisassociateVpcCidrBlock", { AssociationId: state.ipv6AssociationId });
    }
  },
  delete: async (ec2, id) => {
    await ec2.call("DeleteVpc", { VpcId: id });
  },
});
