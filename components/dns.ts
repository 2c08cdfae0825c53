import { DnsRecord as CloudflareRecord } from "@pulumi/cloudflare/dnsRecord.js";
import { getDnsRecords } from "@pulumi/cloudflare/getDnsRecords.js";
import * as pulumi from "@pulumi/pulumi";
import { conflicts, markIn } from "../plan/conflicts.ts";
import { quoteTxt } from "../plan/txt.ts";
import type { DnsRecord } from "../plan/types.ts";
import type { DnsZones } from "./dnsZones.ts";
import { engineCommand } from "./engine.ts";
import type { FactOutputs } from "./facts.ts";

export interface DnsArgs {
  readonly zones: DnsZones;
  readonly records: readonly DnsRecord[];
  readonly facts: FactOutputs;
  /** What the records' comments begin with, so that the stack knows them as its own. */
  readonly mark: pulumi.Input<string>;
  /** What has to be in place before any of them is published. @default nothing */
  readonly after?: readonly pulumi.Resource[];
}

/** What a zone shows of a record, and why it is there. */
export interface RecordOutput {
  readonly zone: string;
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly priority?: number;
  readonly content: pulumi.Output<string>;
  readonly why: string;
}

/** DNS records of all domains, in Cloudflare. */
export class Dns extends pulumi.ComponentResource {
  /** By the name that each has among the records, `mx:example.org`: a new one moves no other in a preview. */
  readonly records: Readonly<Record<string, RecordOutput>>;
  readonly #resources: ReadonlyMap<string, CloudflareRecord>;

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:Dns", name, {}, opts);
    const refuseForeign = refusal(`${name}-refuse-foreign`, args.zones, this);
    this.#resources = new Map(
      args.records.map((record) => {
        const key = recordKey(record);
        const zoneId = args.zones.get(record.zone)?.id;
        if (zoneId === undefined) throw new pulumi.ResourceError(`No zone ${record.zone} for ${key}`, this);
        return [key, this.#createRecord(`${name}-${key}`, record, zoneId, args, refuseForeign)];
      }),
    );
    this.records = Object.fromEntries(
      args.records.map((record) => [
        recordKey(record),
        {
          zone: record.zone,
          name: record.name,
          type: record.type,
          ttl: record.ttl,
          ...(record.priority !== undefined && { priority: record.priority }),
          content: contentOf(record, args.facts),
          why: record.why,
        },
      ]),
    );
    this.registerOutputs({});
  }

  /** The resource of one record, for what has to wait until it is published. */
  record(type: DnsRecord["type"], name: string): CloudflareRecord {
    const found = this.#resources.get(recordKey({ type, name }));
    if (found === undefined) throw new pulumi.ResourceError(`The plan has no record ${type} ${name}`, this);
    return found;
  }

  /**
   * Whether the zone has a TXT record with this text, once that is known; `undefined` where it is none of these. An `up` of other
   * things (`--target`) leaves a record as it was.
   */
  isPublished(name: string, text: string): pulumi.Output<boolean> | undefined {
    return this.#resources
      .get(recordKey({ type: "TXT", name }))
      ?.content.apply((content) => content === quoteTxt(text));
  }

  #createRecord(
    name: string,
    record: DnsRecord,
    zoneId: string,
    { facts, mark, after = [] }: DnsArgs,
    refuseForeign: pulumi.ResourceHook,
  ): CloudflareRecord {
    const content = contentOf(record, facts);
    return new CloudflareRecord(
      name,
      {
        zoneId,
        name: record.name,
        type: record.type,
        ttl: record.ttl,
        // Cloudflare's proxy carries web traffic only; behind it, mail would never arrive.
        proxied: false,
        ...(record.priority !== undefined && { priority: record.priority }),
        ...valueParts(record, content),
        comment: pulumi.interpolate`${mark}${record.why}`,
      },
      {
        parent: this,
        dependsOn: [...after],
        // Cloudflare takes no two records of one name where one is about to replace the other in kind.
        deleteBeforeReplace: true,
        // A record that was imported by the line below has no parent in the state.
        aliases: [{ parent: pulumi.rootStackResource }],
        hooks: { beforeCreate: [refuseForeign], beforeUpdate: [refuseForeign] },
      },
    );
  }
}

