import type { DnsRecord } from "./types.ts";

/** A record as it stands in a zone. */
export interface ExistingRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly comment: string;
}

/** How the comments of one stack's records begin. Cloudflare's free plans allow 100 characters in all: 83 are left. */
export function markOf(id: string): string {
  return `mailhost ${id}: `;
}

/** The mark that a comment begins with, if it is one of ours. */
export function markIn(comment: string): string | undefined {
  return /^mailhost \w+: /.exec(comment)?.[0];
}

export function shownRecord({ name, type, content }: Omit<ExistingRecord, "id" | "comment">): string {
  return `${name} ${type} ${content}`;
}

export function placeTaken({ name, type }: Pick<DnsRecord, "name" | "type">): string {
  return `The zone already has a record where ${name} ${type} is to be`;
}

/** What the engine is told to take a record over, behind `pulumi`. @param resource ours */
export function importWords(resource: string, zoneId: string, recordId: string): string {
  return `import cloudflare:index/dnsRecord:DnsRecord ${resource} ${zoneId}/${recordId} --generate-code=false`;
}

/** Beside taking it over. */
export const freeThePlace = "delete it in Cloudflare's dashboard, if nobody needs it, and run again.";

/** The way that SPF has beside these, in a line; none for any other record. */
export function joinTheRecord({
  type,
  content,
}: Pick<ExistingRecord, "type" | "content">): readonly string[] {
  return type === "TXT" && txtKind(content) === "v=spf1"
    ? ["or, where it is a domain's, let both stand in one: spf: merge under that domain (docs/dns.md)."]
    : [];
}

/** Where it cannot be taken over: it is of another type. */
export const leaveThePlace =
  "delete it in Cloudflare's dashboard, or give it another name, and run again: only one of them can be right.";

export function nameTaken(hostname: string): string {
  return `The zone already has a record where ${hostname} is to lead to the Worker`;
}

/** What can be done about that, one way or the other. */
export const freeTheName: readonly string[] = [
  "delete it in Cloudflare's dashboard, if nobody needs it, and run again;",
  "or switch off in the stack file what wants this name (docs/clients.md), if somebody does.",
];

const addressTypes = ["A", "AAAA"];

/** What a record says that leads to a Worker: no address at all, for the proxy answers (RFC 6666). */
const workerPlace = "100::";

/**
 * Records of a name that lead to anything but a Worker; Cloudflare itself knows whose Worker it is.
 * @param existing all of that name
 */
export function leadingElsewhere<Existing extends { readonly type: string; readonly content?: string }>(
  existing: readonly Existing[],
): readonly Existing[] {
  return existing.filter(
    ({ type, content }) => [...addressTypes, "CNAME"].includes(type) && content !== workerPlace,
  );
}

/**
 * Records of somebody else's that stand where one of ours is to be made: the same record already, or one that
 * would contradict it. Another stack of this program, and one whose state is lost, are somebody else. Two MX hosts or
 * two SPF records in a zone are each valid to the DNS, and mail goes wrong.
 *
 * A CNAME at a zone's own name is a web site, too: Cloudflare answers for it with addresses, and lets mail's records
 * stand beside it (https://developers.cloudflare.com/dns/cname-flattening/).
 *
 * @param mark the stack's own; undefined before its first `up`, when nothing can carry it
 */
export function conflicts(
  record: Pick<DnsRecord, "name" | "type" | "zone">,
  content: string,
  existing: readonly ExistingRecord[],
  mark: string | undefined,
): readonly ExistingRecord[] {
  return existing.filter(
    (other) =>
      other.name.toLowerCase() === record.name &&
      !(mark !== undefined && other.comment.startsWith(mark)) &&
      contradicts(record, content, other),
  );
}

function contradicts(
  record: Pick<DnsRecord, "name" | "type" | "zone">,
  content: string,
  other: ExistingRecord,
): boolean {
  const isAddress = addressTypes.includes(record.type);
  if (other.type === "CNAME") return isAddress || record.name !== record.zone;
  // An address of either kind leads somewhere, and somewhere else is not here.
  if (isAddress) return addressTypes.includes(other.type);
  if (record.type !== other.type) return false;
  if (record.type !== "TXT") return true;
  // Several TXT records may share a name; only one of each kind may speak (RFC 7208 section 4.5, RFC 7489 section 6.6.3).
  return txtKind(content) === txtKind(other.content);
}

/** `v=spf1`, `v=DMARC1`, `v=DKIM1`: what a TXT record is for. */
function txtKind(content: string): string {
  return /^"?(v=\w+)/i.exec(content)?.[1]?.toLowerCase() ?? content;
}
