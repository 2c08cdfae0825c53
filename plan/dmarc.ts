/** The policy of a DMARC record, also of one that somebody else has written (RFC 9989 section 4.7); undefined of any other text. */
export function policyIn(dmarc: string): string | undefined {
  const tags = dmarc.replaceAll('"', "").split(";");
  if (!/^\s*v\s*=\s*DMARC1\s*$/.test(tags[0] ?? "")) return undefined;
  return tags
    .map((tag) => /^\s*p\s*=\s*(\w+)\s*$/i.exec(tag)?.[1]?.toLowerCase())
    .find((policy) => policy !== undefined);
}
