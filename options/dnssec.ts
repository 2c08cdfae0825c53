import { z } from "zod";
import { option } from "./option.ts";

/**
 * Signatures on the records themselves (RFC 9364). What the zones' provider signs counts when the registrar has the DS record,
 * which is the owner's part.
 */
export const dnssec = option({
  key: "dnssec",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether Cloudflare signs the zones that it keeps. It counts when the DS record of `stack output dnssec` is at the registrar. Switched off here, a zone stays signed: a DS without signatures would make the domain vanish.",
      examples: [false],
    }),
});
