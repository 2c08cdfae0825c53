import { plainTxt } from "../plan/txt.ts";
import { listAt, type Seen, textAt, valueAt } from "./rule.ts";

/** A DNS record that the stack publishes, whoever keeps its zone. */
export interface SeenRecord {
  /** The resource that publishes it; undefined where the stack's output `dnsRecords` alone tells of it. */
  readonly urn?: string;
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly priority?: number;
  /** Unquoted, as in the plan; undefined where nobody knows it before an `up`. */
  readonly content?: string;
}

export const stackType = "pulumi:pulumi:Stack";

/** All records. Those of zones that have no resource for each (kept by hand, by dynamic updates) are told by the output. */
export function recordsOf(resources: readonly Seen[]): readonly SeenRecord[] {
  const made = resources.flatMap(madeOf);
  const key = ({ name, type }: SeenRecord) => `${type} ${name}`;
  const known = new Set(made.map(key));
  const told = resources.filter(({ type }) => type === stackType).flatMap(toldBy);
  return [...made, ...told.filter((record) => !known.has(key(record)))];
}

function madeOf({ urn, type, properties }: Seen): readonly SeenRecord[] {
  switch (type) {
    case "cloudflare:index/dnsRecord:DnsRecord":
      return [{ urn, ...recordAt(properties) }];
    case "aws:route53/record:Record":
      return listAt(properties, "records").map((value) => ({
        urn,
        ...recordAt({ ...placeOf(properties), ...(typeof value === "string" && ofSet(value, properties)) }),
      }));
    default:
      return [];
  }
}

function toldBy({ properties }: Seen): readonly SeenRecord[] {
  const records = valueAt(properties, "dnsRecords");
  if (typeof records !== "object" || records === null) return [];
  return Object.keys(records).map((key) => recordAt(valueAt(records, key)));
}

function placeOf(properties: Seen["properties"]) {
  return Object.fromEntries(["name", "type", "ttl"].map((key) => [key, valueAt(properties, key)]));
}

/** A value as Route 53 has it: an MX with its priority, a text without its outer quotes. */
function ofSet(value: string, properties: Seen["properties"]): Readonly<Record<string, unknown>> {
  const type = textAt(properties, "type");
  if (type === "TXT") return { content: `"${value}"` };
  const [, priority, content] = type === "MX" ? (/^(\d+) (.*)$/.exec(value) ?? []) : [];
  return content === undefined ? { content: value } : { content, priority: Number(priority) };
}

function recordAt(properties: unknown): SeenRecord {
  const content = textAt(properties, "content");
  const type = textAt(properties, "type") ?? "";
  const ttl = valueAt(properties, "ttl");
  const priority = valueAt(properties, "priority");
  return {
    name: nameText(textAt(properties, "name") ?? ""),
    type,
    ...(typeof ttl === "number" && { ttl }),
    ...(typeof priority === "number" && { priority }),
    ...(content !== undefined && { content: type === "TXT" ? plainTxt(content) : content }),
  };
}

function nameText(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** Where mail for each name goes first, by name: the MX of the lowest priority. One that takes no mail (RFC 7505) has none. */
export function firstMx(records: readonly SeenRecord[]): ReadonlyMap<string, string> {
  const sets = Map.groupBy(
    records.filter(({ type, content }) => type === "MX" && content !== "."),
    ({ name }) => name,
  );
  return new Map(
    [...sets].flatMap(([name, set]) => {
      const [first] = set.toSorted((one, other) => (one.priority ?? 0) - (other.priority ?? 0));
      return first?.content === undefined ? [] : [[name, nameText(first.content)]];
    }),
  );
}

/** The name that the elastic IP leads back to, where that is known. */
export function reverseName(resources: readonly Seen[]): string | undefined {
  const ptr = resources.find(({ type }) => type === "aws:ec2/eipDomainName:EipDomainName");
  const name = textAt(ptr?.properties, "domainName");
  return name === undefined ? undefined : nameText(name);
}

/** A resource that stands for a record, as something of a violation's. */
export function at({ urn }: SeenRecord): { readonly urn?: string } {
  return urn === undefined ? {} : { urn };
}
