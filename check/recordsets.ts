import { type DnsAnswer, valuesOf } from "../dns/client.ts";
import { recordContent } from "../plan/facts.ts";
import type { DnsRecord } from "../plan/types.ts";
import { valueText, zoneLine } from "../plan/zoneFile.ts";
import { liesIn } from "../settings/names.ts";
import type { CheckTarget } from "./types.ts";

/** What the plan wants under one name and type. */
export interface RecordSet {
  readonly zone: string;
  readonly name: string;
  readonly type: DnsRecord["type"];
  /** As `valuesOf` writes them. */
  readonly values: readonly string[];
  /** As lines of a zone file. */
  readonly lines: readonly string[];
}

/** The plan's records, put together as DNS keeps them, by zone. */
export function recordSets(target: CheckTarget): ReadonlyMap<string, readonly RecordSet[]> {
  const sets = new Map<string, RecordSet>();
  for (const record of target.records.filter(({ name }) => isWanted(name, target))) {
    const { zone, name, type } = record;
    const content = recordContent(record, target.facts);
    const key = `${type} ${name}`;
    const { values = [], lines = [] } = sets.get(key) ?? {};
    const line = zoneLine({ ...record, content });
    sets.set(key, {
      zone,
      name,
      type,
      values: [...values, valueText({ ...record, content })],
      lines: [...lines, line],
    });
  }
  return Map.groupBy(sets.values(), ({ zone }) => zone);
}

/** Names of one domain alone, and always the host's own. */
export function isWanted(name: string, { only, settings }: CheckTarget): boolean {
  return only === undefined || liesIn(name, only) || liesIn(name, settings.hostname);
}

/** What is wrong with an answer, in words; undefined when it is as planned. */
export function difference(set: RecordSet, answer: DnsAnswer): string | undefined {
  const label = `${set.type} ${set.name}`;
  if (answer.rcode !== "NOERROR" && answer.rcode !== "NXDOMAIN") {
    return `${label} is answered ${answer.rcode}`;
  }
  const found = valuesOf(answer.answers);
  if (found.length === 0) {
    return `${label} is missing`;
  }
  const absent = set.values.filter((value) => !found.includes(value));
  const foreign = found.filter((value) => !set.values.includes(value) && !mayStandBeside(set, value));
  if (absent.length > 0) {
    const instead = foreign.length > 0 ? foreign : found;
    return `${label} is ${shown(instead)}, not ${shown(absent)}`;
  }
  return foreign.length > 0 ? `${label} has ${shown(foreign)} beside ${shown(set.values)}` : undefined;
}

/** Other TXT records may live under a name, but a second SPF or DMARC record spoils both (RFC 7208 section 4.5). */
function mayStandBeside(set: RecordSet, value: string): boolean {
  const kind = (text: string) => /^v=\w+/i.exec(text)?.[0].toLowerCase();
  return (
    // Where a zone has Universal SSL, Cloudflare adds the authorities that it uses itself, and nobody can take these out.
    (set.type === "CAA" && /^0 issue(wild)? "[\w.-]+(; cansignhttpexchanges=yes)?"$/.test(value)) ||
    (set.type === "TXT" &&
      !set.values.some((wanted) => kind(wanted) !== undefined && kind(wanted) === kind(value)))
  );
}

function shown(values: readonly string[]): string {
  return values.map((value) => `"${value.length > 60 ? `${value.slice(0, 57)}…` : value}"`).join(" and ");
}
