import * as pulumi from "@pulumi/pulumi";
import { recordKey } from "../plan/recordKey.ts";
import { quoteTxt } from "../plan/txt.ts";
import type { DnsRecord } from "../plan/types.ts";
import { zoneLine } from "../plan/zoneFile.ts";
import type { KeptRecord, Publication, Published } from "./dns/keeper.ts";
import { type SharedSpf, shareSpf } from "./dns/sharedSpf.ts";
import type { Keepers } from "./dns/zones.ts";
import type { FactOutputs } from "./facts.ts";

export interface DnsArgs {
  readonly keepers: Keepers;
  readonly records: readonly DnsRecord[];
  readonly facts: FactOutputs;
  /** Those among the SPF records that stand together with somebody else's, by their names. @default none */
  readonly spf?: ReadonlyMap<string, SharedSpf>;
  /** What the records' comments begin with, so that the stack knows them as its own. */
  readonly mark: pulumi.Input<string>;
  /** What has to be in place before a record is published. @default nothing */
  readonly after?: Publication["after"];
}

/** What a zone shows of a record, and why it is there. */
export interface RecordOutput extends Omit<KeptRecord, "key" | "label" | "isPlain" | "joins"> {}

/** DNS records of all domains, each at who keeps its zone. */
export class Dns extends pulumi.ComponentResource {
  /** By the name that each has among the records, `mx:example.org`: a new one moves no other in a preview. */
  readonly records: Readonly<Record<string, RecordOutput>>;
  readonly #published: ReadonlyMap<string, Published>;

  constructor(name: string, args: DnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:Dns", name, {}, opts);
    const { keepers, mark, spf = new Map<never, never>(), after = () => [] } = args;
    const sharedAs = ({ joins, name }: Pick<DnsRecord, "joins" | "name">) => joins && spf.get(name);
    const kept = args.records.map((record): KeptRecord => {
      const { label, ...rest } = record;
      const shared = sharedAs(record);
      const content = shared ? pulumi.output(shared.record) : contentOf(record, args.facts);
      const isPlain = shared !== undefined || typeof record.content === "string";
      return { ...rest, key: recordKey(record), content, isPlain };
    });
    for (const record of kept) {
      const shared = sharedAs(record);
      if (shared !== undefined) shareSpf(name, shared, { parent: this, dependsOn: [...after(record)] });
    }
    const whole = kept.filter(({ joins, name }) => !joins || !spf.has(name));
    const parts = Map.groupBy(whole, ({ zone }) => keepers.of(zone));
    for (const keeper of keepers.always) if (!parts.has(keeper)) parts.set(keeper, []);
    this.#published = new Map(
      [...parts].flatMap(([publish, records]) => [...publish({ name, parent: this, records, mark, after })]),
    );
    this.records = Object.fromEntries(
      kept.map(({ key, isPlain: _isPlain, joins: _joins, ...record }) => [key, record]),
    );
    this.registerOutputs({});
  }

  /** What makes a record, for what has to wait until it is published; nothing where somebody puts it in by hand. */
  record(type: DnsRecord["type"], name: string): readonly pulumi.Resource[] {
    this.#output(type, name);
    const made = this.#published.get(recordKey({ type, name }));
    return made === undefined ? [] : [made.resource];
  }

  /** The zone-file line of a record that somebody has to put in by hand; undefined where the program does it. */
  lineToPutIn(type: DnsRecord["type"], name: string): pulumi.Output<string> | undefined {
    const { content, ...record } = this.#output(type, name);
    if (this.record(type, name).length > 0) return undefined;
    return content.apply((text) => zoneLine({ ...record, content: text }));
  }

  /**
   * Whether the zone has a TXT record with this text, once that is known; `undefined` where it is none of these, or somebody puts
   * it in by hand. An `up` of other things (`--target`) leaves a record as it was.
   */
  isPublished(name: string, text: string): pulumi.Output<boolean> | undefined {
    return this.#published
      .get(recordKey({ type: "TXT", name }))
      ?.texts.apply((texts) => texts.includes(quoteTxt(text)));
  }

  #output(type: DnsRecord["type"], name: string): RecordOutput {
    const found = this.records[recordKey({ type, name })];
    if (found === undefined) throw new pulumi.ResourceError(`The plan has no record ${type} ${name}`, this);
    return found;
  }
}

/** What needs no fact is known, and shown, in the very first preview. */
function contentOf(record: DnsRecord, facts: FactOutputs): pulumi.Output<string> {
  const { content } = record;
  return typeof content === "string" ? pulumi.output(content) : facts(content.fact).apply(content.text);
}
