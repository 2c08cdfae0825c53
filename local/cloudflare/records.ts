import ipaddr from "ipaddr.js";
import type { PublishedRecord } from "../types.ts";
import { CloudflareError } from "./errors.ts";

/** A DNS record as the account holds it; field names are the API's. */
export interface ZoneRecord {
  readonly id: string;
  readonly zone: string;
  /** Fully qualified, lower case, no trailing dot. */
  readonly name: string;
  readonly type: RecordType;
  readonly content: string;
  readonly data?: Readonly<Record<string, string | number>>;
  readonly priority?: number;
  /** Seconds; 1 is automatic. */
  readonly ttl: number;
  readonly proxied: boolean;
  readonly comment: string | null;
  readonly createdOn: string;
  readonly modifiedOn: string;
  readonly commentModifiedOn?: string;
  /** It belongs to a Worker's custom domain, and goes with it. */
  readonly ofWorker?: true;
}

export const recordTypes = ["A", "AAAA", "CNAME", "MX", "TXT", "NS", "CAA", "SRV", "TLSA"] as const;
export type RecordType = (typeof recordTypes)[number];

/** Types that the real service takes and this one does not simulate. */
const otherTypes = [
  "CERT",
  "DNSKEY",
  "DS",
  "HTTPS",
  "LOC",
  "NAPTR",
  "OPENPGPKEY",
  "PTR",
  "SMIMEA",
  "SSHFP",
  "SVCB",
  "URI",
];

const fields = new Set([
  "id",
  "name",
  "type",
  "content",
  "data",
  "priority",
  "ttl",
  "proxied",
  "comment",
  "tags",
  "settings",
  "private_routing",
]);

/** Seconds that `1` (automatic) means (https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/). */
const automaticTtl = 300;

/** The type under which nameservers answer a record. For a proxied name they answer an address of Cloudflare's network. */
export function servedType(record: ZoneRecord): RecordType {
  return record.proxied || isFlattened(record) ? "A" : record.type;
}

/**
 * A CNAME at the zone's own name is answered with its target's addresses, and other records may stand beside it
 * (https://developers.cloudflare.com/dns/cname-flattening/).
 */
function isFlattened({ type, name, zone }: Pick<ZoneRecord, "type" | "name" | "zone">): boolean {
  return type === "CNAME" && name === zone;
}

/** A body of POST or PUT, checked and normalised as the API does. `before` is what PUT or PATCH replaces. */
export function checkRecord(
  body: Readonly<Record<string, unknown>>,
  zone: string,
  before: ZoneRecord | undefined,
  now: string,
): Omit<ZoneRecord, "id"> {
  for (const field of Object.keys(body)) {
    if (!fields.has(field))
      throw new CloudflareError(9207, `Request body is invalid: unknown field "${field}".`);
  }
  const type = checkType(body.type);
  const name = checkName(body.name, zone);
  const proxied = checkProxied(body.proxied, type);
  const ttl = proxied ? 1 : checkTtl(body.ttl);
  const comment = checkComment(body.comment);
  checkTags(body.tags);
  const value = checkValue(type, body, name);
  return {
    zone,
    name,
    type,
    ttl,
    proxied,
    comment,
    ...value,
    createdOn: before?.createdOn ?? now,
    modifiedOn: now,
    ...commentTime(comment, before, now),
  };
}

function commentTime(
  comment: string | null,
  before: ZoneRecord | undefined,
  now: string,
): Pick<ZoneRecord, "commentModifiedOn"> {
  if (comment === null) return {};
  const same = before?.comment === comment ? before.commentModifiedOn : undefined;
  return { commentModifiedOn: same ?? now };
}

/** Refuses what cannot stand beside the records that the zone has already. */
export function checkConflicts(record: Omit<ZoneRecord, "id">, others: readonly ZoneRecord[]): void {
  const same = others.filter((other) => other.zone === record.zone && other.name === record.name);
  if (same.some((other) => isIdentical(other, record))) {
    throw new CloudflareError(81058, "An identical record already exists.");
  }
  const addresses = ["A", "AAAA", "CNAME"];
  if (record.type === "CNAME" && same.some((other) => addresses.includes(other.type))) {
    throw new CloudflareError(81053, "An A, AAAA, or CNAME record with that host already exists.");
  }
  if (isFlattened(record)) return;
  if (record.type === "CNAME" && same.length > 0) {
    throw new CloudflareError(81057, "The record already exists.");
  }
  const isAddress = addresses.includes(record.type);
  if (same.some((other) => other.type === "CNAME" && (isAddress || !isFlattened(other)))) {
    throw new CloudflareError(81054, "A CNAME record with that host already exists.");
  }
  const text = [...same, record].filter((other) => other.type === "TXT");
  if (record.type === "TXT" && text.reduce((sum, other) => sum + textOf(other.content).length, 0) > 8192) {
    throw new CloudflareError(
      83011,
      "Combined content length of records with this name and type exceeds the maximum of 8192 characters.",
    );
  }
}

