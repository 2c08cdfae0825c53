import type { DnsRecord } from "./types.ts";

/** The name of a record among the records: `mx:example.org`. */
export function recordKey({ type, name, label }: Pick<DnsRecord, "type" | "name" | "label">): string {
  return [type.toLowerCase(), name, ...(label === undefined ? [] : [label])].join(":");
}
