import ipaddr from "ipaddr.js";

/** An IPv4 network. */
export interface Network {
  /** First address, as a number. */
  readonly first: number;
  /** Last address, as a number. */
  readonly last: number;
  readonly prefix: number;
  /** Without host bits: `10.20.0.0/16`. */
  readonly text: string;
  /** Whether the text it came from had bits set behind the prefix. */
  readonly hostBits: boolean;
}

const ipv4Cidr = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;

/** The network that `text` names, or undefined where it is none. */
export function parseNetwork(text: string): Network | undefined {
  const match = ipv4Cidr.exec(text);
  if (!match) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = Number(match[5]);
  if (prefix > 32 || octets.some((octet) => octet > 255)) return undefined;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - prefix);
  const first = address - (address % size);
  return {
    first,
    last: first + size - 1,
    prefix,
    text: `${formatAddress(first)}/${prefix}`,
    hostBits: first !== address,
  };
}

export function parseAddress(text: string): number | undefined {
  return text.includes("/") ? undefined : parseNetwork(`${text}/32`)?.first;
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

export function overlaps(one: Network, other: Network): boolean {
  return one.first <= other.last && other.first <= one.last;
}

export function contains(outer: Network, inner: Network): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

/** An IPv6 network without host bits, in RFC 5952's form, or undefined where `text` is none. */
export function canonicalIpv6(text: string): string | undefined {
  if (!text.includes(":") || !ipaddr.IPv6.isValidCIDR(text)) return undefined;
  const [, prefix] = ipaddr.IPv6.parseCIDR(text);
  return `${ipaddr.IPv6.networkAddressFromCIDR(text).toRFC5952String()}/${prefix}`;
}

export function containsIpv6(outer: string, inner: string): boolean {
  const [address, prefix] = ipaddr.IPv6.parseCIDR(inner);
  const [network, length] = ipaddr.IPv6.parseCIDR(outer);
  return prefix >= length && address.match(network, length);
}

/** The address `offset` places behind the start of an IPv6 network. */
export function ipv6At(network: string, offset: bigint): string {
  const bytes = ipaddr.IPv6.networkAddressFromCIDR(network).toByteArray();
  let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) + offset;
  for (let index = 15; index >= 0; index--) {
    bytes[index] = Number(value % 256n);
    value /= 256n;
  }
  return new ipaddr.IPv6(bytes).toRFC5952String();
}
