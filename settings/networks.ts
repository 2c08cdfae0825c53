import ipaddr from "ipaddr.js";

/** What opens port 22 to everybody. In so many words, as no network may do it by accident. */
export const wholeInternet = "the-whole-internet";

/** Shortest prefixes that are somebody's network and not a large part of the internet. */
const widest = { ipv4: 8, ipv6: 16 } as const;

interface Network {
  readonly kind: "ipv4" | "ipv6";
  readonly prefix: number;
  /** Its first address and prefix, in the usual form: `2001:db8::/32`. */
  readonly text: string;
  /** Whether it was written with its first address. */
  readonly isExact: boolean;
  /** `private`, `unicast`, … as ipaddr.js calls the first address's range. */
  readonly range: string;
}

/** Takes a CIDR apart, `undefined` where it is none. Octal, hexadecimal and shortened addresses are none. */
function network(text: string): Network | undefined {
  const [written = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || !isAddress(written)) return undefined;
  if (!ipaddr.isValidCIDR(text)) return undefined;
  const [address, prefix] = ipaddr.parseCIDR(text);
  const kind = address.kind();
  const Kind = kind === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  const first = Kind.networkAddressFromCIDR(text);
  return {
    kind,
    prefix,
    text: `${first.toString()}/${prefix}`,
    isExact: first.toNormalizedString() === address.toNormalizedString(),
    range: first.range(),
  };
}

/** Whether it is a single address, IPv4 or IPv6, as it is usually written. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%"));
}

/** Those networks that are somebody's own: the whole world is nobody's. */
export function ownNetworks(networks: readonly string[]): readonly string[] {
  return networks.filter((network) => !network.endsWith("/0"));
}

/** The network in its usual form. The text has passed `networkMistake`. */
export function normalNetwork(text: string): string {
  return network(text)?.text ?? text;
}

/** The network of one address. */
export const alone = (address: string) => `${address}/${address.includes(":") ? 128 : 32}`;

/** What is wrong with a network that may use SSH, if anything. */
export function networkMistake(text: string): string | undefined {
  const found = network(text);
  if (!found && !isAddress(text)) {
    return `is no network; write one such as 203.0.113.7/32, or \`from: ${wholeInternet}\``;
  }
  if (found && found.prefix < widest[found.kind]) {
    return `opens SSH to a large part of the internet; write your own network such as 203.0.113.7/32, or if you mean it \`from: ${wholeInternet}\``;
  }
  return trustedNetworkMistake(text);
}

/** What is wrong with a network that is trusted with something, if anything. */
export function trustedNetworkMistake(text: string): string | undefined {
  if (isAddress(text)) return `is a single address; write ${alone(text)}`;
  const found = network(text);
  if (!found) return "is no network; write one such as 192.0.2.0/24";
  if (found.prefix < widest[found.kind])
    return "is a large part of the internet; write your own network such as 192.0.2.0/24";
  if (found.isExact) return undefined;
  const [address = ""] = text.split("/");
  return `does not begin at its first address; write ${found.text}, or ${alone(address)} for this address alone`;
}

/** What is wrong with the range of a VPC, if anything (AWS: /16 to /28). */
export function vpcMistake(text: string): string | undefined {
  const found = network(text);
  if (found?.kind !== "ipv4") return "is no IPv4 network; write one such as 10.20.0.0/16";
  if (!found.isExact) return `does not begin at its first address; write ${found.text}`;
  if (found.prefix < 16) return "is too large for a VPC; write a prefix from /16 to /28";
  if (found.prefix > 28) return "is too small for a VPC; write a prefix from /16 to /28";
  if (found.range !== "private")
    return "is not a private range; write one out of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
  return undefined;
}
