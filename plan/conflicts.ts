import type { DnsRecord } from "./types.ts";

/** A record as it stands in a zone. */
export interface ExistingRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly comment: string;
}

/** How every record of ours begins its comment in the zone. Cloudflare's free plans allow 100 characters in all. */
export const COMMENT_MARK = "mailhost: ";

const addressTypes = ["A", "AAAA"];

/**
 * Records of somebody else's that stand where one of ours is to be made: the same record already, or one that
 * would contradict it. Two MX hosts or two SPF records in a zone are each valid to the DNS, and mail goes wrong.
 */
export function conflicts(
  record: Pick<DnsRecord, "name" | "type">,
  content: string,
  existing: readonly ExistingRecord[],
): readonly ExistingRecord[] {
  return existing.filter(
    (other) =>
      other.name.toLowerCase() === record.name &&
      !other.comment.startsWith(COMMENT_MARK) &&
      (other.type === "CNAME" || contradicts(record, content, other)),
  );
}

function contradicts(record: Pick<DnsRecord, "type">, content: string, other: ExistingRecord): boolean {
  // An address of either kind leads somewhere, and somewhere else is not here.
  if (addressTypes.includes(record.type)) return addressTypes.includes(other.type);
  if (record.type !== other.type) return false;
  if (record.type !== "TXT") return true;
  // Several TXT records may share a name; only one of each kind may speak (RFC 7208 section 4.5, RFC 7489 section 6.6.3).
  return txtKind(content) === txtKind(other.content);
}

/** `v=spf1`, `v=DMARC1`, `v=DKIM1`: what a TXT record is for. */
function txtKind(content: string): string {
  return /^"?(v=\w+)/i.exec(content)?.[1]?.toLowerCase() ?? content;
}
