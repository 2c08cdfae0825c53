import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/compression.conf";

/**
 * Mail that comes in is written compressed. What is on the volume stays as it is, and either kind is read with this on
 * and off: dovecot.conf has the plugin for that.
 */
export const compression = option({
  key: "compression",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether mail is compressed on the data volume (Zstandard). Mail that is there already stays as it is; both kinds are read either way. A mailbox's quota counts mail at its full size.",
      examples: [false],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "compression",
            why: "Compresses mail on the data volume.",
            files: [plainFile(conf)],
            validate: [dovecotJudge],
            units: [unit("dovecot.service", { reload: [conf] })],
            after: ["dovecot"],
          }),
        ]
      : [],
});
