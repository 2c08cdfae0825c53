import { z } from "zod";
import { option } from "./option.ts";

/**
 * DANE for SMTP (RFC 7672): TLSA records name the keys that the host speaks TLS with, so that who sends here can tell it from
 * anybody between. The records are among the host's own: `plan/records.ts`.
 */
export const dane = option({
  key: "dane",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether TLSA records name the host's keys of TLS (DANE). They count for senders where the zone of the host's name is signed (`dnssec`).",
      examples: [false],
    }),
});
