import { ask, reverseName, valuesOf } from "../../dns/client.ts";
import { changedByHand } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Name, address, name of the address, and what the server calls itself: all the same host (RFC 5321 4.1.1.1). */
export const identity: Item = {
  name: "identity",
  group: "Names",
  async look(host) {
    const addresses = [
      ["A", host.address] as const,
      ...(host.target.facts.publicIpv6 === undefined
        ? []
        : [["AAAA", host.target.facts.publicIpv6] as const]),
    ];
    return await sideBySide("identity", {
      ...Object.fromEntries(
        addresses.map(([type, address]) => [`${type}.${host.name}`, forward(host, type, address)]),
      ),
      // Of IPv4 alone: the host sends by nothing else, and AWS gives an IPv6 address no name.
      ptr: reverse(host, host.address),
      helo: ownName(host),
    });
  },
};

async function forward(
  { target, name }: HostUnderCheck,
  type: "A" | "AAAA",
  address: string,
): Promise<Finding> {
  const found = await seen(target.resolver, name, type);
  return found.length === 1 && found[0] === address
    ? right(`${name} has the address ${address}`)
    : wrong(
        `${name} has ${found.length === 0 ? "no address" : `the address ${found.join(" and ")}`}, not ${address}`,
        "Run `pulumi up`; if it changes nothing, wait for the old record's time to live.",
      );
}

/** @throws where the resolver gives no answer: nobody knows then whether there is such a record */
async function seen(resolver: string, name: string, type: "A" | "AAAA" | "PTR"): Promise<string[]> {
  const { rcode, answers } = await ask(resolver, name, type);
  if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") throw new Error(`${type} ${name} is answered ${rcode}`);
  return valuesOf(answers);
}

async function reverse({ target, name }: HostUnderCheck, address: string): Promise<Finding> {
  const found = await seen(target.resolver, reverseName(address), "PTR");
  return found.length === 1 && found[0]?.toLowerCase() === name
    ? right(`${address} is called ${name} (PTR)`)
    : wrong(
        `${address} is ${found.length === 0 ? "without a name" : `called ${found.join(" and ")}`} (PTR), not ${name}`,
        "Run `pulumi up`; at AWS the name of an address takes some minutes to appear.",
      );
}

async function ownName(host: HostUnderCheck): Promise<Finding> {
  const smtp = await host.smtp("smtp");
  try {
    const greeting = smtp.greeting.lines[0]?.split(" ")[0] ?? "";
    const { name } = await smtp.ehlo();
    return greeting === host.name && name === host.name
      ? right(`the mail server calls itself ${host.name} in its greeting and after EHLO`)
      : wrong(
          `the mail server calls itself ${greeting || "nothing"} in its greeting and ${name} after EHLO, not ${host.name}`,
          changedByHand("myhostname in /etc/postfix/main.cf", host.target, "postfix"),
        );
  } finally {
    await smtp.quit();
  }
}
