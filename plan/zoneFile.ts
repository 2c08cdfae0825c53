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

/**
 * Records as the host's program of its own zones takes them (files/usr/local/lib/mailhost/zones), each zone's as a part of its file.
 * @param zones all that there are: where a zone has no record, that has to be said
 */
export function zonesDocument(
  zones: readonly string[],
  records: readonly (ZoneRecord & Pick<DnsRecord, "zone" | "why">)[],
): string {
  const parts = zones.map((zone) => {
    const text = zoneFile(
      zone,
      records.filter((record) => record.zone === zone),
    );
    return `=== ${zone}\n${text}`;
  });
  return `${parts.join("")}=== end\n`;
}

/** The TXT records of such a document, by their names, each in zone-file form. */
export function textsOf(document: string): readonly (readonly [name: string, text: string])[] {
  let zone = "";
  return document.split("\n").flatMap((line) => {
    zone = /^=== (\S+)$/.exec(line)?.[1] ?? zone;
    const [, name, text] = /^(\S+) \d+ IN TXT (".*")$/.exec(line) ?? [];
    return name === undefined || text === undefined ? [] : [[name === "@" ? zone : `${name}.${zone}`, text]];
  });
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
