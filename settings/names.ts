import { domainToASCII } from "node:url";

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The name in lower case and A-labels (RFC 5890), or `undefined` where it is no host name of two or more labels
 * (RFC 1123 section 2.1, RFC 1035 section 2.3.4).
 */
export function domainName(text: string): string | undefined {
  // domainToASCII parses as URLs do (`1.2` becomes an address, `%61` an `a`), so plain names stay away from it.
  const isInternational = /[^\0-\x7f]|xn--/i.test(text) && !/[%/\\?#@:\s]/.test(text);
  const name = isInternational ? domainToASCII(text) : text.toLowerCase();
  const labels = name.split(".");
  const isName = labels.length > 1 && labels.every((label) => LABEL.test(label)) && name.length <= 253;
  return isName && !/^\d+$/.test(labels.at(-1) ?? "") ? name : undefined;
}

/** Whether `name` is `zone` or below it. */
export function liesIn(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The longest of the names that `name` is or is below, undefined where it is below none: the zone of a host, where zones nest. */
export function closestAbove(name: string, candidates: readonly string[]): string | undefined {
  const above = candidates.filter((candidate) => liesIn(name, candidate));
  return above.toSorted((one, other) => other.length - one.length)[0];
}

export interface AddressParts {
  readonly local: string;
  readonly domain: string;
}

/** Splits a full address at its last `@`. */
export function addressParts(address: string): AddressParts {
  const at = address.lastIndexOf("@");
  return { local: address.slice(0, at), domain: address.slice(at + 1) };
}

/**
 * The address without what follows its first `+`: `ann+shop@example.org` is delivered to `ann@example.org`
 * (Postfix `recipient_delimiter`, postconf(5)).
 */
export function withoutTag(address: string): string {
  const { local, domain } = addressParts(address);
  return `${local.split("+", 1)[0]}@${domain}`;
}

// What begins with another character means a command, a file or a comment in an alias file (aliases(5)).
const LOCAL = /^[A-Za-z0-9_][A-Za-z0-9!#%&'*+/=?^_~-]*(\.[A-Za-z0-9!#%&'*+/=?^_~-]+)*$/;

/**
 * A full address with its domain in lower case and A-labels, or `undefined`. Quoted local parts, non-ASCII ones and
 * the characters that shells and alias files read as commands are refused, which RFC 5321 would allow.
 */
export function emailAddress(text: string): string | undefined {
  const { local, domain } = addressParts(text);
  const name = domainName(domain);
  const isLocal = local.length <= 64 && LOCAL.test(local);
  return isLocal && name !== undefined && local.length + name.length < 254 ? `${local}@${name}` : undefined;
}
