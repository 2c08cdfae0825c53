import { z } from "zod";
import { bundle, directory, plainFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/learning.conf";
// Of itself it takes the settings of the Dovecot that runs, which has no word of these extensions yet.
const sievec = "sievec -c /etc/dovecot/dovecot.conf";
const scripts = ["junk", "learn-spam", "learn-ham"].map((name) => ({
  source: `/etc/dovecot/sieve/${name}.sieve`,
  binary: `/var/lib/dovecot/sieve/${name}.svbin`,
}));

/** What users move into Junk and out of it teaches the spam filter, and is remembered for each user. */
export const learning = option({
  key: "learning",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether the spam filter learns from what users move into Junk (spam) and out of it (no spam), and files no mail to Junk any more whose sender the user has taken out.",
      examples: [false],
      synonyms: ["bayes"],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "learning",
            why: "Teaches rspamd what users move into Junk and out of it, and remembers what they want.",
            // Dovecot makes the folder of a socket when it starts, and dies where it is missing at a reload (2.4.1): one that
            // another bundle asks for, before this one has restarted it.
            directories: [
              directory("/run/dovecot/learning", { owner: "vmail", mode: "0700" }),
              directory("/usr/local/lib/mailhost/sieve"),
            ],
            files: [
              plainFile(conf),
              ...scripts.map(({ source }) => plainFile(source)),
              plainFile("/usr/local/lib/mailhost/learn", { mode: "0755" }),
              plainFile("/usr/local/lib/mailhost/sieve/wanted", { mode: "0755" }),
            ],
            validate: [dovecotJudge, ...scripts.map(({ source }) => `${sievec} -d ${source} - >/dev/null`)],
            derivations: scripts.map(({ source, binary }) => ({
              // Dovecot compiles anew, as vmail, where its version is another.
              command: `${sievec} ${source} ${binary} && chown vmail:vmail ${binary}`,
              on: [source],
              makes: [binary],
            })),
            units: [unit("dovecot.service", { restart: [conf] })],
            after: ["dovecot", "rspamd"],
          }),
        ]
      : [],
});
