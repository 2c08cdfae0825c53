import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/managesieve.conf";

/** Where mail programs keep their users' filters and absence notes: ManageSieve (RFC 5804). */
export const managesieve = option({
  key: "managesieve",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description:
        "Whether mail programs can put their users' own Sieve scripts on the host (filters, absence notes), over ManageSieve on port 4190 with TLS.",
      examples: [true],
      synonyms: ["sieve", "filters", "vacation"],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "managesieve",
            why: "Lets mail programs put filters and absence notes on the host.",
            packages: ["dovecot-managesieved"],
            files: [plainFile(conf)],
            validate: [dovecotJudge],
            // Dovecot reads what a new protocol's settings mean only when it starts.
            units: [unit("dovecot.service", { restart: [conf] })],
            ports: [
              {
                name: "sieve",
                number: 4190,
                protocol: "tcp",
                from: "anywhere",
                why: "Filters and absence notes, for mail programs.",
              },
            ],
            after: ["dovecot"],
          }),
        ]
      : [],
});
