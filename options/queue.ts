import { z } from "zod";
import { option } from "./option.ts";

const whole = (low: number, high: number) => z.int().min(low).max(high);

/** How long what cannot be delivered is tried, and how often (RFC 5321 section 4.5.4.1). Times are Postfix's to keep. */
export const queue = option({
  key: "queue",
  schema: z
    .strictObject({
      days: whole(1, 30)
        .default(5)
        .meta({ description: "Days for which a message is tried before it goes back.", examples: [3] }),
      bounceDays: whole(0, 30)
        .default(1)
        .meta({ description: "The same for bounces, which nobody waits for.", examples: [2] }),
      warnAfterHours: whole(0, 720)
        .default(4)
        .meta({
          description: "Hours after which the sender hears that a message still waits; 0: never.",
          examples: [12],
        }),
      firstRetryMinutes: whole(1, 60)
        .default(5)
        .meta({
          description: "Minutes until the second try; each later one waits twice as long.",
          examples: [2],
        }),
      lastRetryMinutes: whole(5, 1440)
        .default(66)
        .meta({ description: "Minutes between tries at most.", examples: [30] }),
    })
    .prefault({})
    .meta({
      description: "How long and how often mail is tried that its receiver does not take yet.",
      examples: [{ days: 3, lastRetryMinutes: 30 }],
    }),
  agree({ days, bounceDays, firstRetryMinutes, lastRetryMinutes }, _settings, report) {
    if (bounceDays > days) report(["bounceDays"], `is more than days; write ${days} at most`);
    if (lastRetryMinutes < firstRetryMinutes)
      report(["lastRetryMinutes"], `is less than firstRetryMinutes; write ${firstRetryMinutes} at least`);
  },
});
