/** Checks of networks, with the sentences of terraform-provider-aws (`internal/verify`). */
import { canonicalIpv6, parseNetwork } from "../../aws/cidr.ts";
import type { Failure, Properties } from "../framework.ts";

export function checkIpv4Network(inputs: Properties, property: string): Failure[] {
  const value = inputs[property];
  if (typeof value !== "string") return [];
  const reason = networkMistake(value, "ipv4");
  return reason === undefined ? [] : [{ property, reason }];
}

export function checkIpv6Network(inputs: Properties, property: string): Failure[] {
  const value = inputs[property];
  if (typeof value !== "string") return [];
  const reason = networkMistake(value, "ipv6");
  return reason === undefined ? [] : [{ property, reason }];
}

/** EC2 itself drops host bits; the provider refuses them, since the state would never match the program. */
export function networkMistake(value: string, family: "ipv4" | "ipv6"): string | undefined {
  const canonical = family === "ipv4" ? parseNetwork(value)?.text : canonicalIpv6(value);
  if (canonical === undefined)
    return `"${value}" is not a valid ${family === "ipv4" ? "IPv4" : "IPv6"} CIDR block`;
  if (family === "ipv6" ? canonicalIpv6(value) === value.toLowerCase() : canonical === value)
    return undefined;
  return `"${value}" is not a valid ${family === "ipv4" ? "IPv4" : "IPv6"} CIDR block; did you mean "${canonical}"?`;
}
