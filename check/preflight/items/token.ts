import { type Cloudflare, CloudflareRefusal, type Zone } from "../../../dns/cloudflare.ts";
import { dnsProviderOf } from "../../../plan/dnsProvider.ts";
import { cloudflareRefuses, missingAtCloudflare, workersRefused, zoneUses } from "../../../plan/refusals.ts";
import { pathText } from "../../../settings/mistakes.ts";
import type { Look } from "../../host.ts";
import { about, type Finding, leftOut, right, wrong } from "../../types.ts";
import { isWantedName, type PreflightTarget, shownZones, wantedZones } from "../target.ts";

const needs = 'Give the token Zone → DNS → Edit for them (docs/deploying.md, "Rights").';

/** The Cloudflare account: whether it takes the token, what that may do, and whether it has the zones. */
export const token: Look<PreflightTarget> = {
  name: "cloudflare",
  group: "Cloudflare",
  silent: "Is this machine online? Put that right, then check again.",
  async look(target) {
    const { cloudflare, plan, only } = target;
    // Whose zones are all elsewhere needs no account here.
    if (!wantedZones(target).has("cloudflare")) return [];
    if (cloudflare === undefined) return about("token", [refused("no token is set")]);
    let all: readonly Zone[];
    try {
      all = await cloudflare.zones();
    } catch (error) {
      return about("token", [refused((error as Error).message)]);
    }
    const zones = await shownZones(target);
    const known = all.map(({ name }) => name);
    const missing = zoneUses(plan.settings)
      .filter(({ zone }) => dnsProviderOf(plan.settings.options.dns, zone) === "cloudflare")
      .filter(({ path: [, name] }) => only === undefined || name === undefined || name === only)
      .flatMap((use) => missingAtCloudflare(use, known));
    const [valid, records, workers] = await Promise.all([
      validity(cloudflare, zones),
      mayEdit(cloudflare, zones),
      mayRun(target, cloudflare, zones),
    ]);
    return [
      ...about("token", valid),
      ...missing.flatMap(({ path, message }) => {
        const [what = "", advice = ""] = message.split("; ");
        const finding = wrong(
          `${pathText(path)}: ${what}`,
          `${advice.charAt(0).toUpperCase()}${advice.slice(1)}.`,
        );
        return about(`zone.${pathText(path)}`, [finding]);
      }),
      ...(missing.length > 0
        ? []
        : about("zones", [right(`Cloudflare has the zones ${zones.map(({ name }) => name).join(", ")}`)])),
      ...about("records", records),
      ...about("workers", workers),
    ];
  },
};

function refused(reason: string): Finding {
  const { text, remedy } = cloudflareRefuses(reason);
  return wrong(text, remedy);
}

interface Verified {
  readonly status: string;
  readonly expires_on?: string;
}

/** A token is a person's or an account's, and each kind is asked about elsewhere. */
async function validity(cloudflare: Cloudflare, [zone]: readonly Zone[]): Promise<readonly Finding[]> {
  const owners = ["/user", ...(zone === undefined ? [] : [`/accounts/${zone.account.id}`])];
  for (const owner of owners) {
    try {
      const { status, expires_on: end } = await cloudflare.get<Verified>(`${owner}/tokens/verify`);
      if (status !== "active") return [refused(`the token is ${status}`)];
      return [right(`Cloudflare takes the token${end === undefined ? "" : `, until ${end.slice(0, 10)}`}`)];
    } catch (error) {
      if (!(error instanceof CloudflareRefusal)) throw error;
    }
  }
  // It has shown the zones.
  return [right("Cloudflare takes the token")];
}

/** The right to edit is seen without editing: where Cloudflare tells what the token may do in a zone. */
async function mayEdit(cloudflare: Cloudflare, zones: readonly Zone[]): Promise<readonly Finding[]> {
  const found = await Promise.all(
    zones.map(async (zone) => {
      const can = (right: string) => zone.permissions?.includes(`#dns_records:${right}`) ?? false;
      if (can("edit")) return { zone, may: true };
      if (can("read")) return { zone, may: false };
      return await cloudflare.get(`/zones/${zone.id}/dns_records?per_page=1`).then(
        () => ({ zone, may: undefined }),
        (error: unknown) => {
          if (error instanceof CloudflareRefusal) return { zone, may: false };
          throw error;
        },
      );
    }),
  );
  const names = (may: boolean | undefined) =>
    found.filter((each) => each.may === may).map(({ zone }) => zone.name);
  const [no, yes, unsaid] = [names(false), names(true), names(undefined)];
  return [
    ...(no.length > 0
      ? [wrong(`Cloudflare does not let CLOUDFLARE_API_TOKEN edit the records of ${no.join(", ")}`, needs)]
      : []),
    ...(yes.length > 0 ? [right(`the token may edit the records of ${yes.join(", ")}`)] : []),
    ...(unsaid.length > 0
      ? [
          leftOut(
            `whether the token may edit the records of ${unsaid.join(", ")}: Cloudflare tells only that it may read them`,
          ),
        ]
      : []),
  ];
}

/** Whether the token gets at Workers, and at their routes in each zone. Only what the stack has pages for needs it. */
async function mayRun(
  target: PreflightTarget,
  cloudflare: Cloudflare,
  zones: readonly Zone[],
): Promise<readonly Finding[]> {
  const hosts = target.plan.worker.hosts.filter(({ host }) => isWantedName(target, host));
  const used = zones.filter(({ name }) => hosts.some(({ zone }) => zone === name));
  const accounts = [...new Set(used.map(({ account }) => account.id))];
  const asked = [
    ...accounts.map((id) => ({ id, path: `/accounts/${id}/workers/scripts` })),
    ...used.map(({ id, account }) => ({ id: account.id, path: `/zones/${id}/workers/routes` })),
  ];
  const refusals = await Promise.all(
    asked.map(({ id, path }) =>
      cloudflare.get(path).then(
        () => [],
        (error: unknown) => {
          if (!(error instanceof CloudflareRefusal)) throw error;
          const { text, remedy } = workersRefused(id, error.message);
          return [wrong(text, remedy)];
        },
      ),
    ),
  );
  const found = [...new Map(refusals.flat().map((finding) => [finding.text, finding])).values()];
  if (found.length > 0 || accounts.length === 0) return found;
  return [right("the token gets at Workers; whether it may make one, Cloudflare does not tell beforehand")];
}
