import { ask, authoritiesOf } from "../../dns/client.ts";
import { type DnsProvider, dnsProviderOf } from "../../plan/dnsProvider.ts";
import { recordKey } from "../../plan/recordKey.ts";
import type { Item } from "../host.ts";
import { asShared, difference, partOf, type RecordSet, recordSets } from "../recordsets.ts";
import { notLookedAt } from "../sidebyside.ts";
import { about, type CheckTarget, type Finding, right, wrong } from "../types.ts";

/** What to do where the world is sent to other nameservers than the zone's. */
export function delegationRemedy({ settings }: CheckTarget, zone: string): string {
  return delegations[dnsProviderOf(settings.options.dns, zone)];
}

const delegations = {
  cloudflare:
    "Compare the nameservers in the registrar's form with those that Cloudflare shows for the zone (DNS → Records, at the bottom).",
  route53:
    "Compare the nameservers in the registrar's form with those that Route 53 shows for the hosted zone.",
  rfc2136: "Compare the nameservers in the registrar's form with the zone's own NS records.",
  host: "Compare the nameservers in the registrar's form with those of `stack output nameservers`.",
  byHand: "Compare the nameservers in the registrar's form with those of whoever keeps the zone.",
} as const satisfies Record<DnsProvider, string>;

/** What to do about a record set that is not as planned. */
const remedies = {
  cloudflare: () => "Run `pulumi up`: it puts the record as planned.",
  route53: () => "Run `pulumi up`: it puts the record as planned.",
  // The engine does not look at the server again by itself.
  rfc2136: ({ type, name, joins }) =>
    joins
      ? "Run `pulumi up`: it puts the record as planned."
      : `Run \`pulumi up --replace "**-${recordKey({ type, name })}"\`: it puts the record as planned. Where the zone's other nameservers alone are wrong, look at how they copy it.`,
  // The engine does not look at the host again by itself.
  host: () =>
    'Run `pulumi up --replace "**-zones"`: it brings the records to the host again. Where the secondaries alone are wrong, look at how they copy the zone.',
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
        let servers: readonly string[];
        try {
          servers = target.nameservers?.[zone] ?? (await authoritiesOf(zone, target.resolver));
        } catch (error) {
          return about(zone, [notLookedAt(zone, error, delegationRemedy(target, zone))]);
        }
        const found = together(
          await Promise.all(servers.map((server) => published(target, zone, sets, server))),
          zone,
          servers,
        );
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

/** What one nameserver has not as planned, without its name. One that does not answer says nothing of the others. */
async function published(
  target: CheckTarget,
  zone: string,
  sets: readonly RecordSet[],
  server: string,
): Promise<Finding[]> {
  const delegation = delegationRemedy(target, zone);
  const remedy = remedies[dnsProviderOf(target.settings.options.dns, zone)];
  const differs = async (planned: RecordSet): Promise<Finding[]> => {
    const answer = await ask(server, planned.name, planned.type, { recursion: false });
    const set = asShared(planned, answer);
    if (!answer.authoritative) return [wrong(`is not responsible for ${zone}`, delegation, { part: server })];
    const what = difference(set, answer);
    return what === undefined ? [] : [wrong(what, remedy(set), { part: partOf(set) })];
  };
  try {
    return (await Promise.all(sets.map(differs))).flat();
  } catch (error) {
    const { message } = error as Error;
    const silent = `Check again in a minute. If it stays so: ${delegation}`;
    return [wrong(`could not be looked at: ${message}`, silent, { part: server, unanswered: true })];
  }
}

/** What each nameserver has wrong, told once where all of them agree. */
function together(
  found: readonly (readonly Finding[])[],
  zone: string,
  servers: readonly string[],
): Finding[] {
  const alike = Map.groupBy(
    found.flatMap((findings, index) => {
      const once = new Map(findings.map((finding) => [finding.text, finding]));
      return [...once.values()].map((finding) => ({ finding, server: servers[index] ?? "" }));
    }),
    ({ finding }) => finding.text,
  );
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const names = same.map(({ server }) => server);
    const whose = names.length === servers.length ? zone : `${zone} at its nameserver ${names.join(" and ")}`;
    return [{ ...first.finding, text: `${whose}: ${first.finding.text}` }];
  });
}

function count(servers: number): string {
  return servers === 1 ? "its nameserver" : `each of its ${servers} nameservers`;
}
