/** Subnets. What replaces, replaces as in terraform-provider-aws (`internal/service/ec2`). */
import { whenFree } from "./client.ts";
import { checkIpv4Network, checkIpv6Network } from "./networks.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs, given } from "./resource.ts";
import type { ApiIpv6Block } from "./vpc.ts";

interface SubnetInputs extends CommonInputs {
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly availabilityZone?: string;
  readonly ipv6CidrBlock?: string;
  readonly mapPublicIpOnLaunch?: boolean;
  readonly assignIpv6AddressOnCreation?: boolean;
}

export interface ApiSubnet {
  readonly SubnetId: string;
  readonly VpcId: string;
  readonly CidrBlock: string;
  readonly AvailabilityZone: string;
  readonly AvailabilityZoneId: string;
  readonly AvailableIpAddressCount: number;
  readonly DefaultForAz: boolean;
  readonly MapPublicIpOnLaunch: boolean;
  readonly AssignIpv6AddressOnCreation: boolean;
  readonly State: string;
  readonly Ipv6CidrBlockAssociationSet: readonly ApiIpv6Block[];
  readonly Tags: readonly ApiTag[];
}

export const subnet = awsResource<SubnetInputs>({
  inputs: {
    vpcId: { type: "string", required: true, replaceOnChange: true },
    cidrBlock: { type: "string", required: true, replaceOnChange: true },
    availabilityZone: { type: "string", computed: true, replaceOnChange: true },
    ipv6CidrBlock: { type: "string" },
    mapPublicIpOnLaunch: { type: "boolean", default: false },
    assignIpv6AddressOnCreation: { type: "boolean", default: false },
  },
  outputs: {
    arn: {},
    availabilityZoneId: {},
    ipv6CidrBlockAssociationId: { changesWith: ["ipv6CidrBlock"] },
    ownerId: {},
    privateDnsHostnameTypeOnLaunch: {},
    enableDns64: {},
    enableLniAtDeviceIndex: {},
    enableResourceNameDnsARecordOnLaunch: {},
    enableResourceNameDnsAaaaRecordOnLaunch: {},
    ipv6Native: {},
    outpostArn: {},
    customerOwnedIpv4Pool: {},
    mapCustomerOwnedIpOnLaunch: {},
  },
  unsimulated: [
    "availabilityZoneId",
    "customerOwnedIpv4Pool",
    "enableDns64",
    "enableLniAtDeviceIndex",
    "enableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch",
    "ipv4IpamPoolId",
    "ipv4NetmaskLength",
    "ipv6IpamPoolId",
    "ipv6Native",
    "ipv6NetmaskLength",
    "mapCustomerOwnedIpOnLaunch",
    "outpostArn",
    "privateDnsHostnameTypeOnLaunch",
  ],
  taggedAs: "subnet",
  check: (inputs) => [...checkIpv4Network(inputs, "cidrBlock"), ...checkIpv6Network(inputs, "ipv6CidrBlock")],
  create: async (ec2, inputs, tags) => {
    const parameters = given({
      VpcId: inputs.vpcId,
      CidrBlock: inputs.cidrBlock,
      AvailabilityZone: inputs.availabilityZone,
      Ipv6CidrBlock: inputs.ipv6CidrBlock || undefined,
    });
    const answer = await ec2.call<{ Subnet: ApiSubnet }>("CreateSubnet", { ...parameters, ...tags });
    return answer.Subnet.SubnetId;
  },
  complete: async (ec2, id, inputs) => {
    if (inputs.mapPublicIpOnLaunch) {
      await ec2.call("ModifySubnetAttribute", { SubnetId: id, MapPublicIpOnLaunch: { Value: true } });
    }
    if (inputs.assignIpv6AddressOnCreation) {
      await ec2.call("ModifySubnetAttribute", { SubnetId: id, AssignIpv6AddressOnCreation: { Value: true } });
    }
  },
  read: async (ec2, id) => {
    const answer = await ec2.maybe<{ Subnets: ApiSubnet[] }>("DescribeSubnets", { SubnetIds: [id] });
    const found = answer?.Subnets[0];
    if (found === undefined) return undefined;
    const [block] = found.Ipv6CidrBlockAssociationSet;
    return {
      outputs: {
        arn: arn(ec2, `subnet/${id}`, accountId),
        vpcId: found.VpcId,
        cidrBlock: found.CidrBlock,
        availabilityZone: found.AvailabilityZone,
        availabilityZoneId: found.AvailabilityZoneId,
        ipv6CidrBlock: block?.Ipv6CidrBlock ?? "",
        ipv6CidrBlockAssociationId: block?.AssociationId ?? "",
        mapPublicIpOnLaunch: found.MapPublicIpOnLaunch,
        assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation,
        ownerId: accountId,
        privateDnsHostnameTypeOnLaunch: "ip-name",
        enableDns64: false,
        enableLniAtDeviceIndex: 0,
        enableResourceNameDnsARecordOnLaunch: false,
        enableResourceNameDnsAaaaRecordOnLaunch: false,
        ipv6Native: false,
        outpostArn: "",
        customerOwnedIpv4Pool: "",
        mapCustomerOwnedIpOnLaunch: false,
      },
      tags: found.Tags,
    };
  },
  update: async (ec2, { id, inputs, state, changed }) => {
    const modify = (attribute: string, value: boolean) =>
      ec2.call("ModifySubnetAttribute", { SubnetId: id, [attribute]: { Value: value } });
    if (changed("mapPublicIpOnLaunch"))
      await modify("MapPublicIpOnLaunch", inputs.mapPublicIpOnLaunch ?? false);
    if (changed("assignIpv6AddressOnCreation") && !inputs.assignIpv6AddressOnCreation) {
      await modify("AssignIpv6AddressOnCreation", false);
    }
    if (changed("ipv6CidrBlock")) {
      if (state.ipv6CidrBlockAssociationId) {
        await ec2.call("DisassociateSubnetCidrBlock", { AssociationId: state.ipv6CidrBlockAssociationId });
      }
      if (inputs.ipv6CidrBlock) {
        await ec2.call("AssociateSubnetCidrBlock", { SubnetId: id, Ipv6CidrBlock: inputs.ipv6CidrBlock });
      }
    }
    if (changed("assignIpv6AddressOnCreation") && inputs.assignIpv6AddressOnCreation) {
      await modify("AssignIpv6AddressOnCreation", true);
    }
  },
  delete: (ec2, id) => whenFree("subnet", () => ec2.call("DeleteSubnet", { SubnetId: id })),
});
