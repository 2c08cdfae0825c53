/** Functions of the aws provider: images, subnets, VPCs, regions, public parameters. */

import { debianOwner, imageRootDevice } from "../../aws/catalog.ts";
import { callerArn } from "../../aws/quotas.ts";
import type { FunctionDefinition, InputSchema, Properties } from "../framework.ts";
import { type Ec2, ec2In } from "./client.ts";
import { type ApiTag, accountId, arn, configuration, isSet } from "./resource.ts";
import type { ApiSubnet } from "./subnet.ts";
import { type ApiVpc, vpcAttribute } from "./vpc.ts";

type Schemas = { readonly [name: string]: InputSchema };

const text: InputSchema = { type: "string" };
const filters: InputSchema = {
  type: "list",
  items: {
    type: "object",
    properties: {
      name: { type: "string", required: true },
      values: { type: "list", required: true, items: text },
    },
  },
};
const tags: InputSchema = { type: "map", items: text };

export function awsFunction(
  inputs: Schemas,
  invoke: (ec2: Ec2, inputs: Properties) => Promise<Properties>,
): FunctionDefinition {
  return {
    inputs: { ...inputs, region: text },
    invoke: ({ inputs: given }) => {
      const region =
        typeof given.region === "string" && given.region !== "" ? given.region : configuration.region;
      return invoke(ec2In(region), given).then((result) => ({ ...result, region }));
    },
  };
}

interface FilterInput {
  readonly name: string;
  readonly values: readonly string[];
}

function apiFilters(inputs: Properties, fields: Readonly<Record<string, string>>): object[] {
  const named = Object.entries(fields)
    .filter(([property]) => isSet(inputs[property]))
    .map(([property, Name]) => ({ Name, Values: [String(inputs[property])] }));
  const tagged = Object.entries((inputs.tags ?? {}) as Record<string, string>).map(([key, value]) => ({
    Name: `tag:${key}`,
    Values: [value],
  }));
  const free = ((inputs.filters ?? []) as unknown as FilterInput[]).map(({ name, values }) => ({
    Name: name,
    Values: values,
  }));
  return [...named, ...tagged, ...free];
}

interface ApiImage {
  readonly ImageId: string;
  readonly Name: string;
  readonly Architecture: string;
  readonly CreationDate: string;
  readonly Description: string;
  readonly ImageLocation: string;
  readonly BlockDeviceMappings: readonly {
    readonly DeviceName: string;
    readonly Ebs: { readonly SnapshotId: string; readonly VolumeSize: number };
  }[];
}

const getAmi = awsFunction(
  {
    owners: { type: "list", items: text },
    filters,
    mostRecent: { type: "boolean" },
    nameRegex: text,
    includeDeprecated: { type: "boolean" },
    allowUnsafeFilter: { type: "boolean" },
    executableUsers: { type: "list", items: text },
    tags,
    uefiData: text,
  },
  async (ec2, inputs) => {
    const apiFilter = apiFilters({ ...inputs, tags: undefined }, {});
    const owners = (inputs.owners ?? []) as string[];
    const safe =
      owners.length > 0 ||
      apiFilter.some((each) => /^(image-id|owner-id)$/.test((each as { Name: string }).Name));
    if (inputs.mostRecent === true && !safe && inputs.allowUnsafeFilter !== true) {
      throw new Error(
        "Most Recent Image Not Filtered: `most_recent` is true, and results are not filtered by owner or image ID: " +
          "set `owners`, or `allow_unsafe_filter` to take whatever image anybody published",
      );
    }
    const answer = await ec2.call<{ Images: ApiImage[] }>("DescribeImages", {
      Owners: owners,
      Filters: apiFilter,
      IncludeDeprecated: inputs.includeDeprecated === true,
    });
    const pattern = typeof inputs.nameRegex === "string" ? new RegExp(inputs.nameRegex) : undefined;
    const found = answer.Images.filter((image) => pattern === undefined || pattern.test(image.Name));
    if (found.length === 0) {
      throw new Error("Your query returned no results. Please change your search criteria and try again.");
    }
    if (found.length > 1 && inputs.mostRecent !== true) {
      throw new Error(
        "Your query returned more than one result. Please try a more specific search criteria, or set `most_recent` attribute to true.",
      );
    }
    const [image] = found.toSorted((one, other) => (one.CreationDate < other.CreationDate ? 1 : -1));
    return imageResult(ec2, image as ApiImage, inputs);
  },
);

