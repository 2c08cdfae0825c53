import { DnsRecord as CloudflareRecord } from "@pulumi/cloudflare/dnsRecord.js";
import * as pulumi from "@pulumi/pulumi";
import {
  conflicts,
  type ExistingRecord,
  freeThePlace,
  importWords,
  joinTheRecord,
  leaveThePlace,
  markIn,
  placeTaken,
  shownRecord,
} from "../../plan/conflicts.ts";
import { quoteTxt } from "../../plan/txt.ts";
import type { DnsRecord } from "../../plan/types.ts";
import { engineCommand } from "../engine.ts";
import type { Keeper, KeptRecord, Publication } from "./keeper.ts";

/** A zone at Cloudflare. */
export interface CloudflareZone {
  readonly id: string;
  readonly accountId: string;
  /**
   * What was in it before the run. It is listed before anything is registered: a hook that asked the engine for it would
   * hold one of the engine's workers, and enough of them at once wait for good for a provider that only a worker can start.
   */
  readonly records: readonly ExistingRecord[];
}

/** Those of Cloudflare's zones that the stack uses, by name. */
export type CloudflareZones = ReadonlyMap<string, CloudflareZone>;

/** A resource of Cloudflare's for each record. */
export function cloudflare(zones: CloudflareZones): Keeper {
  return (publication) => {
    const { name, parent, records } = publication;
    const refuseForeign = refusal(`${name}-refuse-foreign`, zones);
    return new Map(
      records.map((record) => {
        const zoneId = zones.get(record.zone)?.id;
        if (zoneId === undefined)
          throw new pulumi.ResourceError(`No zone ${record.zone} for ${record.key}`, parent);
        const resource = createRecord(record, zoneId, publication, refuseForeign);
        return [record.key, { resource, texts: resource.content.apply((text) => (text ? [text] : [])) }];
      }),
    );
  };
}

function createRecord(
  record: KeptRecord,
  zoneId: string,
  { name, parent, mark, after }: Publication,
  refuseForeign: pulumi.ResourceHook,
): CloudflareRecord {
  return new CloudflareRecord(
    `${name}-${record.key}`,
    {
      zoneId,
      name: record.name,
      type: record.type,
      ttl: record.ttl,
      // Cloudflare's proxy carries web traffic only; behind it, mail would never arrive.
      proxied: false,
      ...(record.priority !== undefined && { priority: record.priority }),
      ...valueParts(record),
      comment: pulumi.interpolate`${mark}${record.why}`,
    },
    {
      parent,
      dependsOn: [...after(record)],
      // Cloudflare takes no two records of one name where one is about to replace the other in kind.
      deleteBeforeReplace: true,
      // A record that was imported by the line below has no parent in the state.
      aliases: [{ parent: pulumi.rootStackResource }],
      hooks: { beforeCreate: [refuseForeign], beforeUpdate: [refuseForeign] },
    },
  );
}

/** The value as Cloudflare takes it: TXT quoted, SRV, TLSA and CAA in their parts, all else as it is. */
function valueParts({ type, priority = 0, content }: KeptRecord) {
  if (type === "TXT") return { content: content.apply(quoteTxt) };
  if (type === "CAA") {
    const caa = content.apply((text) => /^(\d+) (\w+) "(.*)"$/.exec(text) ?? []);
    return {
      data: {
        flags: caa.apply(([, flags]) => Number(flags)),
        tag: caa.apply(([, , tag = ""]) => tag),
        value: caa.apply(([, , , value = ""]) => value),
      },
    };
  }
  if (type !== "SRV" && type !== "TLSA") return { content };
  const parts = content.apply((text) => text.split(" "));
  if (type === "TLSA") {
    return {
      data: {
        usage: parts.apply(([usage]) => Number(usage)),
        selector: parts.apply(([, selector]) => Number(selector)),
        matchingType: parts.apply(([, , matchingType]) => Number(matchingType)),
        certificate: parts.apply(([, , , digest]) => digest ?? ""),
      },
    };
  }
  return {
    data: {
      priority,
      weight: parts.apply(([weight]) => Number(weight)),
      port: parts.apply(([, port]) => Number(port)),
      target: parts.apply(([, , target]) => target ?? ""),
    },
  };
}

/**
 * Runs before a record is made or changed, in previews too: what stands beside it, contradicts it and is not ours is
 * named, with the line that takes it over. On a change the record itself is left out, so that one that was imported
 * is adopted, and its former companions still are not overlooked.
 */
function refusal(hookName: string, zones: CloudflareZones): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    hookName,
    (args) => {
      const { zoneId, name, type, content, comment } = args.newInputs as Record<
        "zoneId" | "name" | "type" | "comment",
        string
      > & { readonly content?: string };
      const [zone = "", { records = [] } = {}] = [...zones].find(([, { id }]) => id === zoneId) ?? [];
      const record = { name, type: type as DnsRecord["type"], zone };
      const others = records.filter(({ id }) => id !== args.id);
      const [first, ...rest] = conflicts(
        record,
        content ?? "",
        others,
        // Unknown in the preview before the first `up`.
        typeof comment === "string" ? markIn(comment) : undefined,
      );
      if (first === undefined) return;
      // The engine imports a record as what it is: one of another type cannot become ours.
      const canBeOurs = !args.id && first.type === type;
      const show = (other: ExistingRecord) => `  ${shownRecord(other)}`;
      throw new Error(
        [
          `${placeTaken(record)}; nothing was overwritten.`,
          show(first),
          ...(canBeOurs
            ? [
                `    take it over:  ${engineCommand(importWords(args.name, zoneId, first.id))}`,
                `    or ${freeThePlace}`,
                ...joinTheRecord(first).map((way) => `    ${way}`),
              ]
            : [`    ${leaveThePlace}`]),
          ...(rest.length > 0 ? ["Delete these, too, before you run again:", ...rest.map(show)] : []),
        ].join("\n"),
      );
    },
    { onDryRun: true },
  );
}
