import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { isSentBySes } from "../plan/ses.ts";
import { option } from "./option.ts";

const rule = "/etc/rspamd/lua.local.d/feedback-id.lua";

/**
 * Feedback-ID (Gmail's "Feedback Loop"): says in each message whose it is, so that Google's Postmaster Tools tell which mailbox's
 * mail its users call spam. It counts only where the signature (DKIM) covers it.
 */
export const feedbackId = option({
  key: "feedbackId",
  schema: z
    .union([
      z.literal(false),
      z.strictObject({
        sender: z
          .string()
          .refine((value) => /^[A-Za-z0-9]{5,15}$/.test(value), {
            message: "is no name of a sender; write 5 to 15 letters and digits, such as examplemail",
          })
          .meta({
            description: "5 to 15 letters and digits of your own choice, which stay.",
            examples: ["examplemail"],
          }),
      }),
    ])
    .default(false)
    .meta({
      description:
        "Whether each message that is submitted here and has no Feedback-ID gets one, `ann:example.org:mailbox:examplemail`, under its DKIM signatures: Google's Postmaster Tools then tell by mailbox what Gmail's users call spam.",
      examples: [{ sender: "examplemail" }],
    }),
  bundles: (value, settings) =>
    value === false
      ? []
      : [
          bundle({
            name: "feedback-id",
            why: "Says in each message whose it is, for Gmail's statistics of complaints.",
            files: [
              file(rule, {
                sender: value.sender,
                // Amazon SES signs by itself, and puts in one of its own.
                domains: settings.domains
                  .map(({ name }) => name)
                  .filter((name) => !isSentBySes(settings, name)),
              }),
            ],
            validate: [rspamdJudge],
            units: [unit("rspamd.service", { reload: [rule] })],
            after: ["rspamd"],
          }),
        ],
});
