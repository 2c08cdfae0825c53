import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import type { Port } from "../plan/types.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/pop3s.conf";

export const pop3sPort: Port = {
  name: "pop3s",
  number: 995,
  protocol: "tcp",
  from: "anywhere",
  why: "Mailboxes, for programs that know POP3 only.",
};

/** Mailboxes over POP3 as well, for programs and devices that know nothing else (RFC 1939, RFC 8314). */
export const pop3s = option({
  key: "pop3s",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description: "Whether mail can be fetched over POP3, with TLS on port 995. 110 stays closed.",
      examples: [true],
      synonyms: ["pop"],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "pop3s",
            why: "Lets old programs and devices fetch mail over POP3.",
            packages: ["dovecot-pop3d"],
            files: [plainFile(conf)],
            validate: [dovecotJudge],
            // Dovecot reads what a new protocol's settings mean only when it starts.
            units: [unit("dovecot.service", { restart: [conf] })],
            ports: [pop3sPort],
            after: ["dovecot"],
          }),
        ]
      : [],
});
