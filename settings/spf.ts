/** What an SPF record may say of all whom it does not name (RFC 7208 section 5.1); `+all` would let everybody send. */
export const spfAlls = ["-all", "~all", "?all"] as const;
export type SpfAll = (typeof spfAlls)[number];
