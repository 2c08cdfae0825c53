import { getRecords } from "@pulumi/aws/route53/getRecords.js";
import { getZone } from "@pulumi/aws/route53/getZone.js";
import { getDnsRecords } from "@pulumi/cloudflare/getDnsRecords.js";
import { getZones } from "@pulumi/cloudflare/getZones.js";
import * as pulumi from "@pulumi/pulumi";
import { ask, serverText } from "../../dns/client.ts";
import { turns } from "../../dns/turns.ts";
import { update } from "../../dns/update.ts";
import { type DnsProvider, dnsProviderOf, type UpdateServer } from "../../plan/dnsProvider.ts";
import { nameserver, primaryIn } from "../../plan/nameserver.ts";
import {
  cloudflareRefuses,
  missingAtCloudflare,
  untouchedText,
  type ZoneUse,
  zoneUses,
} from "../../plan/refusals.ts";
import { type Mistake, SettingsError } from "../../settings/mistakes.ts";
import { closestAbove } from "../../settings/names.ts";
import type { Settings } from "../../settings/types.ts";
import { reasonOf } from "../reason.ts";
import { stateResources } from "../stateResources.ts";
import { byHand } from "./byHand.ts";
import { type CloudflareZone, type CloudflareZones, cloudflare } from "./cloudflare.ts";
import type { Keeper } from "./keeper.ts";
import { rfc2136 } from "./rfc2136.ts";
import { type FoundSet, type Route53Zone, type Route53Zones, route53 } from "./route53.ts";
import { publishedTexts } from "./texts.ts";

/** Who keeps the stack's zones. */
export interface Keepers {
  /** Of a zone that the stack uses; all zones at one provider have one keeper. */
  readonly of: (zone: string) => Keeper;
  /** Those that are told also that there are no records any more: what is gone there, they have to take away. */
  readonly always: readonly Keeper[];
  /** Those of Cloudflare's, which can do more. */
  readonly cloudflare: CloudflareZones;
}

/**
 * Asked before anything is made: without its zone a host would be half of one.
 *
 * @param host who publishes in zones that the host itself serves; asked for when the first record is published
 * @throws pulumi.RunError naming every zone that its provider does not show, where the stack file asks for it, and what
 * to write instead.
 */
export async function findKeepers(settings: Settings, host: () => Keeper = noHost): Promise<Keepers> {
  const uses = zoneUses(settings);
  const at = (provider: DnsProvider) =>
    uses.filter(({ zone }) => dnsProviderOf(settings.options.dns, zone) === provider);
  const knownToCloudflare = at("cloudflare").length > 0 ? await listCloudflareZones() : [];
  const server = settings.options.dns.rfc2136;
  const route53Zones = await findRoute53Zones(at("route53"));
  const mistakes = [
    ...at("cloudflare").flatMap((use) =>
      missingAtCloudflare(
        use,
        knownToCloudflare.map(({ name }) => name),
      ),
    ),
    ...at("route53").flatMap((use) => missingAtRoute53(use, route53Zones)),
    ...(server === undefined ? [] : await missingAtServer(at("rfc2136"), server)),
  ];
  if (mistakes.length > 0) throw new pulumi.RunError(new SettingsError(mistakes).message);
  await refuseToTakeOver(at("host").map(({ zone }) => zone));
  await refuseAnotherName(nameserver(settings)?.name);
  const used = new Set(at("cloudflare").map(({ zone }) => zone));
  const cloudflareZones = await readCloudflareZones(knownToCloudflare.filter(({ name }) => used.has(name)));
  const hostKeeper: Keeper = (publication) => host()(publication);
  const keepers: Readonly<Record<DnsProvider, Keeper | undefined>> = {
    cloudflare: cloudflare(cloudflareZones),
    route53: route53(route53Zones),
    rfc2136: server && rfc2136(server),
    host: hostKeeper,
    byHand,
  };
  return {
    of: (zone) => {
      const keeper = keepers[dnsProviderOf(settings.options.dns, zone)];
      if (keeper === undefined) throw new pulumi.RunError(`Nobody keeps the zone ${zone}.`);
      return keeper;
    },
    always: at("host").length > 0 ? [hostKeeper] : [],
    cloudflare: cloudflareZones,
  };
}

function noHost(): never {
  throw new pulumi.RunError("There is no host that could serve its zones.");
}

/** Zones that are listed at once: Route 53 takes five requests a second of an account, and none beyond. */
const listedAtOnce = 2;

type ListedZone = Awaited<ReturnType<typeof getZones>>["results"][number];

async function listCloudflareZones(): Promise<readonly ListedZone[]> {
  const { results } = await getZones({}).catch(refusedByCloudflare);
  return results;
}

/**
 * With what is in them, each listed once in a run: Cloudflare takes 1200 calls in five minutes, and then none for as long
 * (https://developers.cloudflare.com/fundamentals/api/reference/limits/). What the run itself makes is not among them.
 */
async function readCloudflareZones(zones: readonly ListedZone[]): Promise<CloudflareZones> {
  const inTurn = turns(listedAtOnce);
  const readZone = async ({ id, name, account }: ListedZone): Promise<readonly [string, CloudflareZone]> => {
    const { results } = await getDnsRecords({ zoneId: id, maxItems: 1_000_000 }).catch(refusedByCloudflare);
    const records = results.map((record) => ({
      ...record,
      content: record.content ?? "",
      comment: record.comment ?? "",
    }));
    return [name, { id, accountId: account.id, records }];
  };
  return new Map(await Promise.all(zones.map((zone) => inTurn(() => readZone(zone)))));
}

