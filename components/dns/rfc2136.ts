import { Command } from "@pulumi/command/local/command.js";
import * as pulumi from "@pulumi/pulumi";
import type { UpdateServer } from "../../plan/dnsProvider.ts";
import { quoteTxt } from "../../plan/txt.ts";
import { valueText } from "../../plan/zoneFile.ts";
import { onceKnown } from "../onceKnown.ts";
import { type Keeper, type KeptRecord, setsOf } from "./keeper.ts";
import { refuseForeignSet, type WantedSet } from "./recordSet.ts";
import { told } from "./texts.ts";

/** From the repository's root, where the engine runs. */
const program = "node components/dns/changeSet.ts";

/** All that is known before anything is made. */
type Place = Omit<WantedSet, "values">;

/**
 * A nameserver that takes dynamic updates (RFC 2136), signed with a key (TSIG). A command for each set of one name and type:
 * this machine sends the updates, so that a `destroy` works when the host is gone.
 */
export function rfc2136(server: UpdateServer): Keeper {
  return ({ name, parent, records, after }) => {
    const sets = setsOf(records);
    const places = new Map(
      sets.map(({ key, first }) => [`${name}-${key}`, placeOf(first, records, server)] as const),
    );
    const refuseForeign = refusal(`${name}-refuse-foreign-updates`, places, server.secret);
    return new Map(
      sets.flatMap(({ key, first, all }) => {
        const place = placeOf(first, records, server);
        const made = new Command(
          `${name}-${key}`,
          {
            create: `${program} publish`,
            update: `${program} publish`,
            delete: `${program} withdraw`,
            stdin: pulumi
              .all(all.map((record) => record.content.apply((content) => valueText({ ...record, content }))))
              .apply((values) => JSON.stringify({ ...place, values }, undefined, 2)),
            environment: pulumi.secret({ MAILHOST_TSIG_SECRET: server.secret }),
            // In another zone it is another set.
            triggers: [first.zone],
            logging: "none",
          },
          {
            parent,
            dependsOn: [...after(first)],
            // The old one would take out what the new one has put in.
            deleteBeforeReplace: true,
            hooks: { beforeCreate: [refuseForeign], beforeUpdate: [refuseForeign] },
          },
        );
        const texts = made.stdout.apply((said) => ((told(said) ?? []) as readonly string[]).map(quoteTxt));
        return all.map((record) => [record.key, { resource: made, texts }] as const);
      }),
    );
  };
}

function placeOf(
  { zone, name, type, ttl }: KeptRecord,
  records: readonly KeptRecord[],
  { server, port, key, algorithm }: UpdateServer,
): Place {
  const other = { A: "AAAA", AAAA: "A" }[type as string];
  const hasOtherAddresses = records.some((record) => record.name === name && record.type === other);
  return { server, port, key: { name: key, algorithm }, zone, name, type, ttl, hasOtherAddresses };
}

/** What the engine hands a hook: what is secret comes as an output. */
async function plain(value: unknown): Promise<unknown> {
  return pulumi.Output.isInstance(value) ? await onceKnown(value) : value;
}

/** Runs before a set is made or changed, in previews too. */
function refusal(hookName: string, places: ReadonlyMap<string, Place>, secret: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    hookName,
    async ({ name, newInputs, oldOutputs }) => {
      const place = places.get(name);
      if (place === undefined) return;
      // Unknown in the preview before the first `up`.
      const wanted = told(await plain(newInputs?.stdin)) as WantedSet | undefined;
      const before = (told(await plain(oldOutputs?.stdout)) ?? []) as readonly string[];
      await refuseForeignSet(wanted ?? { ...place, values: [] }, before, secret);
    },
    { onDryRun: true },
  );
}
