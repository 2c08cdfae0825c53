import { type Cloudflare, CloudflareRefusal, type Zone } from "../../../dns/cloudflare.ts";
import {
  conflicts,
  type ExistingRecord,
  freeTheName,
  freeThePlace,
  importWords,
  joinTheRecord,
  leadingElsewhere,
  leaveThePlace,
  nameTaken,
  placeTaken,
  shownRecord,
} from "../../../plan/conflicts.ts";
import type { DnsProvider } from "../../../plan/dnsProvider.ts";
import { recordKey } from "../../../plan/recordKey.ts";
import { quoteTxt } from "../../../plan/txt.ts";
import type { DnsRecord } from "../../../plan/types.ts";
import type { Look } from "../../host.ts";
import { about, type Finding, leftOut, right, wrong } from "../../types.ts";
import { isWantedName, type PreflightTarget, shownZones, wantedZones } from "../target.ts";

/** Whether anything of somebody else's stands where the plan's records are to be. */
export const places: Look<PreflightTarget> = {
  name: "places",
  group: "Names",
  silent: "Is this machine online? Put that right, then check again.",
  async look(target) {
    const { cloudflare } = target;
    const zones = await shownZones(target);
    const found = cloudflare && (await Promise.all(zones.map((zone) => oneZone(target, cloudflare, zone))));
    return [...(found ?? []).flat(), ...keptElsewhere(target)];
  },
};

/** Who keeps a zone, as people call it. */
const keepers: Readonly<Record<Exclude<DnsProvider, "cloudflare" | "host">, string>> = {
  route53: "Route 53",
  rfc2136: "a nameserver of your own",
  byHand: "your own hands",
};

/** Only Cloudflare's zones are looked into here: what stands in the way in another, the preview of the first `up` names. */
function keptElsewhere(target: PreflightTarget): readonly Finding[] {
  return [...wantedZones(target)].flatMap(([provider, zones]) =>
    provider === "cloudflare"
      ? []
      : about(provider, [
          leftOut(
            provider === "host"
              ? `${zones.join(", ")}: the host is to be the nameserver itself, and there is none yet`
              : `${zones.join(", ")}, which ${keepers[provider]} keeps: \`pulumi preview\` says what is missing there, and what is in the way`,
          ),
        ]),
  );
}

async function oneZone(
  target: PreflightTarget,
  cloudflare: Cloudflare,
  zone: Zone,
): Promise<readonly Finding[]> {
  let existing: readonly ExistingRecord[];
  try {
    existing = (await cloudflare.records(zone)).map(({ content, comment, ...record }) => ({
      ...record,
      content: content ?? "",
      comment: comment ?? "",
    }));
  } catch (error) {
    // Told by the look at the token.
    if (error instanceof CloudflareRefusal) return [];
    throw error;
  }
  const taken = [
    ...resources(target)
      .filter(({ record }) => record.zone === zone.name && isWantedName(target, record.name))
      .flatMap(({ resource, record }) => inTheWay(record, resource, zone, existing, target)),
    ...target.plan.worker.hosts
      .filter(({ host, zone: name }) => name === zone.name && isWantedName(target, host))
      .flatMap(({ host }) => elsewhere(host, existing)),
  ];
  return taken.length > 0
    ? taken
    : about(zone.name, [right(`${zone.name}: nothing stands in the way of the plan's records`)]);
}

/** The plan's records by the resources that index.ts makes of them. */
function resources({
  plan,
}: PreflightTarget): readonly { readonly resource: string; readonly record: DnsRecord }[] {
  const components = { dns: plan.first, inbound: plan.inbound, caa: plan.caa, policies: plan.policies };
  return Object.entries(components).flatMap(([component, records]) =>
    records.map((record) => ({ resource: `${component}-${recordKey(record)}`, record })),
  );
}

function inTheWay(
  record: DnsRecord,
  resource: string,
  zone: Zone,
  existing: readonly ExistingRecord[],
  { held }: PreflightTarget,
): readonly Finding[] {
  // What needs a fact is of a kind that nobody else has a record of.
  const plain = typeof record.content === "string" ? record.content : "";
  const content = record.type === "TXT" ? quoteTxt(plain) : plain;
  const [first, ...rest] = conflicts(record, content, existing, held.mark);
  // Such a one is what it is to stand together with; whether it can, the preview says.
  if (first === undefined || (record.joins && first.type === record.type)) return [];
  const also = rest.length === 0 ? "" : ` Delete these, too, before: ${rest.map(shownRecord).join("; ")}.`;
  const way =
    first.type === record.type
      ? `Take it over: \`pulumi ${importWords(resource, zone.id, first.id)}\`, or ${freeThePlace}`
      : sentence(leaveThePlace);
  const together = joinTheRecord(first).map((way) => ` ${sentence(way)}`);
  return about(recordKey(record), [
    wrong(`${placeTaken(record)}: ${shownRecord(first)}`, `${way}${together.join("")}${also}`),
  ]);
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function elsewhere(host: string, existing: readonly ExistingRecord[]): readonly Finding[] {
  const leading = leadingElsewhere(existing.filter(({ name }) => name.toLowerCase() === host));
  if (leading.length === 0) return [];
  const [way = "", other = ""] = freeTheName;
  return about(`worker.${host}`, [
    wrong(`${nameTaken(host)}: ${leading.map(shownRecord).join("; ")}`, `${sentence(way)} ${other}`),
  ]);
}
