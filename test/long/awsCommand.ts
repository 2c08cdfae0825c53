/**
 * The few commands of AWS's command line tool that the pages have an administrator type (`aws ec2 …`), for the simulated AWS,
 * by the tool's own names. EC2's snapshots are not simulated, since the program makes none: here one is a copy of the disk
 * as a power cut would leave it, which is what EC2's is.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callDaemon } from "../../local/api.ts";
import { cloudPaths } from "../../local/paths.ts";
import { run } from "../../local/run.ts";

interface Snapshot {
  readonly SnapshotId: string;
  readonly StartTime: string;
  readonly Description: string;
  readonly VolumeSize: number;
}
interface Answer {
  readonly Reservations?: readonly {
    readonly Instances: readonly {
      readonly InstanceId: string;
      readonly Placement: { readonly AvailabilityZone: string };
    }[];
  }[];
  readonly Volumes?: readonly { readonly VolumeId: string; readonly State: string; readonly Size: number }[];
  readonly Subnets?: readonly { readonly AvailabilityZone: string }[];
  readonly Snapshots?: readonly Snapshot[];
  readonly VolumeId?: string;
}
type Options = Readonly<Record<string, readonly string[]>>;

/** What `--query` asks for, as the pages write it. */
const queries: Readonly<Record<string, (answer: Answer) => unknown>> = {
  "Reservations[].Instances[].InstanceId": ({ Reservations = [] }) =>
    Reservations.flatMap(({ Instances }) => Instances.map(({ InstanceId }) => InstanceId)).join("\t"),
  "Reservations[].Instances[].[InstanceId,Placement.AvailabilityZone]": ({ Reservations = [] }) =>
    Reservations.flatMap(({ Instances }) =>
      Instances.map(({ InstanceId, Placement }) => `${InstanceId}\t${Placement.AvailabilityZone}`),
    ).join("\n"),
  "Volumes[].VolumeId": ({ Volumes = [] }) => Volumes.map(({ VolumeId }) => VolumeId).join("\t"),
  "Subnets[].AvailabilityZone": ({ Subnets = [] }) =>
    Subnets.map(({ AvailabilityZone }) => AvailabilityZone).join("\t"),
  "sort_by(Snapshots,&StartTime)[-1].SnapshotId": ({ Snapshots = [] }) =>
    Snapshots.toSorted((one, other) => one.StartTime.localeCompare(other.StartTime)).at(-1)?.SnapshotId,
  VolumeId: ({ VolumeId }) => VolumeId,
};

const paths = cloudPaths();
const store = join(paths.folder, "snapshots");

async function ec2(action: string, parameters: object): Promise<Answer> {
  return (await callDaemon(paths, "POST", `/aws/${action}`, parameters, 100)) as Answer;
}

const disk = (volume: string) => join(paths.volumes, `${volume}.img`);
const copy = (from: string, to: string) => run("cp", ["--sparse=always", "--reflink=auto", from, to]);

function snapshots(): readonly Snapshot[] {
  const list = join(store, "list.json");
  return existsSync(list) ? (JSON.parse(readFileSync(list, "utf8")) as readonly Snapshot[]) : [];
}

const actions: Readonly<Record<string, (options: Options) => Promise<Answer>>> = {
  "describe-instances": (options) => ec2("DescribeInstances", filtered(options)),
  "describe-subnets": (options) => ec2("DescribeSubnets", filtered(options)),
  "describe-volumes": (options) => ec2("DescribeVolumes", filtered(options)),
  "terminate-instances": (options) => ec2("TerminateInstances", { InstanceIds: options["instance-ids"] }),
  "attach-volume": (options) =>
    ec2("AttachVolume", {
      VolumeId: one(options, "volume-id"),
      InstanceId: one(options, "instance-id"),
      Device: one(options, "device"),
    }),
  "detach-volume": (options) => ec2("DetachVolume", { VolumeId: one(options, "volume-id") }),
  "delete-volume": (options) => ec2("DeleteVolume", { VolumeId: one(options, "volume-id") }),
  async wait(options) {
    const { Volumes = [] } = await ec2("DescribeVolumes", { VolumeIds: options["volume-ids"] });
    // Here it takes no time.
    if (Volumes.some(({ State }) => State !== "available")) throw new Error("the volume is in use");
    return {};
  },
  async "create-snapshot"(options) {
    const volume = one(options, "volume-id");
    const { Volumes = [] } = await ec2("DescribeVolumes", { VolumeIds: [volume] });
    mkdirSync(store, { recursive: true });
    const id = `snap-${String(snapshots().length).padStart(17, "0")}`;
    await copy(disk(volume), join(store, `${id}.img`));
    const made = {
      SnapshotId: id,
      StartTime: new Date().toISOString(),
      Description: one(options, "description"),
      VolumeSize: Volumes[0]?.Size ?? 0,
    };
    writeFileSync(join(store, "list.json"), JSON.stringify([...snapshots(), made]));
    return {};
  },
  async "describe-snapshots"(options) {
    const wanted = /^Name=description,Values=(.*)$/.exec(one(options, "filters"))?.[1];
    return { Snapshots: snapshots().filter(({ Description }) => Description === wanted) };
  },
  async "create-volume"(options) {
    const id = one(options, "snapshot-id");
    const from = snapshots().find(({ SnapshotId }) => SnapshotId === id);
    if (from === undefined) throw new Error(`InvalidSnapshot.NotFound: ${id}`);
    const made = await ec2("CreateVolume", {
      AvailabilityZone: one(options, "availability-zone"),
      VolumeType: one(options, "volume-type"),
      Size: from.VolumeSize,
      // What was encrypted stays so.
      Encrypted: true,
    });
    await copy(join(store, `${id}.img`), disk(made.VolumeId ?? ""));
    return made;
  },
};

function one(options: Options, name: string): string {
  const [value] = options[name] ?? [];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

function filtered({ filters = [] }: Options): object {
  return {
    Filters: filters.map((text) => {
      const [, Name, values = ""] = /^Name=(.+?),Values=(.*)$/.exec(text) ?? [];
      return { Name, Values: values.split(",") };
    }),
  };
}

function parsed(words: readonly string[]): Options {
  const options: Record<string, string[]> = {};
  let values: string[] = [];
  for (const word of words) {
    if (word.startsWith("--")) {
      values = [];
      options[word.slice(2)] = values;
    } else values.push(word);
  }
  return options;
}

const [service, action = "", ...words] = process.argv.slice(2);
const does = actions[action];
if (service !== "ec2" || does === undefined) throw new Error(`aws ${service} ${action} is not known here`);
const options = parsed(words);
const answer = await does(options);
const query = options.query?.[0];
if (query === undefined) console.log(JSON.stringify(answer));
else {
  const show = queries[query];
  if (show === undefined) throw new Error(`${query} is not known here`);
  console.log(show(answer));
}
