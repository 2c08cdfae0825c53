import { type DnsAnswer, valuesOf } from "../dns/client.ts";
import { recordContent } from "../plan/facts.ts";
import { isSpf, joinSpf, type SpfPart, spfTrouble } from "../plan/spf.ts";
import { quoteTxt } from "../plan/txt.ts";
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
  /** SPF alone: how it may stand together with somebody else's. */
  readonly joins?: SpfPart;
}

/** The plan's records, put together as DNS keeps them, by zone. */
export function recordSets(target: CheckTarget): ReadonlyMap<string, readonly RecordSet[]> {
  const sets = new Map<string, RecordSet>();
  for (const record of target.records.filter(({ name }) => isWanted(name, target))) {
    const { zone, name, type, joins } = record;
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
      ...(joins && { joins }),
    });
  }
  return Map.groupBy(sets.values(), ({ zone }) => zone);
}

/** How findings call a set: `MX.example.org`. */
export function partOf({ name, type }: Pick<RecordSet, "name" | "type">): string {
  return `${type}.${name}`;
}

/** Names of one domain alone, and always the host's own. */
export function isWanted(name: string, { only, settings }: CheckTarget): boolean {
  return only === undefined || liesIn(name, only) || liesIn(name, settings.hostname);
}

/** The set as it is to be beside what an answer shows: an SPF record of somebody else's stays, with the plan's in it. */
export function asShared(set: RecordSet, { answers }: DnsAnswer): RecordSet {
  const [standing, ...more] = valuesOf(answers).filter(isSpf);
  if (set.joins === undefined || standing === undefined || more.length > 0) return set;
  // One that lets everybody send, or is no SPF, is nobody's wish.
  if (spfTrouble(standing, set.joins) !== undefined) return set;
  const { text } = joinSpf(standing, set.joins);
  return {
    ...set,
    values: [text],
    lines: set.lines.map((line) => line.replace(/"v=spf1.*$/, quoteTxt(text))),
  };
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
    if (instead.some((value) => revoked.test(value))) return `${label} says that the key is revoked (p=)`;
    const from = firstDifference(instead[0] ?? "", absent[0] ?? "");
    return `${label} is ${shown(instead, from)}, not ${shown(absent, from)}`;
  }
  return foreign.length > 0 ? `${label} has ${shown(foreign)} beside ${shown(set.values)}` : undefined;
}

/** A DKIM record without its key: mail that it signed is not to be believed (RFC 6376 section 3.6.1). */
const revoked = /^v=DKIM1;.*\bp=(;|$)/i;

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

/** Letters of a value that a line has room for. */
const room = 60;

/** Where two values begin to differ, as far as that is behind what a line shows of their beginnings. */
function firstDifference(one: string, other: string): number {
  const at = [...one].findIndex((letter, index) => letter !== other[index]);
  return at < room - 10 ? 0 : at - 10;
}

/** @param from the letter that each value is shown from: the same beginning of both would say nothing */
function shown(values: readonly string[], from = 0): string {
  return values
    .map((value) => {
      const rest = value.slice(from);
      return `"${from > 0 ? "…" : ""}${rest.length > room ? `${rest.slice(0, room - 3)}…` : rest}"`;
    })
    .join(" and ");
}
