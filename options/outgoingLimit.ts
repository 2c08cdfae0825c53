import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { limitsSenders } from "../plan/trustedHosts.ts";
import { option } from "./option.ts";

const rule = "/etc/rspamd/lua.local.d/outgoing-limit.lua";

/** How many recipients a mailbox may write to in an hour, so that one stolen password does not burn the address. */
export const outgoingLimit = option({
  key: "outgoingLimit",
  schema: z
    .int()
    .min(0)
    .max(100_000)
    .default(300)
    .meta({
      description:
        "How many recipients each mailbox may write to in any 60 minutes. More is put off, and the owner is told. 0: as many as it likes.",
      examples: [0, 1000],
      synonyms: ["rateLimit"],
    }),
  bundles: (limit, settings) =>
    limitsSenders(settings)
      ? [
          bundle({
            name: "outgoing-limit",
            why: "Holds each mailbox to a number of recipients an hour.",
            files: [file(rule, { limit, hostname: settings.hostname })],
            validate: [rspamdJudge],
            units: [unit("rspamd.service", { reload: [rule] })],
            after: ["rspamd"],
          }),
        ]
      : [],
});
