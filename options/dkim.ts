import { z } from "zod";
import { option, revokedGenerations, turnDays } from "./option.ts";

/**
 * DKIM keys that take turns: the next one is always published already. Days that a key's record stays after its last
 * signature cover mail on its way, and receivers that look again.
 */
export const dkim = option({
  key: "dkim",
  schema: z
    .strictObject({
      rotateDays: turnDays.default(90).meta({
        description:
          "Days after which a domain's next DKIM key signs, by the first `up` then. 0: never by itself.",
        examples: [180, 0],
      }),
      overlapDays: z
        .int()
        .min(6)
        .max(60)
        .optional()
        .meta({
          description:
            "Days for which a key's record stays after its last signature, and a new one's is there before its first. Without it 7, or a day more than `queue.days` where that is longer.",
          examples: [14],
        }),
      revoked: revokedGenerations.meta({
        description:
          "Keys that somebody else may have, by their selectors without the last letter. Another one signs as soon as the world knows it, and with the `up` after that their records say that they are void.",
        examples: [["20261121"]],
      }),
      testing: z
        .boolean()
        .default(false)
        .meta({
          description:
            "Whether the key records of a domain say `t=y` in its first 14 days: receivers then do not hold a bad signature against it.",
          examples: [true],
        }),
    })
    .prefault({})
    .meta({ description: "The keys that mail is signed with.", examples: [{ rotateDays: 180 }] }),
  agree({ overlapDays }, _settings, report, { queue }) {
    const days = (queue as { readonly days?: number } | undefined)?.days ?? 0;
    if (overlapDays !== undefined && overlapDays <= days)
      report(
        ["overlapDays"],
        `is not longer than mail waits in the queue (${days} days); write ${days + 1} at least`,
      );
  },
});
