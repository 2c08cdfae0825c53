import type { Refusal } from "../../../plan/refusals.ts";
import {
  awsRefuses,
  subnetHidden,
  typeNotInZone,
  typeNotOffered,
  wholeZones,
} from "../../../plan/refusals.ts";
import type { Look } from "../../host.ts";
import { notLookedAt } from "../../sidebyside.ts";
import { about, type Finding, leftOut, right, wrong } from "../../types.ts";
import { type Aws, AwsRefusal, type Elements, type Fields, itemsOf, textOf } from "../aws.ts";
import type { PreflightTarget } from "../target.ts";

/** Debian's own account in AWS (wiki.debian.org/Cloud/AmazonEC2Image). */
const debianOwner = "136693071363";

/** "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in processors. */
const standardProcessors = "L-1216C47A";

const silent = "See what AWS says there, and whether this machine is online; then check again.";

/** The AWS account: whose the credential is, what it may do, and what the account may have. */
export const account: Look<PreflightTarget> = {
  name: "aws",
  group: "AWS",
  silent,
  async look(target) {
    const { aws, awsTrouble = "", awsLeftOut } = target;
    if (awsLeftOut !== undefined) return about("credential", [leftOut(`the AWS account: ${awsLeftOut}`)]);
    if (aws === undefined) return about("credential", [refused(awsRefuses(awsTrouble))]);
    let caller: Elements;
    try {
      caller = await aws.query("sts", "GetCallerIdentity");
    } catch (error) {
      return about("credential", [refused(awsRefuses((error as Error).message))]);
    }
    const asker = new Asker(aws);
    const place = machineType(asker, target);
    const found = await Promise.all([
      part(
        "type",
        place.then(({ findings }) => findings),
      ),
      part("addresses", addresses(asker, target)),
      part("processors", processors(aws, target)),
      about("ptr", reverseName(aws)),
    ]);
    // Last: what may not be looked at is told with what may not be done.
    const rights = await part("rights", tried(asker, target, await place.catch(() => ({}))));
    return [
      ...about("credential", [
        right(
          `the credential is good: ${textOf(caller, "Arn")}, in the account ${textOf(caller, "Account")}`,
        ),
      ]),
      ...rights,
      ...found.flat(),
    ];
  },
};

/** One thing that cannot be looked at does not take the others with it. */
async function part(name: string, look: Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  return about(
    name,
    await look.catch((error: unknown) => [notLookedAt(`the AWS account's ${name}`, error, silent)]),
  );
}

function refused({ text, remedy }: Refusal): Finding {
  return wrong(text, remedy);
}

/** Asks EC2, and keeps what the credential may not ask. */
class Asker {
  readonly region: string;
  readonly denied = new Set<string>();
  readonly #aws: Aws;

  constructor(aws: Aws) {
    this.#aws = aws;
    this.region = aws.region;
  }

  /** What it answers; undefined where the right to it is missing. @throws AwsRefusal for any other reason, or where nobody answers */
  async see(action: string, fields: Fields): Promise<Elements | undefined> {
    try {
      return await this.#aws.query("ec2", action, fields);
    } catch (error) {
      if (!isDenied(error)) throw error;
      this.denied.add(action);
      return undefined;
    }
  }

