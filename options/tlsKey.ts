import { z } from "zod";
import { option, revokedGenerations, turnDays } from "./option.ts";

/**
 * The key with which the host speaks TLS. It stays over renewals of the certificate; the next one is made, and told to the
 * world (`mailhost:dane`), long before it is used.
 */
export const tlsKey = option({
  key: "tlsKey",
  schema: z
    .strictObject({
      rotateDays: turnDays.default(365).meta({
        description:
          "Days after which the host changes over to its next key of TLS, by the first `up` then. 0: never by itself.",
        examples: [90, 0],
      }),
      overlapDays: z
        .int()
        .min(2)
        .max(60)
        .default(7)
        .meta({
          description:
            "Days for which a key's TLSA record stays after its last use, and a new one's is there before its first.",
          examples: [14],
        }),
      revoked: revokedGenerations.meta({
        description:
          "Keys that somebody else may have, by their names in `stack output keyRotation`. Another one is used as soon as the world knows it.",
        examples: [["20261121"]],
      }),
    })
    .prefault({})
    .meta({ description: "The key with which the host speaks TLS.", examples: [{ rotateDays: 90 }] }),
});
