/** A domain's logo (BIMI), as `mailhost:bimi` has it. */
export interface Brand {
  /** The logo itself, in SVG. */
  readonly logo?: string | undefined;
  /** Where it is, where somebody else shows it. */
  readonly url?: string | undefined;
  /** Where the certificate for it is, in PEM. */
  readonly certificate?: string | undefined;
}

/** Where the record stands; `default` is the selector of mail that names none. */
export const bimiRecord = (domain: string) => `default._bimi.${domain}`;

/** Where the Worker shows the logo. */
export const bimiHost = (domain: string) => `bimi.${domain}`;
export const bimiPath = "/logo.svg";

/** Where others find the logo. */
export function bimiUrl(domain: string, { url }: Brand): string {
  return url ?? `https://${bimiHost(domain)}${bimiPath}`;
}
