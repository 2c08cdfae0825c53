import { z } from "zod";
import { bundle, directory, file, plainFile, unit } from "../plan/bundle.ts";
import {
  mergePasswords,
  ownPasswords as of,
  ownPasswordsProgram,
  usualShortest,
} from "../plan/ownPasswords.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import type { Bundle } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/own-passwords.conf";
const dropIn = "/etc/systemd/system/dovecot.service.d/own-passwords.conf";
const service = "/etc/systemd/system/mailhost-passwords.service";
const socket = "/etc/systemd/system/mailhost-passwords.socket";

/**
 * Users change their password themselves. An option of its own and no part of `web`: who switches webmail off does not
 * mean to give everybody their first password back.
 */
export const ownPasswords = option({
  key: "ownPasswords",
  schema: z
    .union([
      z.literal([false, true]),
      z.strictObject({
        shortest: z
          .int()
          .min(8)
          .max(64)
          .default(usualShortest)
          .meta({ description: "Fewest characters of a new password.", examples: [12] }),
      }),
    ])
    .optional()
    .meta({
      description:
        "Whether users can change their mailbox's password, in webmail. What they choose counts until the stack file has another password for the mailbox. Left out: where there is webmail.",
      examples: [true, { shortest: 12 }, false],
    }),
  bundles: (_said, settings) => bundlesOf(settings),
});

function bundlesOf(settings: Settings): readonly Bundle[] {
  const own = of(settings);
  if (own === undefined) return [];
  return [
    bundle({
      name: "own-passwords",
      why: "Lets users change their password.",
      directories: [directory("/srv/passwords", { owner: "passwords", group: "dovecot", mode: "2750" })],
      files: [
        file(ownPasswordsProgram, own, { mode: "0755" }),
        file(conf, own),
        plainFile(dropIn),
        ...(own.change ? [plainFile(service), plainFile(socket)] : []),
      ],
      derivations: [
        { command: mergePasswords, on: [ownPasswordsProgram, conf], makes: ["/srv/passwords/users"] },
      ],
      validate: [dovecotJudge],
      units: [
        unit("dovecot.service", { reload: [conf] }),
        ...(own.change ? [unit("mailhost-passwords.socket", { restart: [socket] })] : []),
      ],
      after: ["accounts", "dovecot", ...(own.change ? ["web"] : [])],
    }),
  ];
}