function imageResult(ec2: Ec2, image: ApiImage, inputs: Properties): Properties {
  const [root] = image.BlockDeviceMappings;
  return {
    ...inputs,
    id: image.ImageId,
    imageId: image.ImageId,
    name: image.Name,
    architecture: image.Architecture,
    arn: `arn:aws:ec2:${ec2.region}::image/${image.ImageId}`,
    blockDeviceMappings: image.BlockDeviceMappings.map(({ DeviceName, Ebs }) => ({
      deviceName: DeviceName,
      noDevice: "",
      virtualName: "",
      ebs: {
        delete_on_termination: "true",
        encrypted: "false",
        iops: "0",
        snapshot_id: Ebs.SnapshotId,
        throughput: "0",
        volume_initialization_rate: "0",
        volume_size: String(Ebs.VolumeSize),
        volume_type: "gp3",
      },
    })),
    bootMode: image.Architecture === "arm64" ? "uefi" : "uefi-preferred",
    creationDate: image.CreationDate,
    deprecationTime: "",
    description: image.Description,
    enaSupport: true,
    hypervisor: "xen",
    imageLocation: image.ImageLocation,
    imageOwnerAlias: "",
    imageType: "machine",
    imdsSupport: "",
    kernelId: "",
    lastLaunchedTime: "",
    ownerId: debianOwner,
    platform: "",
    platformDetails: "Linux/UNIX",
    productCodes: [],
    public: true,
    ramdiskId: "",
    rootDeviceName: imageRootDevice,
    rootDeviceType: "ebs",
    rootSnapshotId: root?.Ebs.SnapshotId ?? "",
    sriovNetSupport: "simple",
    state: "available",
    stateReason: { code: "UNSET", message: "UNSET" },
    tags: {},
    tpmSupport: "",
    usageOperation: "RunInstances",
    virtualizationType: "hvm",
  };
}

/** Exactly one, as the official provider's singular data sources want it. */
function one<T>(found: readonly T[], what: string): T {
  const [first] = found;
  if (first === undefined) throw new Error(`no matching ${what} found`);
  if (found.length > 1) {
    throw new Error(
      `multiple ${what}s matched; use additional constraints to reduce matches to a single ${what}`,
    );
  }
  return first;
}

function tagsOf(found: { readonly Tags: readonly ApiTag[] }): Properties {
  return Object.fromEntries(found.Tags.map(({ Key, Value }) => [Key, Value]));
}

const getSubnet = awsFunction(
  {
    id: text,
    vpcId: text,
    cidrBlock: text,
    availabilityZone: text,
    availabilityZoneId: text,
    defaultForAz: { type: "boolean" },
    ipv6CidrBlock: text,
    state: text,
    filters,
    tags,
  },
  async (ec2, inputs) => {
    const answer = await ec2.maybe<{ Subnets: ApiSubnet[] }>("DescribeSubnets", {
      ...(isSet(inputs.id) ? { SubnetIds: [inputs.id] } : {}),
      Filters: apiFilters(inputs, {
        vpcId: "vpc-id",
        cidrBlock: "cidr-block",
        availabilityZone: "availability-zone",
        availabilityZoneId: "availability-zone-id",
        defaultForAz: "default-for-az",
        ipv6CidrBlock: "ipv6-cidr-block-association.ipv6-cidr-block",
        state: "state",
      }),
    });
    const found = one(answer?.Subnets ?? [], "EC2 Subnet");
    const [block] = found.Ipv6CidrBlockAssociationSet;
    return {
      ...inputs,
      id: found.SubnetId,
      arn: arn(ec2, `subnet/${found.SubnetId}`, accountId),
      assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation,
      availabilityZone: found.AvailabilityZone,
      availabilityZoneId: found.AvailabilityZoneId,
      availableIpAddressCount: found.AvailableIpAddressCount,
      cidrBlock: found.CidrBlock,
      customerOwnedIpv4Pool: "",
      defaultForAz: found.DefaultForAz,
      enableDns64: false,
      enableLniAtDeviceIndex: 0,
      enableResourceNameDnsARecordOnLaunch: false,
      enableResourceNameDnsAaaaRecordOnLaunch: false,
      ipv6CidrBlock: block?.Ipv6CidrBlock ?? "",
      ipv6CidrBlockAssociationId: block?.AssociationId ?? "",
      ipv6Native: false,
      mapCustomerOwnedIpOnLaunch: false,
      mapPublicIpOnLaunch: found.MapPublicIpOnLaunch,
      outpostArn: "",
      ownerId: accountId,
      privateDnsHostnameTypeOnLaunch: "ip-name",
      state: found.State,
      tags: tagsOf(found),
      vpcId: found.VpcId,
    };
  },
);

