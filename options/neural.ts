import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { option } from "./option.ts";

const weights = "/etc/rspamd/local.d/neural_group.conf";

/**
 * A network that learns which of rspamd's rules speak together. What it learns from and how much is in the rspamd
 * bundle's `neural.conf`, which also keeps it off, since rspamd has it on wherever there is a Redis.
 */
export const neural = option({
  key: "neural",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description:
        "Whether a small neural network has a say in the spam score, too. It learns by itself from mail that was clearly spam and mail that was clearly none, and says nothing before it has seen 200 of each.",
      examples: [true],
      synonyms: ["neuralNetwork"],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "neural",
            why: "Gives a neural network a say in the spam score.",
            files: [plainFile(weights)],
            validate: [rspamdJudge],
            units: [unit("rspamd.service", { reload: [weights] })],
            after: ["rspamd"],
          }),
        ]
      : [],
});
