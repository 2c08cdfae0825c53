import { Record as SetOfRecords } from "@pulumi/aws/route53/record.js";
import * as pulumi from "@pulumi/pulumi";
import { conflicts, type ExistingRecord } from "../../plan/conflicts.ts";
import { rdata } from "../../plan/zoneFile.ts";
import { engineCommand } from "../engine.ts";
import { type Keeper, type KeptRecord, setsOf } from "./keeper.ts";

/** A public hosted zone of Route 53's. */
export interface Route53Zone {
  readonly id: string;
  /** What was in it before the run, for the same reason as `CloudflareZone.records`. */
  readonly sets: readonly FoundSet[];
  /** What the state says of the stack's own sets, by their resources' names: who replaces one finds it there still. */
  readonly own: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

/** Those that the stack uses, by name. */
export type Route53Zones = ReadonlyMap<string, Route53Zone>;

/** A set of records as Route 53 shows it. */
export interface FoundSet {
  readonly name: string;
  readonly type: string;
  /** In zone-file form; none where it is an alias of Amazon's own. */
  readonly values: readonly string[];
}

/** A resource for each set of one name and type: Route 53 knows no smaller part. */
export function route53(zones: Route53Zones): Keeper {
  return ({ name, parent, records, after }) => {
    const sets = setsOf(records);
    return new Map(
      sets.flatMap(({ key, first, all }) => {
        const zone = zones.get(first.zone);
        if (zone === undefined) throw new pulumi.ResourceError(`No zone ${first.zone} for ${key}`, parent);
        const place = { zone, set: first, all: records };
        const refuseForeign = refusal(`${name}-${key}-refuse-foreign`, place);
        const made = new SetOfRecords(
          `${name}-${key}`,
          {
            zoneId: zone.id,
            name: first.name,
            type: first.type,
            ttl: first.ttl,
            records: all.map((record) => record.content.apply((content) => valueFor({ ...record, content }))),
            allowOverwrite: false,
          },
          {
            parent,
            dependsOn: [...after(first)],
            // Route 53 takes no second set of a name and type.
            deleteBeforeReplace: true,
            // A set that was imported by the line below has no parent in the state.
            aliases: [{ parent: pulumi.rootStackResource }],
            hooks: { beforeCreate: [refuseForeign], beforeUpdate: [refuseForeign] },
          },
        );
        const texts = made.records.apply((values) => (values ?? []).map((value) => `"${value}"`));
        return all.map((record) => [record.key, { resource: made, texts }] as const);
      }),
    );
  };
}

/** As the provider takes it: it puts the outer quotes of a text itself, and leaves those inside a long one. */
function valueFor(record: Omit<KeptRecord, "content"> & { readonly content: string }): string {
  const text = rdata(record);
  return record.type === "TXT" ? text.slice(1, -1) : text;
}

interface Place {
  readonly zone: Route53Zone;
  readonly set: KeptRecord;
  /** All that are published together. */
  readonly all: readonly KeptRecord[];
}

/** Runs before a set is made or changed, in previews too. */
function refusal(hookName: string, { zone, set, all }: Place): pulumi.ResourceHook {
  const { name, type } = set;
  return new pulumi.ResourceHook(
    hookName,
    (args) => {
      const isMade = Boolean(args.id);
      const former = isMade ? args.oldInputs : zone.own.get(args.name);
      const wanted = valuesIn(args.newInputs, type);
      const before = former && valuesIn(former, type);
      const standing = inTheWay(set, all, zone.sets, wanted, before);
      if (standing.length === 0) return;
      const isSet = standing.some((other) => other.type === type);
      throw new Error(
        [
          `The zone already has a record where ${name} ${type} is to be; nothing was overwritten.`,
          ...standing.map((other) => `  ${other.name} ${other.type} ${other.content}`),
          ...(isSet
            ? ["Route 53 keeps all values of one name and type as one set, and changes it as a whole."]
            : []),
          ...(isSet && !isMade
            ? [
                `    take it over, and with it all its values:  ${engineCommand(`import aws:route53/record:Record ${args.name} ${zone.id}_${name}_${type} --generate-code=false`)}`,
              ]
            : []),
          "    delete it in Route 53's console, if nobody needs it, and run again;",
          "    or keep the zone by hand, where both can stand: mailhost:dns.zones (docs/dns.md).",
        ].join("\n"),
      );
    },
    { onDryRun: true },
  );
}

/**
 * What is not the stack's and would be lost, or contradict it. A set of the same name and type would be replaced as a whole,
 * with all that somebody else has in it: a new one is refused whatever it says.
 *
 * @param all what the stack publishes
 * @param listed the zone's sets
 * @param wanted values of the set, in zone-file form; none where they are unknown
 * @param before the same of the stack's set so far; undefined where it has none
 */
export function inTheWay(
  { name, type, zone }: Pick<KeptRecord, "name" | "type" | "zone">,
  all: readonly Pick<KeptRecord, "name" | "type">[],
  listed: readonly FoundSet[],
  wanted: readonly string[],
  before: readonly string[] | undefined,
): readonly Pick<ExistingRecord, "name" | "type" | "content">[] {
  const existing = (other: FoundSet, content: string): ExistingRecord => ({
    id: "",
    name: other.name,
    type: other.type,
    content,
    comment: "",
  });
  const here = listed.filter((other) => other.name === name);
  const record = { name, type, zone };
  /** A refresh takes such a text for one of ours, which somebody has changed. */
  const isBystander = (entry: ExistingRecord) =>
    type === "TXT" &&
    wanted.length > 0 &&
    wanted.every((text) => conflicts(record, text, [entry], undefined).length === 0);
  const inSet = here
    .filter((other) => other.type === type)
    .flatMap((other) =>
      (other.values.length > 0 ? other.values : [alias]).map((content) => existing(other, content)),
    )
    .filter(
      (entry) =>
        before === undefined || ![...before, ...wanted].includes(entry.content) || isBystander(entry),
    );
  const beside = here
    .filter((other) => other.type !== type)
    // Another of ours, of the other kind of address.
    .filter((other) => !all.some((each) => each.name === name && each.type === other.type))
    .map((other) => existing(other, other.values.join(" ") || alias));
  return [...inSet, ...conflicts(record, "", beside, undefined)];
}

/** Stands for a set that leads to something of Amazon's, and has no values. */
const alias = "(an alias of Amazon's)";

/** The values that a program has asked for, in zone-file form, as far as they are known. */
function valuesIn(inputs: Readonly<Record<string, unknown>> | undefined, type: string): readonly string[] {
  const records = Array.isArray(inputs?.records) ? inputs.records : [];
  return records
    .filter((each) => typeof each === "string")
    .map((each) => (type === "TXT" ? `"${each}"` : each));
}
