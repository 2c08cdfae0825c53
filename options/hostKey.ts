import { z } from "zod";
import { option, revokedGenerations, turnDays } from "./option.ts";

/** The key by which SSH knows the host. The next one is made, and told to whoever logs in, long before it is used. */
export const hostKey = option({
  key: "hostKey",
  schema: z
    .strictObject({
      rotateDays: turnDays.default(0).meta({
        description:
          "Days after which the host changes over to its next SSH host key, by the first `up` then. 0: never by itself.",
        examples: [365],
      }),
      revoked: revokedGenerations.meta({
        description:
          "SSH host keys that somebody else may have, by their names in `stack output keyRotation`. The next `up` changes over to another one.",
        examples: [["20261121"]],
      }),
    })
    .prefault({})
    .meta({ description: "The key by which SSH knows the host.", examples: [{ rotateDays: 365 }] }),
});
