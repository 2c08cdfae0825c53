import { z } from "zod";
import { bundle, file, plainFile, secretFile, unit } from "../plan/bundle.ts";
import { option } from "./option.ts";

/** Debian's AppArmor profile lets the daemon read no other. */
const secret = "/etc/postsrsd.secret";
const dropIn = "/etc/systemd/system/postsrsd.service.d/mailhost.conf";

/**
 * Forwarded mail leaves with an envelope sender of this host, so that SPF passes at the next one: the Sender Rewriting
 * Scheme. Who knows the secret could send through the host, so it is made once and kept in the state: a bounce finds
 * its way back over a new machine too.
 */
export const srs = option({
  key: "srs",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether mail that an alias passes on to an address elsewhere gets an envelope sender of the host's own (SRS). Without it, other hosts refuse such mail of senders that have SPF.",
      examples: [false],
    }),
  bundles: (isOn, { hostname }) =>
    isOn
      ? [
          bundle({
            name: "srs",
            why: "Rewrites the envelope sender of what is forwarded, and leads its bounces back.",
            packages: ["postsrsd"],
            files: [file(dropIn, { hostname }), plainFile("/etc/default/postsrsd")],
            secretFiles: [secretFile(secret, ["generated"], ({ generated }) => `${generated.srs}\n`)],
            units: [unit("postsrsd.service", { restart: [secret, dropIn] })],
            generates: ["srs"],
            after: ["storage"],
          }),
        ]
      : [],
});
