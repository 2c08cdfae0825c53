/** One small interface to whoever keeps a zone's records: Cloudflare, somebody's own hands… */
import type * as pulumi from "@pulumi/pulumi";
import { recordKey } from "../../plan/recordKey.ts";
import type { DnsRecord } from "../../plan/types.ts";

/** One of the plan's records, with its value. */
export interface KeptRecord extends Omit<DnsRecord, "content"> {
  /** Its name among the records: `mx:example.org`. */
  readonly key: string;
  /** Unquoted, as in the plan. */
  readonly content: pulumi.Output<string>;
  /** Whether the value needs no fact, and so is known in every preview. */
  readonly isPlain: boolean;
}

export interface Publication {
  /** What the resources' names begin with. */
  readonly name: string;
  readonly parent: pulumi.Resource;
  /** Of this keeper's zones alone. All records of one name and type are published together. */
  readonly records: readonly KeptRecord[];
  /** What the records' comments begin with where they have some, so that the stack knows them as its own. */
  readonly mark: pulumi.Input<string>;
  /** What has to be in place before a record is published. */
  readonly after: (record: Pick<KeptRecord, "name">) => readonly pulumi.Resource[];
}

/**
 * Publishes records, and refuses where something foreign stands that would contradict one, in previews too: it is named,
 * with the ways on, and stays as it is. What is foreign and contradicts nothing stays as well, through every change and when
 * the stack goes; but at Route 53 a set is one owner's, and goes as a whole. By hand nothing is touched, and nothing refused.
 *
 * @returns the resource of each record by its key, for what has to wait until it is published; none where somebody else
 * publishes it
 */
export type Keeper = (publication: Publication) => ReadonlyMap<string, Published>;

/** What was made of a record. */
export interface Published {
  readonly resource: pulumi.Resource;
  /** Where it is a TXT record, what the zone has then, in zone-file form: an `up` of other things leaves it as it was. */
  readonly texts: pulumi.Output<readonly string[]>;
}

/** Records of one name and type, as nameservers keep them. */
export interface RecordSet {
  /** The first one's among the records. */
  readonly key: string;
  readonly first: KeptRecord;
  readonly all: readonly KeptRecord[];
}

export function setsOf(records: readonly KeptRecord[]): readonly RecordSet[] {
  const sets = Map.groupBy(records, ({ type, name }) => recordKey({ type, name }));
  return [...sets].flatMap(([key, all]) => all.slice(0, 1).map((first) => ({ key, first, all })));
}
