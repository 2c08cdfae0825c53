import { ask, type DnsAnswer, valuesOf } from "../../dns/client.ts";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
import type { Item } from "../host.ts";
import { asShared, difference, partOf, type RecordSet, recordSets } from "../recordsets.ts";
import { notLookedAt } from "../sidebyside.ts";
import { about, type CheckTarget, type Finding, right, wrong } from "../types.ts";
import { delegationRemedy } from "./records.ts";

const silent =
  "Is this machine online, and may it ask that resolver? Put that right, or name another one: `npm run check -- --resolver ADDRESS`.";

/** Every record as the world sees it: through a resolver that validates DNSSEC. */
export const validation: Item = {
  name: "validation",
  group: "Names",
  async look({ target }) {
    const findings = await Promise.all(
      [...recordSets(target)].map(async ([zone, sets]): Promise<readonly Finding[]> => {
        let seen: readonly { readonly set: RecordSet; readonly answer: DnsAnswer }[];
        try {
          seen = await Promise.all(
            sets.map(async (set) => ({ set, answer: await ask(target.resolver, set.name, set.type) })),
          );
        } catch (error) {
          return about(zone, [notLookedAt(zone, error, silent)]);
        }
        const bogus = seen.filter(({ answer }) => answer.rcode === "SERVFAIL");
        if (bogus.length > 0) {
          return about(zone, [
            await unresolved(
              target,
              zone,
              sets,
              bogus.map(({ set }) => set),
            ),
          ]);
        }
        const stale = seen.flatMap(({ set, answer }) => {
          const text = difference(asShared(set, answer), answer);
          return text === undefined ? [] : [{ text, part: partOf(set) }];
        });
        const plain = seen.filter(({ answer }) => !answer.authentic);
        return [
          ...stale.map(({ text, part }) =>
            wrong(
              `the resolver says: ${text}`,
              "The nameservers have it right: wait for the old record's time to live, at most an hour; else check the zone's delegation.",
              { part },
            ),
          ),
          plain.length === 0
            ? right(`${zone}: signed, and validated from the root down`)
            : wrong(
                `${zone}: ${plain.length === sets.length ? "not" : `${plain.length} of ${sets.length} record sets not`} validated by DNSSEC`,
                target.ds[zone] === undefined
                  ? `Turn DNSSEC on for the zone ${isCloudflares(target, zone) ? "at Cloudflare" : "where it is kept"} and put the DS record that is shown there into the registrar's form.`
                  : `Put this DS record into the registrar's form: ${target.ds[zone]}`,
                { part: `dnssec.${zone}` },
              ),
        ];
      }),
    );
    return findings.flat();
  },
};

function isCloudflares({ settings }: CheckTarget, zone: string): boolean {
  return dnsProviderOf(settings.options.dns, zone) === "cloudflare";
}

/** Why a resolver has no answer for a zone's records (SERVFAIL): it tells by what it says where it is not to validate. */
async function unresolved(
  target: CheckTarget,
  zone: string,
  sets: readonly RecordSet[],
  refused: readonly RecordSet[],
): Promise<Finding> {
  const [first] = refused;
  const unchecked = { checkingDisabled: true };
  const plain = first && (await ask(target.resolver, first.name, first.type, unchecked));
  const what = `${zone}: the resolver refuses ${refused.length} of ${sets.length} record sets (SERVFAIL)`;
  if (plain?.rcode === "SERVFAIL") {
    return wrong(`${what}: no nameserver of the zone gives it an answer`, delegationRemedy(target, zone), {
      unanswered: true,
    });
  }
  const delegated = valuesOf((await ask(target.resolver, zone, "DS", unchecked)).answers);
  const ds = target.ds[zone];
  return wrong(
    `${what}: signatures or delegation are broken${delegated.length === 0 ? "" : `; the DS record at the registry is ${delegated.join(" and ")}`}`,
    ds === undefined
      ? `Compare the DS record at the registrar with the one that ${isCloudflares(target, zone) ? "Cloudflare shows (DNS → Settings → DNSSEC)" : "whoever keeps the zone shows"}. Where there is none, the zone is not signed: take the record out at the registrar.`
      : `Put this DS record into the registrar's form, and take any other out: ${ds}`,
    { unanswered: true },
  );
}