  /** Asks for the right alone: nothing is made. `said` is what AWS says where that is neither yes nor no. */
  async try(
    action: string,
    fields: Fields,
  ): Promise<{ readonly isAllowed: boolean; readonly said?: string }> {
    try {
      await this.see(action, { ...fields, DryRun: true });
    } catch (error) {
      if (!(error instanceof AwsRefusal)) throw error;
      return error.code === "DryRunOperation"
        ? { isAllowed: true }
        : { isAllowed: false, said: error.message };
    }
    return { isAllowed: false };
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof AwsRefusal && error.code === "UnauthorizedOperation";
}

/**
 * The rights, of each statement of docs/aws-policy.json those that can be asked for before there is anything: of what is
 * done to a thing, AWS tells only where the thing exists.
 */
async function tried(
  asker: Asker,
  { plan: { settings, ses } }: PreflightTarget,
  { zone, subnet }: Place,
): Promise<readonly Finding[]> {
  const { server, network } = settings;
  const image = await newestImage(asker, server.architecture);
  const tries: Readonly<Record<string, Fields>> = {
    ...(subnet !== undefined && {
      CreateSecurityGroup: { VpcId: subnet.vpcId, GroupName: "mailhost", GroupDescription: "mailhost" },
    }),
    ...(network.subnetId === undefined && {
      CreateVpc: { CidrBlock: network.cidr },
      CreateInternetGateway: {},
    }),
    ...(zone !== undefined && {
      CreateVolume: { AvailabilityZone: zone, Size: server.dataSize, VolumeType: "gp3" },
    }),
    AllocateAddress: { Domain: "vpc" },
    ...(image !== undefined && {
      RunInstances: {
        ImageId: image,
        InstanceType: server.instanceType,
        MinCount: 1,
        MaxCount: 1,
        ...(subnet !== undefined && { SubnetId: subnet.id }),
      },
    }),
  };
  const answers = await Promise.all(
    Object.entries(tries).map(async ([action, fields]) => ({ action, ...(await asker.try(action, fields)) })),
  );
  const allowed = answers.filter(({ isAllowed }) => isAllowed).map(({ action }) => action);
  const denied = [...asker.denied].toSorted().map((action) => `ec2:${action}`);
  return [
    ...(denied.length > 0
      ? [
          wrong(
            `the credential may not do ${denied.join(", ")} in ${asker.region}`,
            `Give it the policy docs/aws-policy.json with the region ${asker.region} in it (docs/deploying.md, "Rights").`,
          ),
        ]
      : []),
    ...(denied.length === 0 && allowed.length > 0
      ? [
          right(
            `the credential may make a host: ${allowed.join(", ")}; of what is done to one, AWS tells when there is one`,
          ),
        ]
      : []),
    ...answers.flatMap(({ action, said }) =>
      said === undefined ? [] : [leftOut(`whether the credential may do ec2:${action}: AWS says ${said}`)],
    ),
    ...(ses.length > 0
      ? [
          leftOut(
            'whether the credential may do what Amazon SES as the relay needs: AWS does not tell beforehand (docs/deploying.md, "Rights for Amazon SES")',
          ),
        ]
      : []),
  ];
}

/** Id of the image that the machine would be made of; undefined where none is shown. */
async function newestImage(asker: Asker, architecture: "arm64" | "amd64"): Promise<string | undefined> {
  const found = await asker.see("DescribeImages", {
    "Owner.1": debianOwner,
    "Filter.1.Name": "name",
    "Filter.1.Value.1": `debian-13-${architecture}-*`,
  });
  return itemsOf(found ?? {}, "imagesSet")
    .toSorted((one, other) => (textOf(one, "creationDate") < textOf(other, "creationDate") ? 1 : -1))
    .map((image) => textOf(image, "imageId"))[0];
}

/** Where the host would be, as far as that is known. */
interface Place {
  readonly zone?: string;
  /** The one that the stack names. */
  readonly subnet?: { readonly id: string; readonly vpcId: string };
}

/** Whether there are such machines where the host is to be. */
async function machineType(
  asker: Asker,
  { plan: { settings } }: PreflightTarget,
): Promise<Place & { readonly findings: readonly Finding[] }> {
  const { instanceType } = settings.server;
  const { subnetId } = settings.network;
  const [offered, subnets] = await Promise.all([
    asker.see("DescribeInstanceTypeOfferings", {
      LocationType: "availability-zone",
      "Filter.1.Name": "instance-type",
      "Filter.1.Value.1": instanceType,
    }),
    subnetId === undefined
      ? undefined
      : asker.see("DescribeSubnets", { "SubnetId.1": subnetId }).catch((error: unknown) => {
          if (error instanceof AwsRefusal) return error;
          throw error;
        }),
  ]);
  if (subnets instanceof AwsRefusal)
    return { findings: [refused(subnetHidden(String(subnetId), subnets.message))] };
  if (offered === undefined) return { findings: [] };
  const zones = wholeZones(
    itemsOf(offered, "instanceTypeOfferingSet").map((offering) => textOf(offering, "location")),
  );
  const [first] = zones;
  if (first === undefined) return { findings: [refused(typeNotOffered(instanceType))] };
  const [named = {}] = itemsOf(subnets ?? {}, "subnetSet");
  const zone = textOf(named, "availabilityZone") || first;
  if (!zones.includes(zone)) return { findings: [refused(typeNotInZone(instanceType, zone, zones))] };
  return {
    findings: [right(`AWS offers ${instanceType} in ${zones.join(", ")}`)],
    zone,
    ...(subnetId !== undefined && { subnet: { id: subnetId, vpcId: textOf(named, "vpcId") } }),
  };
}

/** Whether the account may have one more elastic IP in the region. */
async function addresses(asker: Asker, { held }: PreflightTarget): Promise<readonly Finding[]> {
  if (held.address !== undefined) return [right(`the host's address is there already: ${held.address}`)];
  const [limits, have] = await Promise.all([
    asker.see("DescribeAccountAttributes", { "AttributeName.1": "vpc-max-elastic-ips" }),
    asker.see("DescribeAddresses", {}),
  ]);
  if (limits === undefined || have === undefined) return [];
  const [attribute = {}] = itemsOf(limits, "accountAttributeSet");
  const [value = {}] = itemsOf(attribute, "attributeValueSet");
  const most = Number(textOf(value, "attributeValue") || Number.NaN);
  const count = itemsOf(have, "addressesSet").length;
  if (Number.isNaN(most)) return [leftOut("whether AWS gives one more elastic IP: it names no limit")];
  return [
    count < most
      ? right(`the account has ${count} of ${most} elastic IPs in ${asker.region}: one more is free`)
      : wrong(
          `the account has all ${most} elastic IPs that AWS lets it have in ${asker.region}, and the host needs one`,
          `Release one that nobody uses (AWS console, EC2, Elastic IPs), or ask for more: https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-0263D0A3?region=${asker.region}`,
        ),
  ];
}

/** Whether the account may run machines of the standard families at all: some new ones may not yet. */
async function processors(aws: Aws, { plan: { settings } }: PreflightTarget): Promise<readonly Finding[]> {
  if (!/^[acdhimrtz]\d/.test(settings.server.instanceType)) return [];
  const page = `https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas/${standardProcessors}?region=${aws.region}`;
  try {
    const most = await aws.quota("ec2", standardProcessors);
    if (most === undefined) return [unseen("AWS names no number", page)];
    return [
      most >= 1
        ? right(`the account may run machines with ${most} processors in ${aws.region}`)
        : wrong(
            `AWS lets the account run no machine like ${settings.server.instanceType} in ${aws.region}: its quota of processors is ${most}`,
            `Ask for 8 or more: ${page}`,
          ),
    ];
  } catch (error) {
    if (!(error instanceof AwsRefusal)) throw error;
    return [unseen("the credential may not ask (servicequotas:GetServiceQuota)", page)];
  }
}

function unseen(why: string, page: string): Finding {
  return leftOut(`how many processors the account may run: ${why}; see ${page}`);
}

/**
 * Whether the address can get the host's name: by API everywhere but in GovCloud (EC2 user guide, "Create a reverse DNS record
 * for email").
 */
function reverseName({ region }: Pick<Aws, "region">): readonly Finding[] {
  if (region.startsWith("us-gov-")) {
    return [
      wrong(
        `in ${region} AWS sets reverse names (PTR) by hand alone, and the program cannot`,
        "Write another region in aws:region: large receivers refuse mail of an address without its host's name.",
      ),
    ];
  }
  if (region.startsWith("cn-")) {
    return [leftOut(`whether AWS sets reverse names (PTR) in ${region}: its manual does not say`)];
  }
  return [
    right(`in ${region} AWS sets the address's reverse name (PTR) by its API, once the A record is served`),
  ];
}
