import { ask, authoritiesOf } from "../../dns/client.ts";
import { type DnsProvider, dnsProviderOf } from "../../plan/dnsProvider.ts";
import { recordKey } from "../../plan/recordKey.ts";
import type { Item } from "../host.ts";
import { difference, type RecordSet, recordSets } from "../recordsets.ts";
import { notLookedAt } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

const delegations = {
  cloudflare:
    "Compare the nameservers in the registrar's form with those that Cloudflare shows for the zone (DNS → Records, at the bottom).",
  route53:
    "Compare the nameservers in the registrar's form with those that Route 53 shows for the hosted zone.",
  rfc2136: "Compare the nameservers in the registrar's form with the zone's own NS records.",
  byHand: "Compare the nameservers in the registrar's form with those of whoever keeps the zone.",
} as const satisfies Record<DnsProvider, string>;

/** What to do about a record set that is not as planned. */
const remedies = {
  cloudflare: () => "Run `pulumi up`: it puts the record as planned.",
  route53: () => "Run `pulumi up`: it puts the record as planned.",
  // The engine does not look at the server again by itself.
  rfc2136: ({ type, name }) =>
    `Run \`pulumi up --replace "**-${recordKey({ type, name })}"\`: it puts the record as planned. Where the zone's other nameservers alone are wrong, look at how they copy it.`,
  byHand: ({ zone, lines }) => `Put into the zone ${zone}, which is kept by hand: ${lines.join(" and ")}`,
} as const satisfies Record<DnsProvider, (set: RecordSet) => string>;

/** Every record as each of its zone's own servers publishes it. */
export const records: Item = {
  name: "records",
  group: "Names",
  async look({ target }) {
    const zones = [...recordSets(target)];
    const findings = await Promise.all(
      zones.map(async ([zone, sets]): Promise<readonly Finding[]> => {
        const provider = dnsProviderOf(target.settings.options.dns, zone);
        let servers: readonly string[];
        try {
          servers = target.nameservers?.[zone] ?? (await authoritiesOf(zone, target.resolver));
        } catch (error) {
          return [notLookedAt(zone, error, delegations[provider])];
        }
        const found = (
          await Promise.all(servers.map((server) => published(zone, provider, sets, server)))
        ).flat();
        return found.length > 0
          ? found
          : [
              right(
                `${zone}: all ${sets.length} record sets are published as planned, by ${count(servers.length)}`,
              ),
            ];
      }),
    );
    return findings.flat();
  },
};

/** What one nameserver has not as planned. One that does not answer says nothing of the others. */
async function published(
  zone: string,
  provider: DnsProvider,
  sets: readonly RecordSet[],
  server: string,
): Promise<Finding[]> {
  const differs = async (set: RecordSet): Promise<Finding[]> => {
    const answer = await ask(server, set.name, set.type, { recursion: false });
    if (!answer.authoritative)
      return [wrong(`nameserver ${server}: is not responsible for ${zone}`, delegations[provider])];
    const what = difference(set, answer);
    return what === undefined ? [] : [wrong(`nameserver ${server}: ${what}`, remedies[provider](set))];
  };
  try {
    const found = (await Promise.all(sets.map(differs))).flat();
    return [...new Map(found.map((finding) => [finding.text, finding])).values()];
  } catch (error) {
    return [
      notLookedAt(
        `${zone} at its nameserver ${server}`,
        error,
        `Check again in a minute. If it stays so: ${delegations[provider]}`,
      ),
    ];
  }
}

function count(servers: number): string {
  return servers === 1 ? "its nameserver" : `each of its ${servers} nameservers`;
}
