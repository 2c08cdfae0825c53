import { z } from "zod";
import { addressParts, emailAddress } from "../settings/names.ts";
import { option } from "./option.ts";

// What is wrong with it is said without showing it: whoever knows it can write there.
const webhook = z
  .string()
  .refine((value) => /^[!-~]+$/.test(value) && URL.canParse(value) && new URL(value).protocol === "https:", {
    message:
      "is not an https URL; write the one that the service shows, such as https://hooks.example.net/T0/B1",
  });

const elsewhere = z
  .string()
  .refine((value) => emailAddress(value) !== undefined, {
    message: "is not a mail address; write one of another provider's, such as ann@example.net",
  })
  .transform((value) => emailAddress(value) ?? value);

const ways = z.strictObject({
  to: elsewhere.optional().meta({
    description:
      "A second address, of another provider's: it gets the same mail, straight from the host to that provider, past the queue.",
    examples: ["ann@example.net"],
  }),
  webhook: webhook.optional().meta({
    description:
      "An https URL that gets what changed as JSON, by POST: a chat's incoming webhook, for instance. An environment variable keeps it out of the stack file.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
    examples: ["${CHECK_WEBHOOK}"],
  }),
});

/**
 * The check of `npm run check`, each day on the host itself. What it needs of the plan is all of it: its bundle is made when
 * everything else is known (`plan/services/dailyCheck.ts`).
 */
export const dailyCheck = option({
  key: "dailyCheck",
  schema: z
    .union([z.literal([false, true]), ways])
    .default(false)
    .meta({
      description:
        "Whether the host checks itself each day, and mails the owner what is newly wrong and what is wrong no more. It brings Node to the host: some 70 MB of disk, and 80 MB of memory for the minutes that it runs.",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
      examples: [true, { to: "ann@example.net", webhook: "${CHECK_WEBHOOK}" }],
    }),
  agree(value, { domains, hostname }, report) {
    if (typeof value === "boolean" || value.to === undefined) return;
    const { domain } = addressParts(value.to);
    if (domain === hostname || domains.some(({ name }) => name === domain))
      report(
        ["to"],
        `is of this very host, whose owner gets the mail anyhow; write one of another provider's`,
      );
  },
});
