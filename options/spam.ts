import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { option } from "./option.ts";

const folder = "/etc/rspamd";
const actions = `${folder}/local.d/actions.conf`;
const greylisting = `${folder}/local.d/greylist.conf`;
const weights = `${folder}/override.d/groups.conf`;
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
      scores: z
        .record(
          z.string().regex(/^[A-Z][A-Z0-9_]*$/, "is no rule of rspamd's; write it as X-Spamd-Result has it"),
          z.number().min(-100).max(100),
        )
        .default({})
        .meta({
          description:
            "What single rules add to a message's score, in place of rspamd's own figures; 0: the rule has no say. Their names stand in each message's X-Spamd-Result header.",
          examples: [{ MIME_DOUBLE_BAD_EXTENSION: 15, DMARC_POLICY_SOFTFAIL: 2 }],
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
  bundles: ({ scores, ...limits }) => {
    const isGreylisting = limits.greylist > 0;
    const own = Object.entries(scores).map(([symbol, weight]) => ({ symbol, weight }));
    const files = [
      file(actions, { ...limits, isGreylisting }),
      ...(own.length > 0 ? [file(weights, { scores: own })] : []),
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