/** The value as Cloudflare takes it: TXT quoted, SRV, TLSA and CAA in their parts, all else as it is. */
function valueParts({ type, priority = 0 }: DnsRecord, content: pulumi.Output<string>) {
  if (type === "TXT") return { content: content.apply(quoteTxt) };
  if (type === "CAA") {
    const caa = content.apply((text) => /^(\d+) (\w+) "(.*)"$/.exec(text) ?? []);
    return {
      data: {
        flags: caa.apply(([, flags]) => Number(flags)),
        tag: caa.apply(([, , tag = ""]) => tag),
        value: caa.apply(([, , , value = ""]) => value),
      },
    };
  }
  if (type !== "SRV" && type !== "TLSA") return { content };
  const parts = content.apply((text) => text.split(" "));
  if (type === "TLSA") {
    return {
      data: {
        usage: parts.apply(([usage]) => Number(usage)),
        selector: parts.apply(([, selector]) => Number(selector)),
        matchingType: parts.apply(([, , matchingType]) => Number(matchingType)),
        certificate: parts.apply(([, , , digest]) => digest ?? ""),
      },
    };
  }
  return {
    data: {
      priority,
      weight: parts.apply(([weight]) => Number(weight)),
      port: parts.apply(([, port]) => Number(port)),
      target: parts.apply(([, , target]) => target ?? ""),
    },
  };
}

/** The name of a record among the records: `mx:example.org`. */
function recordKey({ type, name, label }: Pick<DnsRecord, "type" | "name" | "label">): string {
  return [type.toLowerCase(), name, ...(label === undefined ? [] : [label])].join(":");
}

/** What needs no fact is known, and shown, in the very first preview. */
function contentOf(record: DnsRecord, facts: FactOutputs): pulumi.Output<string> {
  const { content } = record;
  return typeof content === "string" ? pulumi.output(content) : facts(content.fact).apply(content.text);
}

/**
 * The records of a zone, listed once in a run: Cloudflare takes 1200 calls in five minutes, and then none for as long
 * (https://developers.cloudflare.com/fundamentals/api/reference/limits/). What this run itself makes is not among them.
 */
function listing(parent: pulumi.Resource): (zoneId: string) => ReturnType<typeof getDnsRecords> {
  const known = new Map<string, ReturnType<typeof getDnsRecords>>();
  return (zoneId) => {
    const listed = known.get(zoneId) ?? getDnsRecords({ zoneId, maxItems: 1_000_000 }, { parent });
    known.set(zoneId, listed);
    return listed;
  };
}

/**
 * Runs before a record is made or changed, in previews too: what stands beside it, contradicts it and is not ours is
 * named, with the line that takes it over. On a change the record itself is left out, so that one that was imported
 * is adopted, and its former companions still are not overlooked.
 */
function refusal(hookName: string, zones: DnsZones, parent: pulumi.Resource): pulumi.ResourceHook {
  const recordsOf = listing(parent);
  return new pulumi.ResourceHook(
    hookName,
    async (args) => {
      const { zoneId, name, type, content, comment } = args.newInputs as Record<
        "zoneId" | "name" | "type" | "comment",
        string
      > & { readonly content?: string };
      const { results } = await recordsOf(zoneId);
      const [zone = ""] = [...zones].find(([, { id }]) => id === zoneId) ?? [];
      const record = { name, type: type as DnsRecord["type"], zone };
      const others = results
        .filter(({ id }) => id !== args.id)
        .map((result) => ({ ...result, content: result.content ?? "", comment: result.comment ?? "" }));
      const [first, ...rest] = conflicts(
        record,
        content ?? "",
        others,
        // Unknown in the preview before the first `up`.
        typeof comment === "string" ? markIn(comment) : undefined,
      );
      if (first === undefined) return;
      // The engine imports a record as what it is: one of another type cannot become ours.
      const canBeOurs = !args.id && first.type === type;
      const show = (other: { name: string; type: string; content: string }) =>
        `  ${other.name} ${other.type} ${other.content}`;
      throw new Error(
        [
          `The zone already has a record where ${name} ${type} is to be; nothing was overwritten.`,
          show(first),
          ...(canBeOurs
            ? [
                `    take it over:  ${engineCommand(`import cloudflare:index/dnsRecord:DnsRecord ${args.name} ${zoneId}/${first.id} --generate-code=false`)}`,
                "    or delete it in Cloudflare's dashboard, if nobody needs it, and run again.",
              ]
            : [
                "    delete it in Cloudflare's dashboard, or give it another name, and run again: only one of them can be right.",
              ]),
          ...(rest.length > 0 ? ["Delete these, too, before you run again:", ...rest.map(show)] : []),
        ].join("\n"),
      );
    },
    { onDryRun: true },
  );
}
