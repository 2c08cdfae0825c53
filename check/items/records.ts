import { ask, authoritiesOf } from "../../dns/client.ts";
import type { Item } from "../host.ts";
import { difference, type RecordSet, recordSets } from "../recordsets.ts";
import { notLookedAt } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

const delegation =
  "Compare the nameservers in the registrar's form with those that Cloudflare shows for the zone (DNS → Records, at the bottom).";
const silent = `Check again in a minute. If it stays so: ${delegation}`;

/** Every record as each of its zone's own servers publishes it. */
export const records: Item = {
  name: "records",
  group: "Names",
  async look({ target }) {
    const zones = [...recordSets(target)];
    const findings = await Promise.all(
      zones.map(async ([zone, sets]): Promise<readonly Finding[]> => {
        let servers: readonly string[];
        try {
          servers = target.nameservers?.[zone] ?? (await authoritiesOf(zone, target.resolver));
        } catch (error) {
          return [notLookedAt(zone, error, delegation)];
        }
        const found = (await Promise.all(servers.map((server) => published(zone, sets, server)))).flat();
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
async function published(zone: string, sets: readonly RecordSet[], server: string): Promise<Finding[]> {
  const differs = async (set: RecordSet): Promise<Finding[]> => {
    const answer = await ask(server, set.name, set.type, { recursion: false });
    if (!answer.authoritative)
      return [wrong(`nameserver ${server}: is not responsible for ${zone}`, delegation)];
    const what = difference(set, answer);
    return what === undefined
      ? []
      : [wrong(`nameserver ${server}: ${what}`, "Run `pulumi up`: it puts the record as planned.")];
  };
  try {
    const found = (await Promise.all(sets.map(differs))).flat();
    return [...new Map(found.map((finding) => [finding.text, finding])).values()];
  } catch (error) {
    return [notLookedAt(`${zone} at its nameserver ${server}`, error, silent)];
  }
}

function count(servers: number): string {
  return servers === 1 ? "its nameserver" : `each of its ${servers} nameservers`;
}
