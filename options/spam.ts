import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { option } from "./option.ts";

const folder = "/etc/rspamd";
const actions = `${folder}/local.d/actions.conf`;
const greylisting = `${folder}/local.d/greylist.conf`;
const rule = `${folder}/lua.local.d/known-senders.lua`;

/** At which score what is done to a message from outside. */
export const spam = option({
  key: "spam",
  schema: z
    .strictObject({
      reject: z
        .number()
        .min(1)
        .max(1000)
        .default(15)
        .meta({ description: "Score from which a message is refused.", examples: [20] }),
      addHeader: z
        .number()
        .min(1)
        .max(1000)
        .default(6)
        .meta({ description: "Score from which a message is marked and goes to Junk.", examples: [5] }),
      greylist: z
        .number()
        .min(0)
        .max(1000)
        .default(4)
        .meta({
          description:
            "Score from which a sender that nobody here has written to is asked to come again after 5 minutes. 0: nobody is.",
          examples: [0],
        }),
    })
    .prefault({})
    .meta({
      description: "What is done to incoming mail at which of rspamd's scores.",
      examples: [{ greylist: 0 }],
      synonyms: ["spamassassin", "rspamd", "spamFilter"],
    }),
  agree({ reject, addHeader, greylist }, _settings, report) {
    if (addHeader >= reject) report(["addHeader"], `is not below reject; write a number below ${reject}`);
    if (greylist >= addHeader)
      report(
        ["greylist"],
        `is not below addHeader; write a number below ${addHeader}, or 0 for no greylisting`,
      );
  },
  bundles: (scores) => {
    const isGreylisting = scores.greylist > 0;
    const files = [
      file(actions, { ...scores, isGreylisting }),
      file(greylisting, { isGreylisting }),
      ...(isGreylisting ? [file(rule)] : []),
    ];
    return [
      bundle({
        name: "spam",
        why: "Says at which score a message is delayed, filed in Junk or refused.",
        files,
        validate: [rspamdJudge],
        units: [unit("rspamd.service", { reload: files.map(({ path }) => path) })],
        after: ["rspamd"],
      }),
    ];
  },
});