/** TTL, comment and the quoting of a text make no record another one. */
function isIdentical(one: Omit<ZoneRecord, "id">, other: Omit<ZoneRecord, "id">): boolean {
  return (
    one.type === other.type &&
    one.priority === other.priority &&
    (one.type === "TXT" ? textOf(one.content) === textOf(other.content) : one.content === other.content)
  );
}

function checkType(given: unknown): RecordType {
  const type = typeof given === "string" ? given.toUpperCase() : given;
  const known = recordTypes.find((each) => each === type);
  if (known !== undefined) return known;
  if (otherTypes.some((each) => each === type)) {
    throw new CloudflareError(9020, `The local cloud does not simulate ${String(type)} records.`);
  }
  throw new CloudflareError(9020, "Invalid DNS record type.");
}

/** The name within its zone: `@`, a name below it, or the whole; what is outside the zone lands below it. */
function checkName(given: unknown, zone: string): string {
  if (typeof given !== "string" || given === "") throw new CloudflareError(9000, "DNS name is invalid.");
  const name = given.toLowerCase().replace(/\.$/, "");
  const full = name === "@" ? zone : name === zone || name.endsWith(`.${zone}`) ? name : `${name}.${zone}`;
  if (!isName(full)) throw new CloudflareError(9000, "DNS name is invalid.");
  return full;
}

/** Labels of letters, digits, hyphens and underscores; a wildcard stands first or nowhere. */
function isName(name: string): boolean {
  const labels = name.split(".");
  return (
    name.length <= 253 &&
    labels.every(
      (label, index) =>
        /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label) || (index === 0 && label === "*"),
    )
  );
}

function isHostname(name: string): boolean {
  return isName(name) && !name.startsWith("*") && ipaddr.isValid(name) === false;
}

function checkProxied(given: unknown, type: RecordType): boolean {
  if (given === undefined || given === null) return false;
  if (typeof given !== "boolean")
    throw new CloudflareError(9003, "Invalid 'proxied' value, must be a boolean");
  if (given && !isProxiable(type)) throw new CloudflareError(9004, "This record type cannot be proxied.");
  return given;
}

function isProxiable(type: RecordType): boolean {
  return type === "A" || type === "AAAA" || type === "CNAME";
}

