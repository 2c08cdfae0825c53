import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/pop3s.conf";

/** Mailboxes over POP3 as well, for programs and devices that know nothing else (RFC 1939, RFC 8314). */
export const pop3s = option({
  key: "pop3s",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description: "Whether mail can be fetched over POP3, with TLS on port 995. 110 stays closed.",
      examples: [true],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "pop3s",
            why: "Lets old programs and devices fetch mail over POP3.",
            packages: ["dovecot-pop3d"],
            files: [plainFile(conf)],
            validate: ["doveconf -n >/dev/null"],
            // Dovecot reads what a new protocol's settings mean only when it starts.
            units: [unit("dovecot.service", { restart: [conf] })],
            ports: [
              {
                name: "pop3s",
                number: 995,
                protocol: "tcp",
                from: "anywhere",
                why: "Mailboxes, for programs that know POP3 only.",
              },
            ],
            after: ["dovecot"],
          }),
        ]
      : [],
});
