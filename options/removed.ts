import { z } from "zod";
import { bundle } from "../plan/bundle.ts";
import { nightly } from "../plan/nightly.ts";
import { option } from "./option.ts";

/** What becomes of the mail of a mailbox that the stack file has no more: it stays, until its owner says otherwise. */
export const removed = option({
  key: "removed",
  schema: z
    .strictObject({
      keepDays: z
        .int()
        .min(1)
        .max(3650)
        .optional()
        .meta({
          description:
            "Days after which the mail of a removed mailbox is deleted, from the `up` that removed it. Without it such mail is kept until somebody deletes it by the mailbox's name.",
          examples: [90],
        }),
    })
    .prefault({})
    .meta({
      description: "What becomes of the mail of a mailbox that was taken out of the stack file.",
      examples: [{ keepDays: 90 }],
    }),
  bundles: ({ keepDays }) =>
    keepDays === undefined
      ? []
      : [
          bundle({
            name: "removed",
            why: "Deletes the mail of mailboxes that were removed long ago.",
            ...nightly({
              name: "removed",
              what: "Deletes the mail of mailboxes that were removed long ago",
              why: "Counted from the deployment that removed them; who is back in the stack file is left alone.",
              at: "03:00",
              commands: [`/usr/local/lib/mailhost/removed --expire ${keepDays}`],
              writes: ["/srv/mail", "/srv/removed"],
            }),
            after: ["accounts"],
          }),
        ],
});