function checkTtl(given: unknown): number {
  const ttl = given ?? 1;
  if (typeof ttl !== "number" || !Number.isInteger(ttl) || (ttl !== 1 && (ttl < 60 || ttl > 86400))) {
    throw new CloudflareError(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
  }
  return ttl;
}

function checkComment(given: unknown): string | null {
  if (given === undefined || given === null || given === "") return null;
  if (typeof given !== "string")
    throw new CloudflareError(9207, "Request body is invalid: comment is no string.");
  if (given.length > 100) {
    throw new CloudflareError(9313, "DNS record comment exceeds the maximum length of 100 characters.");
  }
  return given;
}

/** Tags are no part of the free plan. */
function checkTags(given: unknown): void {
  if (given === undefined || given === null) return;
  if (!Array.isArray(given)) throw new CloudflareError(9207, "Request body is invalid: tags is no list.");
  if (given.length > 0) {
    throw new CloudflareError(9300, `DNS record has ${given.length} tags, exceeding the quota of 0.`);
  }
}

type CheckedValue = Pick<ZoneRecord, "content" | "data" | "priority">;

function checkValue(type: RecordType, body: Readonly<Record<string, unknown>>, name: string): CheckedValue {
  if (type === "CAA" || type === "SRV" || type === "TLSA") return structured(type, body);
  if (body.data !== undefined && body.data !== null) {
    throw new CloudflareError(9207, `Request body is invalid: ${type} records have no data.`);
  }
  const given = body.content;
  if (typeof given !== "string" || given === "") {
    throw new CloudflareError(9101, "content is a required data field.");
  }
  const host = given.toLowerCase().replace(/\.$/, "");
  switch (type) {
    case "A":
      if (!ipaddr.IPv4.isValidFourPartDecimal(given)) {
        throw new CloudflareError(9005, "Content for A record must be a valid IPv4 address.");
      }
      return { content: given };
    case "AAAA":
      if (!given.includes(":") || given.includes("%") || !ipaddr.IPv6.isValid(given)) {
        throw new CloudflareError(9006, "Content for AAAA record must be a valid IPv6 address.");
      }
      return { content: ipaddr.IPv6.parse(given).toRFC5952String() };
    case "CNAME":
      if (!isHostname(host)) throw new CloudflareError(9007, "Content for CNAME record is invalid.");
      if (host === name) throw new CloudflareError(9039, "CNAME content cannot reference itself.");
      return { content: host };
    case "NS":
      if (!isHostname(host)) throw new CloudflareError(9010, "Content for NS record must be a hostname.");
      return { content: host };
    case "MX": {
      const priority = requiredNumber(body, "priority", 65535);
      // A lone dot says that the domain takes no mail (RFC 7505).
      if (given === ".") return { content: ".", priority };
      if (!isHostname(host)) {
        throw new CloudflareError(
          9009,
          "Change the content of your MX record to be a hostname (and not an IP address). For more details, refer " +
            "to <https://developers.cloudflare.com/dns/manage-dns-records/how-to/email-records/#add-mx-records>.",
        );
      }
      return { content: host, priority };
    }
    case "TXT":
      return { content: checkText(given) };
  }
}

function requiredNumber(from: Readonly<Record<string, unknown>>, field: string, most: number): number {
  const value = from[field];
  if (value === undefined || value === null) throw new CloudflareError(9100, `${field} is a required field.`);
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > most) {
    throw new CloudflareError(9008, `Invalid ${field}, ${field} must be set and be between 0 and ${most}`);
  }
  return value;
}

function structured(type: "CAA" | "SRV" | "TLSA", body: Readonly<Record<string, unknown>>): CheckedValue {
  const given = body.data;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new CloudflareError(9101, "data is a required data field.");
  }
  const data = given as Record<string, unknown>;
  const known = {
    CAA: ["flags", "tag", "value"],
    SRV: ["priority", "weight", "port", "target"],
    TLSA: ["usage", "selector", "matching_type", "certificate"],
  }[type];
  for (const field of Object.keys(data)) {
    if (!known.includes(field))
      throw new CloudflareError(9207, `Request body is invalid: unknown field "data.${field}".`);
  }
  const number = (field: string, most: number) => requiredNumber(data, field, most);
  const text = (field: string) => {
    const value = data[field];
    if (typeof value !== "string" || value === "")
      throw new CloudflareError(9101, `${field} is a required data field.`);
    return value;
  };
  if (type === "CAA") {
    const checked = { flags: number("flags", 255), tag: text("tag").toLowerCase(), value: text("value") };
    if (!["issue", "issuewild", "iodef", "issuemail", "issuevmc"].includes(checked.tag)) {
      throw new CloudflareError(9107, "Invalid CAA tag.");
    }
    return { content: `${checked.flags} ${checked.tag} "${checked.value}"`, data: checked };
  }
  if (type === "SRV") {
    const target = text("target")
      .toLowerCase()
      .replace(/(?<=.)\.$/, "");
    if (target !== "." && !isHostname(target)) throw new CloudflareError(9101, "target must be a hostname.");
    const priority = number("priority", 65535);
    const checked = { priority, weight: number("weight", 65535), port: number("port", 65535), target };
    return { content: `${checked.weight} ${checked.port} ${target}`, data: checked, priority };
  }
  const certificate = text("certificate").toUpperCase();
  if (!/^([0-9A-F]{2})+$/.test(certificate))
    throw new CloudflareError(9105, "certificate must be hexadecimal.");
  const checked = {
    usage: number("usage", 255),
    selector: number("selector", 255),
    matching_type: number("matching_type", 255),
    certificate,
  };
  return {
    content: `${checked.usage} ${checked.selector} ${checked.matching_type} ${certificate}`,
    data: checked,
  };
}

/** Most characters of a TXT record (https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/#txt). */
const textLimit = 2048;

/**
 * Text as the API keeps it: as it came, quoted or not, unless a string in it is longer than the 255 bytes of
 * a character string (RFC 1035 section 3.3): then the whole comes back split and quoted.
 */
