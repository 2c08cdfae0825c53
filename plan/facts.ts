import type { DnsRecord, FactName, Facts } from "./types.ts";

/** @throws Error naming the fact, where it is not known */
function factOf(facts: Facts, name: FactName): string {
  const value =
    name === "publicIpv4" || name === "publicIpv6" || name === "acmeAccount"
      ? facts[name]
      : facts.publicKeys[name];
  if (value === undefined) throw new Error(`${name} is not known`);
  return value;
}

/** What a record says, once the facts are there. @throws Error where the one that it needs is not */
export function recordContent({ content }: Pick<DnsRecord, "content">, facts: Facts): string {
  return typeof content === "string" ? content : content.text(factOf(facts, content.fact));
}
