import { at, recordsOf } from "../records.ts";
import type { StackRule } from "../rule.ts";

/** Seconds: below it resolvers ask for each message, above it a mistake lasts for days. */
const shortest = 60;
const longest = 86_400;

/** Cloudflare's word for "automatic", which is 300 seconds. */
const automatic = 1;

export const ttl: StackRule = {
  name: "ttl-sane",
  level: "advisory",
  description: `Records live from ${shortest} seconds to a day.`,
  judgeStack: (resources) =>
    recordsOf(resources)
      .filter(({ ttl }) => ttl !== undefined && ttl !== automatic && (ttl < shortest || ttl > longest))
      .map((record) => ({
        ...at(record),
        text: `${record.type} ${record.name} lives ${record.ttl} seconds: ${(record.ttl ?? 0) < shortest ? "resolvers would ask for it with each message" : "a mistake in it would be believed for days"}. Have 300 while it is new, 3600 after; the program does that by the domain's \`since\`.`,
      })),
};