function checkText(given: string): string {
  const strings = stringsOf(given);
  if (strings === undefined) {
    throw new CloudflareError(
      9207,
      "Content for TXT record is invalid: the quotation marks are not balanced.",
    );
  }
  if (strings.join("").length > textLimit) {
    throw new CloudflareError(9015, `Record content exceeds the allowed length of ${textLimit} characters.`);
  }
  if (strings.every((string) => Buffer.byteLength(string, "latin1") <= 255)) return given;
  return strings.flatMap(split).map(quote).join(" ");
}

/**
 * The character strings of a text, unescaped, one character a byte. Text that does not begin with a quotation
 * mark is one string. Undefined where quotation marks are left open or something stands between strings.
 */
function stringsOf(content: string): string[] | undefined {
  const bytes = Buffer.from(content, "utf8").toString("latin1");
  if (!bytes.startsWith('"')) return [bytes];
  const strings: string[] = [];
  const pattern = /\s*"((?:[^"\\]|\\.)*)"/gsy;
  let end = 0;
  for (let match = pattern.exec(bytes); match !== null; match = pattern.exec(bytes)) {
    strings.push((match[1] ?? "").replace(/\\(\d{3}|.)/gs, (_, escaped: string) => unescaped(escaped)));
    end = pattern.lastIndex;
  }
  return bytes.slice(end).trim() === "" ? strings : undefined;
}

function unescaped(escaped: string): string {
  return escaped.length === 3 ? String.fromCharCode(Number(escaped) & 255) : escaped;
}

function split(string: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < string.length; at += 255) parts.push(string.slice(at, at + 255));
  return parts.length === 0 ? [""] : parts;
}

function quote(string: string): string {
  const escaped = string.replace(/[\\"]/g, "\\$&").replace(/[^ -~]/g, (byte) => {
    return `\\${byte.charCodeAt(0).toString().padStart(3, "0")}`;
  });
  return `"${escaped}"`;
}

/** What a resolver joins a TXT record's strings to, one character a byte. */
function textOf(content: string): string {
  return stringsOf(content)?.join("") ?? content;
}

/**
 * The RRset of a name and type as its nameservers hold it. A flattened CNAME leads to the edge, as a proxied record: its
 * target is nowhere in the small internet.
 * @param records all that are served under it
 * @param edge IPv4 address of Cloudflare's network; the small internet has no IPv6
 */
export function publish(records: readonly ZoneRecord[], edge: string): PublishedRecord[] {
  // All records of an RRset have one TTL (RFC 2181 section 5.2); the shortest is the safe one.
  const ttl = Math.min(...records.map((record) => (record.ttl === 1 ? automaticTtl : record.ttl)));
  const atEdge = records.find((record) => record.proxied || isFlattened(record));
  if (atEdge !== undefined) return [{ name: atEdge.name, type: "A", ttl, rdata: edge }];
  return records.map((record) => ({ name: record.name, type: record.type, ttl, rdata: rdataOf(record) }));
}

function rdataOf(record: ZoneRecord): string {
  const { type, content, data = {} } = record;
  switch (type) {
    case "A":
    case "AAAA":
    case "TLSA":
    case "CAA":
      return content;
    case "CNAME":
    case "NS":
      return `${content}.`;
    case "MX":
      return `${record.priority} ${content === "." ? "." : `${content}.`}`;
    case "SRV":
      return `${data.priority} ${data.weight} ${data.port} ${data.target === "." ? "." : `${data.target}.`}`;
    case "TXT":
      return (stringsOf(content) ?? [content]).flatMap(split).map(quote).join(" ");
  }
}

/** A record as the API shows it. */
export function show(record: ZoneRecord) {
  return {
    id: record.id,
    name: record.name,
    type: record.type,
    content: record.content,
    ...(record.priority === undefined ? {} : { priority: record.priority }),
    ...(record.data === undefined ? {} : { data: record.data }),
    proxiable: isProxiable(record.type),
    proxied: record.proxied,
    ttl: record.ttl,
    settings: {},
    meta: record.ofWorker ? { origin_worker: true, read_only: true } : {},
    comment: record.comment,
    tags: [],
    created_on: record.createdOn,
    modified_on: record.modifiedOn,
    ...(record.commentModifiedOn === undefined ? {} : { comment_modified_on: record.commentModifiedOn }),
  };
}
