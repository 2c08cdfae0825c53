import { getServers } from "node:dns";
import { Command } from "@pulumi/command/local/command.js";
import * as pulumi from "@pulumi/pulumi";
import { textsAt } from "../../dns/client.ts";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
import { lookUps, mostLookUps, type SpfPart, spfRecords } from "../../plan/spf.ts";
import type { DnsRecord } from "../../plan/types.ts";
import type { Settings } from "../../settings/types.ts";
import { reasonOf } from "../reason.ts";
import { type StateResource, stateResources } from "../stateResources.ts";
import type { WantedSpf } from "./joinSpf.ts";
import { type SpfPlace, spfKeeper } from "./spfPlace.ts";
import { type SpfDone, type SpfStep, spfDone, spfStep } from "./spfShare.ts";
import { publishedTexts, told } from "./texts.ts";
import type { Keepers } from "./zones.ts";

/** From the repository's root, where the engine runs. */
const program = "node components/dns/joinSpf.ts";

/** A domain's SPF record that stands in one with somebody else's. */
export interface SharedSpf {
  /** The whole, as it is to be. */
  readonly record: string;
  /** What the engine is told of it; undefined where somebody puts it in by hand. */
  readonly wanted: WantedSpf | undefined;
  /** What the command needs beside its own environment, where it also runs without the stack file; secret. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A record that is to stand together with others. */
interface Joining {
  readonly record: DnsRecord;
  readonly part: SpfPart;
}

/** What earlier runs have made of a domain's record. */
interface Made {
  /** By a command of `shareSpf`. */
  readonly shared?: { readonly done: SpfDone; readonly mended: number };
  /** By itself, as any other record. */
  readonly alone: boolean;
}

/**
 * Which of the domains' SPF records stand together with somebody else's, and how. Asks whoever keeps their zones, in previews too;
 * nobody where no domain wants it. A record that is published alone already stays so.
 *
 * @throws pulumi.RunError naming each that cannot be joined, and why, before anything is made
 */
export async function sharedSpf(
  settings: Settings,
  records: readonly DnsRecord[],
  keepers: Pick<Keepers, "cloudflare">,
): Promise<ReadonlyMap<string, SharedSpf>> {
  const joining = records.flatMap((record): readonly Joining[] =>
    record.joins === undefined ? [] : [{ record, part: record.joins }],
  );
  if (joining.length === 0) return new Map();
  const state = await stateResources("which SPF records are shared with others");
  const found = await Promise.allSettled(joining.map((one) => shared(settings, one, keepers, state)));
  const reasons = found.flatMap((each) => (each.status === "rejected" ? [each.reason as Error] : []));
  if (reasons.length > 0)
    throw new pulumi.RunError(
      `${reasons.map((reason) => reasonOf(reason)).join(".\n")}. Nothing was touched.`,
    );
  return new Map(
    found.flatMap((each, index) => {
      const name = joining[index]?.record.name ?? "";
      return each.status === "fulfilled" && each.value !== undefined ? [[name, each.value] as const] : [];
    }),
  );
}

async function shared(
  settings: Settings,
  { record: { name, zone, ttl }, part }: Joining,
  keepers: Pick<Keepers, "cloudflare">,
  state: readonly StateResource[],
): Promise<SharedSpf | undefined> {
  const resolver = settings.resolver.outside ?? getServers()[0] ?? "127.0.0.53";
  const place = placeOf(settings, zone, keepers, resolver);
  const made = madeOf(name, state);
  if (made.alone) return undefined;
  const before = made.shared?.done;
  const { rfc2136 } = settings.options.dns;
  const ownToken = new pulumi.Config("cloudflare").get("apiToken");
  const access = {
    cloudflareToken: ownToken ?? process.env.CLOUDFLARE_API_TOKEN,
    cloudflareUrl: process.env.CLOUDFLARE_BASE_URL,
    tsigSecret: rfc2136?.secret,
  };
  const standing = await spfKeeper(place, name, ttl, access).look();
  if (before === undefined && standing.length === 0) return undefined;
  const step = spfStep(name, standing, part, before);
  if (step.to !== undefined) {
    await refuseTooMany(name, step.text, resolver);
    tell(name, step);
  }
  const isMended = before !== undefined && step.to !== undefined && step.text === before.text;
  const mended = (made.shared?.mended ?? 0) + (isMended ? 1 : 0);
  const wanted =
    place.provider === "byHand" ? undefined : { place, name, ttl, ...part, record: step.text, mended };
  const environment =
    place.provider === "rfc2136"
      ? { MAILHOST_TSIG_SECRET: access.tsigSecret ?? "" }
      : // A token of the environment goes along by itself, and is in no state.
        place.provider === "cloudflare" && ownToken !== undefined
        ? { CLOUDFLARE_API_TOKEN: ownToken }
        : {};
  return { record: step.text, wanted, environment };
}

function placeOf(
  { options: { dns } }: Settings,
  zone: string,
  { cloudflare }: Pick<Keepers, "cloudflare">,
  resolver: string,
): SpfPlace {
  const provider = dnsProviderOf(dns, zone);
  if (provider === "cloudflare") return { provider, zoneId: cloudflare.get(zone)?.id ?? "" };
  if (provider === "rfc2136" && dns.rfc2136 !== undefined) {
    const { server, port, key, algorithm } = dns.rfc2136;
    return { provider, zone, server, port, key: { name: key, algorithm } };
  }
  return { provider: "byHand", zone, resolver };
}

function madeOf(name: string, state: readonly StateResource[]): Made {
  for (const { type, outputs } of state) {
    const wanted = type === "command:local:Command" ? told(outputs.stdin) : undefined;
    const { name: of, record, mended = 0 } = (wanted ?? {}) as Partial<WantedSpf>;
    if (of !== name || record === undefined) continue;
    const done = spfDone.safeParse(told(outputs.stdout));
    if (done.success) return { shared: { done: done.data, mended }, alone: false };
  }
  const alone = state.some(({ type, outputs }) =>
    publishedTexts(type, outputs).some(([of, text]) => of === name && /^"?v=spf1/i.test(text)),
  );
  return { alone };
}

/** Whom nobody can look up to its end is void, for their mail and for ours. @throws where it would be */
async function refuseTooMany(name: string, record: string, resolver: string): Promise<void> {
  const { count } = await lookUps(record, spfRecords(textsAt(resolver)), [name]).catch((error: Error) => {
    throw new Error(
      `How many look-ups the SPF record of ${name} would take could not be counted: ${reasonOf(error)}. It stays as it is; run again when the names in it are answered, or take out one that is gone`,
    );
  });
  if (count > mostLookUps)
    throw new Error(
      `The SPF record of ${name} would take ${count} look-ups with the host in it, and receivers stop at ${mostLookUps} and take it for void: ${record}. Take an \`include:\` out of it through which nobody sends any more, and run again; to write its addresses in its place is no way, since they change without a word`,
    );
}

function tell(name: string, { text, found, change, from }: SpfStep): void {
  if (found === null) return;
  const all = / ([?~]all)( |$)/i.exec(text)?.[1];
  const strictness =
    change.all !== undefined
      ? `Of all others it says ${change.all.to} from now on, in place of ${change.all.from || "nothing"}.`
      : all === undefined
        ? "What it says of all others stays as it is."
        : `Its ${all} stays, which is milder than -all: write \`spf: { foreign: merge, all: "-all" }\` when it names everybody who sends for the domain.`;
  void pulumi.log.info(
    `${name}, SPF: the record of somebody else's gets the host, and all else in it stays. It is ${from?.text}, and will be ${text}. ${strictness}`,
  );
}

/** Has the engine change the record where it is, and change it back when the domain or the stack goes. */
export function shareSpf(
  name: string,
  { wanted, environment }: SharedSpf,
  opts: pulumi.CustomResourceOptions,
): Command | undefined {
  if (wanted === undefined) return undefined;
  return new Command(
    `${name}-spf:${wanted.name}`,
    {
      create: `${program} join`,
      update: `${program} join`,
      delete: `${program} part`,
      stdin: JSON.stringify(wanted, undefined, 2),
      ...(Object.keys(environment).length > 0 && { environment: pulumi.secret(environment) }),
      // Elsewhere it is another record.
      triggers: [JSON.stringify(wanted.place)],
      logging: "none",
    },
    // The old one would part what the new one has joined.
    { ...opts, deleteBeforeReplace: true },
  );
}
