import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { nightly } from "../plan/nightly.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/search.conf";
const night = nightly({
  name: "index",
  what: "Takes the day's mail into the index of searches",
  why: "Junk and Trash as well: a search there is to be as quick.",
  at: "02:30",
  commands: ["doveadm index -A *"],
});

/** Languages that Debian's Dovecot knows the stems of words in (ISO 639-1). */
const languages = [
  "da",
  "de",
  "en",
  "es",
  "fi",
  "fr",
  "it",
  "nl",
  "no",
  "pt",
  "ro",
  "ru",
  "sv",
  "tr",
] as const;

/**
 * Words of the mail itself are found at once (IMAP's SEARCH BODY and TEXT, RFC 9051 section 6.4.4), by an index beside
 * the mail. New mail comes into it at night and at the first search, not with each delivery: that would cost each
 * delivery a second process, and a host without searching users as much as any other.
 */
export const search = option({
  key: "search",
  schema: z
    .union([
      z.literal(false),
      z.strictObject({
        languages: z
          .array(z.enum(languages))
          .min(1)
          .default(["en", "de", "es", "fr"])
          .meta({
            description: `Languages that mail is written in: a word is found in its other forms too. The first stands for what is none of them. Known are ${languages.join(", ")}.`,
            examples: [["en", "nl"]],
          }),
      }),
    ])
    .prefault({})
    .meta({
      description:
        "Whether searches in the text of mail are answered from an index, or false. Without it each such search reads all mail of the folder.",
      examples: [false, { languages: ["en", "nl"] }],
      synonyms: ["fts"],
    }),
  bundles: (chosen) =>
    chosen === false
      ? []
      : [
          bundle({
            name: "search",
            why: "Answers searches in the text of mail from an index.",
            packages: ["dovecot-flatcurve"],
            files: [
              file(conf, {
                languages: [...new Set(chosen.languages)].map((name, index) => ({
                  name,
                  isFirst: index === 0,
                })),
              }),
              ...night.files,
            ],
            validate: [dovecotJudge],
            // A plugin's settings mean something to Dovecot only when it starts with it.
            units: [unit("dovecot.service", { restart: [conf] }), ...night.units],
            after: ["dovecot"],
          }),
        ],
});
