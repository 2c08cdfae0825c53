import { zoneLine } from "../plan/zoneFile.ts";
import { difference, output } from "./story/chapter.ts";
import { type Change, type Preview, UNKNOWN } from "./types.ts";

/** A DNS record as the stack's output `dnsRecords` has it, whoever keeps its zone. */
export interface RecordOutput {
  readonly name: string;
  readonly type: "A" | "AAAA" | "CAA" | "MX" | "SRV" | "TLSA" | "TXT";
  readonly ttl: number;
  readonly priority?: number;
  readonly content: string;
}

/** One record, before and after; where one side is missing, it comes or goes. */
export interface RecordChange {
  readonly key: string;
  readonly before: RecordOutput | undefined;
  readonly after: RecordOutput | undefined;
}

type Records = Readonly<Record<string, RecordOutput>>;

/** Records that the program wants otherwise than the last `up` has left them, by name. */
export function recordChanges(preview: Preview): readonly RecordChange[] {
  const [before, after] = output<Records>(preview, "dnsRecords", {});
  const { added, removed, changed } = difference(before, after);
  return [...added, ...removed, ...changed.map(({ key }) => key)]
    .map((key) => ({ key, before: before[key], after: after[key] }))
    .filter(
      ({ before: old, after: now }) => old === undefined || now === undefined || lineOf(old) !== lineOf(now),
    )
    .toSorted((one, other) => sortKey(one).localeCompare(sortKey(other)));
}

function sortKey({ before, after }: RecordChange): string {
  const { name = "", type = "" } = after ?? before ?? {};
  return `${name.split(".").toReversed().join(".")} ${type}`;
}

/** The record as a zone file has it. */
export function lineOf(record: RecordOutput): string {
  if (record.content !== UNKNOWN) return zoneLine(record);
  return `${record.name}. ${record.ttl} IN ${record.type} (known when it is made)`;
}

/** Whether a resource publishes records: its news are told as records. */
export function isRecord({ type, name }: Pick<Change, "type" | "name">): boolean {
  return (
    type === "cloudflare:index/dnsRecord:DnsRecord" ||
    type === "aws:route53/record:Record" ||
    (type === "command:local:Command" && /^(dns|inbound|caa|policies)-/.test(name))
  );
}
