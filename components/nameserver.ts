import type { Command } from "@pulumi/command/remote/command.js";
import * as pulumi from "@pulumi/pulumi";
import { nameserver, registrarLines } from "../plan/nameserver.ts";
import { textsOf, zonesDocument } from "../plan/zoneFile.ts";
import type { Settings } from "../settings/types.ts";
import type { Keeper, KeptRecord, Published } from "./dns/keeper.ts";
import type { Host } from "./host.ts";
import { type Login, remote } from "./remote.ts";
import type { Server } from "./server.ts";
import { ZONES } from "./steps.ts";

export interface NameserverArgs {
  readonly settings: Settings;
  readonly login: Login;
  readonly server: Server;
  /** Asked for when every line of the program has run: the host waits for records itself. */
  readonly host: () => Host;
}

/** The host as the nameserver of zones of its own: their records go to it, step by step, and their DS records come from it. */
export class Nameserver extends pulumi.ComponentResource {
  /** Publishes at the host. All of a publication's records of one kind are one text, which a preview compares by its lines. */
  readonly keeper: Keeper;
  /** The DS record that each zone's registrar has to have. */
  readonly ds: Readonly<Record<string, pulumi.Output<string>>>;
  /** What each zone's registrar has to be told, as lines for a person. */
  readonly registrar: Readonly<Record<string, pulumi.Output<readonly string[]>>>;
  /** What there has to be before that is known. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: NameserverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:Nameserver", name, {}, opts);
    const { settings, login, server } = args;
    const own = nameserver(settings);
    const zones = own?.zones ?? [];
    const first: pulumi.Resource[] = [];
    this.keeper = (publication) => {
      const { name: part, records, parent, after } = publication;
      const dependsOn = later((): pulumi.Resource[] => {
        const host = args.host();
        // Whoever waits for a record asks for it from outside.
        return [host.bundle("knot"), host.bundle("nftables"), ...new Set(records.flatMap(after))];
      });
      // What no fact is in is shown in every preview, also where a new key makes the rest unknown.
      const kinds = [
        { step: part, some: records.filter(({ isPlain }) => isPlain) },
        { step: `${part}-facts`, some: records.filter(({ isPlain }) => !isPlain) },
      ];
      const steps = kinds.map(({ step, some }) => ({
        some,
        made: remote(
          `${step}-zones`,
          { login, command: `${ZONES} put ${step}`, stdin: document(zones, some) },
          { parent, dependsOn },
        ),
      }));
      // With those of the first publication a zone is served, and has its key.
      if (first.length === 0) first.push(...steps.map(({ made }) => made));
      return new Map(
        steps.flatMap(({ some, made }) =>
          some.map((record) => [record.key, publishedBy(made, record)] as const),
        ),
      );
    };
    if (own === undefined) {
      this.ds = {};
      this.registrar = {};
      this.ready = [];
    } else {
      const asked = remote(
        `${name}-ds`,
        {
          login,
          command: `${ZONES} ds </dev/null`,
          // The keys lie on the volume: on another one they are others.
          stdin: pulumi.interpolate`${zones.join(" ")}\n${server.volume.id}\n`,
        },
        { parent: this, dependsOn: later(() => first) },
      );
      this.ds = Object.fromEntries(
        zones.map((zone) => [zone, asked.stdout.apply((said) => dsIn(said, zone))]),
      );
      const addresses = [server.address.publicIp, ...(settings.network.ipv6 ? [server.publicIpv6] : [])];
      this.registrar = Object.fromEntries(
        Object.entries(this.ds).map(([zone, ds]) => [
          zone,
          pulumi
            .all([pulumi.all(addresses), ds])
            .apply(([known, text]) => registrarLines(own, zone, known, text)),
        ]),
      );
      this.ready = [asked];
    }
    this.registerOutputs({});
  }
}

/** Known when every line of the program has run: nothing in them waits any more. */
async function later<T>(value: () => T): Promise<T> {
  await Promise.resolve();
  return value();
}

function document(zones: readonly string[], records: readonly KeptRecord[]): pulumi.Output<string> {
  return pulumi
    .all(records.map(({ content, ...record }) => content.apply((text) => ({ ...record, content: text }))))
    .apply((all) => zonesDocument(zones, all));
}

function publishedBy(made: Command, { name }: KeptRecord): Published {
  const texts = made.stdin.apply((text) =>
    textsOf(text ?? "").flatMap(([owner, value]) => (owner === name ? [value] : [])),
  );
  return { resource: made, texts };
}

/** As a record of the zone above. */
function dsIn(said: string, zone: string): string {
  const line = said.split("\n").find((each) => each.startsWith(`${zone} `));
  return line === undefined ? "" : `${zone}. 3600 IN DS ${line.slice(zone.length + 1)}`;
}
