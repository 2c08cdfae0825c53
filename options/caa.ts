import { z } from "zod";
import { option } from "./option.ts";

/**
 * Who may issue certificates for the names that the host has one for (RFC 8659): one authority, for one account and by one way
 * of proof (RFC 8657). The records are among the host's own: `plan/records.ts`.
 */
export const caa = option({
  key: "caa",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether CAA records hold certificates for the host's names to its own account at its authority. There are none where the authority has no name (`acme.caaIdentity`).",
      examples: [false],
    }),
});