const getVpc = awsFunction(
  {
    id: text,
    cidrBlock: text,
    default: { type: "boolean" },
    dhcpOptionsId: text,
    state: text,
    filters,
    tags,
  },
  async (ec2, inputs) => {
    const answer = await ec2.maybe<{ Vpcs: ApiVpc[] }>("DescribeVpcs", {
      ...(isSet(inputs.id) ? { VpcIds: [inputs.id] } : {}),
      Filters: apiFilters(inputs, {
        cidrBlock: "cidr",
        default: "is-default",
        dhcpOptionsId: "dhcp-options-id",
        state: "state",
      }),
    });
    const found = one(answer?.Vpcs ?? [], "EC2 VPC");
    const [block] = found.Ipv6CidrBlockAssociationSet;
    return {
      ...inputs,
      id: found.VpcId,
      arn: arn(ec2, `vpc/${found.VpcId}`, accountId),
      cidrBlock: found.CidrBlock,
      cidrBlockAssociations: found.CidrBlockAssociationSet.map((each) => ({
        associationId: each.AssociationId,
        cidrBlock: each.CidrBlock,
        state: each.CidrBlockState.State,
      })),
      default: found.IsDefault,
      dhcpOptionsId: found.DhcpOptionsId,
      enableDnsHostnames: await vpcAttribute(ec2, found.VpcId, "enableDnsHostnames"),
      enableDnsSupport: await vpcAttribute(ec2, found.VpcId, "enableDnsSupport"),
      enableNetworkAddressUsageMetrics: await vpcAttribute(
        ec2,
        found.VpcId,
        "enableNetworkAddressUsageMetrics",
      ),
      instanceTenancy: found.InstanceTenancy,
      ipv6AssociationId: block?.AssociationId ?? "",
      ipv6CidrBlock: block?.Ipv6CidrBlock ?? "",
      ipv6CidrBlockAssociations: block
        ? [{ associationId: block.AssociationId, ipv6CidrBlock: block.Ipv6CidrBlock, state: "associated" }]
        : [],
      mainRouteTableId: found.MainRouteTableId,
      ownerId: accountId,
      state: found.State,
      tags: tagsOf(found),
    };
  },
);

const getRegion = awsFunction({ endpoint: text, id: text, name: text }, async (ec2) => ({
  id: ec2.region,
  name: ec2.region,
  description: ec2.region,
  endpoint: `ec2.${ec2.region}.amazonaws.com`,
}));

const getAvailabilityZones = awsFunction(
  {
    state: text,
    filters,
    allAvailabilityZones: { type: "boolean" },
    excludeNames: { type: "list", items: text },
    excludeZoneIds: { type: "list", items: text },
  },
  async (ec2, inputs) => {
    const answer = await ec2.call<{ AvailabilityZones: { ZoneName: string; ZoneId: string }[] }>(
      "DescribeAvailabilityZones",
    );
    const excluded = [
      ...((inputs.excludeNames ?? []) as string[]),
      ...((inputs.excludeZoneIds ?? []) as string[]),
    ];
    const zones = answer.AvailabilityZones.filter(
      (zone) => ![zone.ZoneName, zone.ZoneId].some((each) => excluded.includes(each)),
    );
    return {
      ...inputs,
      id: ec2.region,
      names: zones.map((zone) => zone.ZoneName),
      zoneIds: zones.map((zone) => zone.ZoneId),
      groupNames: [ec2.region],
    };
  },
);

const getInstanceTypeOfferings = awsFunction(
  {
    filters,
    locationType: {
      type: "string",
      oneOf: ["region", "availability-zone", "availability-zone-id", "outpost"],
    },
  },
  async (ec2, inputs) => {
    const { InstanceTypeOfferings: found } = await ec2.call<{
      InstanceTypeOfferings: { InstanceType: string; Location: string; LocationType: string }[];
    }>("DescribeInstanceTypeOfferings", {
      ...(isSet(inputs.locationType) ? { LocationType: inputs.locationType } : {}),
      Filters: apiFilters(inputs, {}),
    });
    return {
      ...inputs,
      id: ec2.region,
      instanceTypes: found.map((each) => each.InstanceType),
      locations: found.map((each) => each.Location),
      locationTypes: found.map((each) => each.LocationType),
    };
  },
);

const getCallerIdentity = awsFunction({ id: text }, async () => ({
  id: accountId,
  accountId,
  arn: callerArn,
  userId: "AIDAIOSFODNN7EXAMPLE",
}));

const getParameter = awsFunction(
  { name: { type: "string", required: true }, withDecryption: { type: "boolean" } },
  async (ec2, inputs) => {
    const { Parameter: found } = await ec2.call<{
      Parameter: { Name: string; Value: string; Type: string; Version: number; ARN: string };
    }>("GetParameter", { Name: inputs.name });
    return {
      ...inputs,
      id: found.Name,
      name: found.Name,
      arn: found.ARN,
      type: found.Type,
      value: found.Value,
      insecureValue: found.Value,
      version: found.Version,
      withDecryption: inputs.withDecryption ?? true,
    };
  },
);

export const functions: { readonly [token: string]: FunctionDefinition } = {
  "aws:ec2/getAmi:getAmi": getAmi,
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": getInstanceTypeOfferings,
  "aws:ec2/getSubnet:getSubnet": getSubnet,
  "aws:ec2/getVpc:getVpc": getVpc,
  "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
  "aws:index/getCallerIdentity:getCallerIdentity": getCallerIdentity,
  "aws:index/getRegion:getRegion": getRegion,
  "aws:ssm/getParameter:getParameter": { ...getParameter, secretOutputs: ["value"] },
};