function refusedByCloudflare(error: Error): never {
  throw new pulumi.RunError(untouchedText(cloudflareRefuses(reasonOf(error))));
}

/** Whether a nameserver is the zones' own, and takes updates: one that changes nothing says so. */
async function missingAtServer(uses: readonly ZoneUse[], server: UpdateServer): Promise<readonly Mistake[]> {
  const { key: name, algorithm, secret, server: host, port } = server;
  const mistakes = uses.map(async ({ path, zone }): Promise<readonly Mistake[]> => {
    const { answers } = await ask(serverText(server), zone, "SOA", { recursion: false });
    // Of a name inside another of its zones it says that it has nothing.
    if (!answers.some(({ type, name }) => type === "SOA" && name.toLowerCase() === zone))
      return [
        {
          path,
          message: `${host} has no zone ${zone}; make it there, write the zone that the name is in (zone: …), or another provider in mailhost:dns`,
        },
      ];
    const nothing = { expected: [], remove: [], add: [] };
    await update({ server: host, port, zone, key: { name, algorithm, secret }, ...nothing });
    return [];
  });
  return (
    await Promise.all(mistakes).catch((error: Error) => {
      throw new pulumi.RunError(
        `The nameserver of mailhost:dns.rfc2136 does not answer as it should: ${error.message}. Look at its address, its key, and whether it lets that key update the zone. Nothing was touched.`,
      );
    })
  ).flat();
}

/** Public ones alone: a private zone is not in the world's DNS. */
async function findRoute53Zones(uses: readonly ZoneUse[]): Promise<Route53Zones> {
  const names = [...new Set(uses.map(({ zone }) => zone))];
  if (names.length === 0) return new Map();
  const state = await stateResources("which record sets at Route 53 are the stack's own");
  const own = new Map(
    state
      .filter(({ type }) => type === "aws:route53/record:Record")
      .map(({ name, outputs }) => [name, outputs] as const),
  );
  const inTurn = turns(listedAtOnce);
  const find = async (name: string): Promise<readonly (readonly [string, Route53Zone])[]> => {
    try {
      const { zoneId: id } = await getZone({ name, privateZone: false });
      return [[name, { id, sets: await setsIn(id), own }]];
    } catch (error) {
      if (/no matching Route ?53 Hosted Zone/i.test((error as Error).message)) return [];
      if (/multiple Route ?53 Hosted Zones/i.test((error as Error).message))
        throw new pulumi.RunError(
          `Route 53 has several public zones ${name}. Keep the one whose nameservers the registrar names, and delete the others. Nothing was touched.`,
        );
      throw new pulumi.RunError(
        `Route 53 does not answer as it should: ${reasonOf(error as Error)}. Give the host's AWS credential the rights of docs/aws-policy-route53.json. Nothing was touched.`,
      );
    }
  };
  return new Map((await Promise.all(names.map((name) => inTurn(() => find(name))))).flat());
}

function missingAtRoute53({ path, zone }: ZoneUse, known: Route53Zones): readonly Mistake[] {
  if (known.has(zone)) return [];
  const message = `Route 53 has no public zone ${zone}; make it in the AWS account of the host, or write another provider in mailhost:dns`;
  return [{ path, message }];
}

/**
 * A zone that this stack publishes elsewhere cannot come to the host by one `up`: its records there would go with the same
 * run, while the registrar, and for days every resolver, still send the world there, and mail would come back to its senders.
 *
 * @throws pulumi.RunError naming each such zone
 */
async function refuseToTakeOver(hosted: readonly string[]): Promise<void> {
  if (hosted.length === 0) return;
  const elsewhere = (await stateResources("who publishes the zones")).flatMap(({ type, outputs }) =>
    type === "command:remote:Command" ? [] : publishedTexts(type, outputs).map(([name]) => name),
  );
  const leaving = hosted.filter((zone) => elsewhere.some((name) => closestAbove(name, hosted) === zone));
  if (leaving.length > 0)
    throw new pulumi.RunError(
      `mailhost:dns has the host serve ${leaving.join(", ")}, whose records this stack publishes elsewhere: they would go there with this run, while the world still asks there, and mail would come back to its senders. Leave them where they are; a zone can be the host's from its stack's first \`up\` on. Nothing was touched.`,
    );
}

/**
 * The host's name as a nameserver stays: the registries have it with its address, and a zone that names another one, whose address is
 * to come with a later step, is none that could be served meanwhile.
 *
 * @param name as it is planned; undefined where the host serves no zone
 * @throws pulumi.RunError where the host has another
 */
async function refuseAnotherName(name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const [before] = (await stateResources("what the host is called as a nameserver")).flatMap(
    ({ name: step, type, outputs }) =>
      type === "command:remote:Command" && step === "host-knot-files"
        ? (primaryIn(String(outputs.stdin ?? "")) ?? [])
        : [],
  );
  if (before !== undefined && before !== name)
    throw new pulumi.RunError(
      `mailhost:dns.host.name is ${name}, and the host is known as the nameserver ${before}: registries have that name with its address, and nobody would find the zones by another before they know it. Write \`name: ${before}\` under mailhost:dns.host. Nothing was touched.`,
    );
}

async function setsIn(zoneId: string): Promise<readonly FoundSet[]> {
  const { resourceRecordSets } = await getRecords({ zoneId });
  return resourceRecordSets.map(({ name, type, resourceRecords }) => ({
    // The API escapes a wildcard's star.
    name: name
      .replace(/^\\052/, "*")
      .replace(/\.$/, "")
      .toLowerCase(),
    type,
    values: (resourceRecords ?? []).map(({ value }) => value),
  }));
}
