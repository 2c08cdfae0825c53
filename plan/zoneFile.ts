import { quoteTxt } from "./txt.ts";
import type { DnsRecord } from "./types.ts";

/** A record whose content is a text. */
export interface ZoneRecord extends Pick<DnsRecord, "name" | "type" | "ttl" | "priority"> {
  readonly content: string;
}

/** A record's data as a zone file has it: TXT in quotes, names with their last dot (RFC 1035 section 5.1). */
export function rdata({ type, priority = 0, content }: Omit<ZoneRecord, "name" | "ttl">): string {
  if (type === "TXT") return quoteTxt(content);
  if (type !== "MX" && type !== "SRV") return content;
  return `${priority} ${content.replace(/(?<=[^\s.])$/, ".")}`;
}

/** What a look at the DNS shows of it (`valuesOf`, dns/client.ts): TXT as one text, names without their last dot. */
export function valueText({ type, priority = 0, content }: Omit<ZoneRecord, "name" | "ttl">): string {
  if (type !== "MX" && type !== "SRV") return content;
  return `${priority} ${content.replace(/(?<=\S)\.$/, "")}`;
}

/** A record as a line that says everything by itself, wherever it stands. */
export function zoneLine(record: ZoneRecord): string {
  return `${record.name}. ${record.ttl} IN ${record.type} ${rdata(record)}`;
}

/**
 * Records of one zone as a part of its zone file (RFC 1035 section 5), each after its reason. Names are relative to the
 * zone's, as the forms of DNS providers want them; `@` is the zone's own.
 */
export function zoneFile(zone: string, records: readonly (ZoneRecord & Pick<DnsRecord, "why">)[]): string {
  const relative = (name: string) => (name === zone ? "@" : name.slice(0, -`.${zone}`.length));
  return [
    `$ORIGIN ${zone}.`,
    ...records.flatMap((record) => [
      `; ${record.why}`,
      `${relative(record.name)} ${record.ttl} IN ${record.type} ${rdata(record)}`,
    ]),
    "",
  ].join("\n");
}
