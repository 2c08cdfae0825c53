import { ask, authoritiesOf } from "../dns.ts";
import type { Item } from "../host.ts";
import { difference, recordSets } from "../recordsets.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Every record as each of its zone's own servers publishes it. */
export const records: Item = {
  name: "records",
  group: "Names",
  async look({ target }) {
    const zones = [...recordSets(target)];
    const findings = await Promise.all(
      zones.map(async ([zone, sets]): Promise<Finding[]> => {
        const servers = target.nameservers?.[zone] ?? (await authoritiesOf(zone, target.resolver));
        const differences = await Promise.all(
          servers.flatMap((server) =>
            sets.map(async (set) => {
              const answer = await ask(server, set.name, set.type, { recursion: false });
              const lame = answer.authoritative ? undefined : `is not responsible for ${zone}`;
              const what = lame ?? difference(set, answer);
              return what && `nameserver ${server}: ${what}`;
            }),
          ),
        );
        const found = [...new Set(differences.filter((text) => text !== undefined))];
        return found.length === 0
          ? [
              right(
                `${zone}: all ${sets.length} record sets are published as planned, by ${count(servers.length)}`,
              ),
            ]
          : found.map((text) => wrong(text, "Run `pulumi up`: it puts the record as planned."));
      }),
    );
    return findings.flat();
  },
};

function count(servers: number): string {
  return servers === 1 ? "its nameserver" : `each of its ${servers} nameservers`;
}
