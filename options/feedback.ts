import { z } from "zod";
import { FEEDBACK } from "../settings/routes.ts";
import { option } from "./option.ts";

/**
 * Complaints (ARF, RFC 5965): large receivers tell a sender who has registered with them which of his messages somebody has called
 * spam. The program of `mailhost:reports` takes them.
 */
export const feedback = option({
  key: "feedback",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description: `Whether there is an address ${FEEDBACK}@ in each domain that takes complaints (ARF): what you name to receivers who tell senders whose mail somebody has called spam. \`npm run reports\` says which messages of which mailboxes they are. The host reads them itself (mailhost:reports).`,
      examples: [true],
      synonyms: ["arf", "complaints", "feedbackLoop", "fbl"],
    }),
  agree(isOn, { domains }, report, { reports }) {
    if (!isOn) return;
    if (reports === false)
      report([], "wants the host to read reports; write mailhost:reports: {}, or take this line out");
    for (const { name, mailboxes, aliases } of domains)
      if ([...mailboxes, ...aliases].some(({ address }) => address === `${FEEDBACK}@${name}`))
        report(
          [],
          `takes complaints at ${FEEDBACK}@${name}, which is a mailbox or an alias; give that another name, or take this line out`,
        );
  },
});
