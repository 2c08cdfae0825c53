import { ask, type DnsAnswer } from "../../dns/client.ts";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
import type { Item } from "../host.ts";
import { difference, type RecordSet, recordSets } from "../recordsets.ts";
import { notLookedAt } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

const silent =
  "Is this machine online, and may it ask that resolver? Put that right, or name another one: `npm run check -- --resolver ADDRESS`.";

/** Every record as the world sees it: through a resolver that validates DNSSEC. */
export const validation: Item = {
  name: "validation",
  group: "Names",
  async look({ target }) {
    const findings = await Promise.all(
      [...recordSets(target)].map(async ([zone, sets]): Promise<Finding[]> => {
        const isCloudflares = dnsProviderOf(target.settings.options.dns, zone) === "cloudflare";
        let seen: readonly { readonly set: RecordSet; readonly answer: DnsAnswer }[];
        try {
          seen = await Promise.all(
            sets.map(async (set) => ({ set, answer: await ask(target.resolver, set.name, set.type) })),
          );
        } catch (error) {
          return [notLookedAt(zone, error, silent)];
        }
        const bogus = seen.filter(({ answer }) => answer.rcode === "SERVFAIL");
        if (bogus.length > 0) {
          return [
            wrong(
              `${zone}: the resolver refuses ${bogus.length} of ${sets.length} record sets (SERVFAIL): signatures or delegation are broken`,
              isCloudflares
                ? "Compare the DS record at the registrar with the one Cloudflare shows (DNS → Settings → DNSSEC)."
                : "Compare the DS record at the registrar with the one that whoever keeps the zone shows.",
            ),
          ];
        }
        const stale = seen.flatMap(({ set, answer }) => difference(set, answer) ?? []);
        const plain = seen.filter(({ answer }) => !answer.authentic);
        return [
          ...stale.map((text) =>
            wrong(
              `the resolver says: ${text}`,
              "If the nameservers have it right (line above), wait for the old record's time to live, at most an hour; else check the zone's delegation.",
            ),
          ),
          plain.length === 0
            ? right(`${zone}: signed, and validated from the root down`)
            : wrong(
                `${zone}: ${plain.length === sets.length ? "not" : `${plain.length} of ${sets.length} record sets not`} validated by DNSSEC`,
                target.ds[zone] === undefined
                  ? `Turn DNSSEC on for the zone ${isCloudflares ? "at Cloudflare" : "where it is kept"} and put the DS record that is shown there into the registrar's form.`
                  : `Put this DS record into the registrar's form: ${target.ds[zone]}`,
              ),
        ];
      }),
    );
    return findings.flat();
  },
};
