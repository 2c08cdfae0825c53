import * as pulumi from "@pulumi/pulumi";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
import { zoneFile } from "../../plan/zoneFile.ts";
import type { Settings } from "../../settings/types.ts";
import type { RecordOutput } from "../dns.ts";
import type { Keeper } from "./keeper.ts";

/** Somebody puts the records in by hand: the stack's output shows them, and nothing is touched. */
export const byHand: Keeper = () => new Map();

/** The records of each zone that is kept by hand, as a part of its zone file. */
export function zoneFiles(
  { options: { dns } }: Settings,
  records: readonly RecordOutput[],
): ReadonlyMap<string, pulumi.Output<string>> {
  const byHand = records.filter(({ zone }) => dnsProviderOf(dns, zone) === "byHand");
  return new Map(
    [...Map.groupBy(byHand, ({ zone }) => zone)].map(([zone, some]) => [
      zone,
      pulumi
        .all(some.map(({ content, ...record }) => content.apply((text) => ({ ...record, content: text }))))
        .apply((all) => zoneFile(zone, all)),
    ]),
  );
}
