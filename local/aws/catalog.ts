/** What AWS itself offers: images, instance types, zones. Fixed, so that a lookup today answers as tomorrow, but for
 * what a test publishes. */
export type Architecture = "arm64" | "x86_64";

export interface Image {
  readonly id: string;
  readonly name: string;
  readonly architecture: Architecture;
  readonly creationDate: string;
  readonly snapshotId: string;
}

/** Account of the Debian project's images (https://wiki.debian.org/Cloud/AmazonEC2Image). */
export const debianOwner = "136693071363";
/** The account that the simulated cloud belongs to. */
export const accountId = "123456789012";
/** Debian's images have an 8 GiB root disk on /dev/xvda. */
export const imageRootSize = 8;
export const imageRootDevice = "/dev/xvda";

/** Debian 13 images: several builds of each architecture, as on AWS, the newest last. */
const released = images([
  ["20250814-2204", "2025-08-14T10:21:07.000Z", "05f1c6a2d9b3e8470", "0b74d1e2a9c3f6850"],
  ["20251006-2257", "2025-10-06T08:02:41.000Z", "0d2e9a47c5b1f8360", "06a8f3c1d7e2b9540"],
  ["20260112-2355", "2026-01-12T09:47:33.000Z", "0a61b7f3e94c2d580", "0f92c5d8a1b6e3470"],
]);

/** A newer build, which is there once somebody has published it. */
const upcoming = images([
  ["20260309-2411", "2026-03-09T07:55:12.000Z", "04c8e1f6b2a7d9350", "09e3b7a5c1d4f2860"],
]);
let isPublished = false;

/** Debian publishes the newer build: it is the newest for as long as this process lives. */
export function publishImages(): void {
  isPublished = true;
}

/** What a search finds. */
export function publicImages(): readonly Image[] {
  return isPublished ? [...released, ...upcoming] : released;
}

/** A machine's image stays known, whether a search finds it or not. */
export function knownImage(id: string): Image | undefined {
  return [...released, ...upcoming].find((each) => each.id === id);
}

type Build = readonly [build: string, creationDate: string, arm: string, amd: string];

function images(builds: readonly Build[]): readonly Image[] {
  return builds.flatMap(([build, creationDate, arm, amd]) => [
    image(`debian-13-arm64-${build}`, "arm64", creationDate, arm),
    image(`debian-13-amd64-${build}`, "x86_64", creationDate, amd),
  ]);
}

function image(name: string, architecture: Architecture, creationDate: string, digits: string): Image {
  return { id: `ami-${digits}`, name, architecture, creationDate, snapshotId: `snap-${digits}` };
}

/** The newest Debian 13 image, which the public parameter of Systems Manager names. */
export function newestImage(architecture: Architecture): Image {
  const newest = publicImages()
    .filter((each) => each.architecture === architecture)
    .at(-1);
  if (newest === undefined) throw new Error(`no image of architecture ${architecture}`);
  return newest;
}

/** What a public parameter of AWS Systems Manager says. */
export function publicParameter(name: string): string | undefined {
  const [, asked] = /^\/aws\/service\/debian\/release\/13\/latest\/(arm64|amd64)$/.exec(name) ?? [];
  if (asked === undefined) return undefined;
  return newestImage(asked === "amd64" ? "x86_64" : "arm64").id;
}

const families: Readonly<Record<string, Architecture>> = {
  t3: "x86_64",
  t3a: "x86_64",
  t4g: "arm64",
  m6i: "x86_64",
  m6g: "arm64",
  m7i: "x86_64",
  m7g: "arm64",
  c6i: "x86_64",
  c6g: "arm64",
  c7i: "x86_64",
  c7g: "arm64",
  r6g: "arm64",
  r7g: "arm64",
};
const burstable = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"];
const steady = ["medium", "large", "xlarge", "2xlarge", "4xlarge"];

/** Architecture of an instance type, or undefined where the simulated cloud has no such type. */
export function architectureOf(instanceType: string): Architecture | undefined {
  const [family = "", size = ""] = instanceType.split(".");
  const sizes = family.startsWith("t") ? burstable : steady;
  return sizes.includes(size) ? families[family] : undefined;
}

/** Virtual processors of an instance type. */
export function processorsOf(instanceType: string): number {
  const size = instanceType.split(".")[1] ?? "";
  const multiple = /^(\d+)xlarge$/.exec(size);
  if (multiple) return 4 * Number(multiple[1]);
  return size === "xlarge" ? 4 : size === "medium" && !instanceType.startsWith("t") ? 1 : 2;
}

/** Only the burstable families take a credit specification. */
export function isBurstable(instanceType: string): boolean {
  return /^t\d/.test(instanceType);
}

export function zonesOf(region: string): readonly string[] {
  return ["a", "b", "c"].map((letter) => `${region}${letter}`);
}

/** Zones, by their letters, that lack a family: as on AWS, not every zone has the youngest machines. */
const lacking: Readonly<Record<string, string>> = { m7i: "a", c7i: "ac", c7g: "b", r7g: "abc" };

/** Zones of a region that have machines of a type, of every known one where none is named. */
export function offerings(
  region: string,
  instanceType?: string,
): readonly { readonly instanceType: string; readonly zone: string }[] {
  const types =
    instanceType === undefined
      ? Object.keys(families).flatMap((family) =>
          (family.startsWith("t") ? burstable : steady).map((size) => `${family}.${size}`),
        )
      : [instanceType].filter((type) => architectureOf(type) !== undefined);
  return types.flatMap((type) =>
    zonesOf(region)
      .filter((zone) => !lacking[type.split(".")[0] ?? ""]?.includes(zone.at(-1) ?? ""))
      .map((zone) => ({ instanceType: type, zone })),
  );
}

/** Zone id of a zone's name: `eu-central-1a` → `euc1-az1`. */
export function zoneId(zone: string): string {
  const match = /^([a-z]+)-([a-z]+)-(\d+)([a-z])$/.exec(zone);
  if (!match) return zone;
  const [, area = "", direction = "", number = "", letter = ""] = match;
  const short = direction.replace(/(north|south)(east|west)/, (_, one, two) => `${one[0]}${two[0]}`);
  return `${area}${short.length > 2 ? short[0] : short}${number}-az${letter.charCodeAt(0) - 96}`;
}

/** The name that EC2 publishes for an address. us-east-1 is the one region without its name in it. */
export function publicName(publicIp: string, region: string): string {
  const zone = region === "us-east-1" ? "compute-1" : `${region}.compute`;
  return `ec2-${publicIp.replaceAll(".", "-")}.${zone}.amazonaws.com`;
}
