import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { quotaText } from "../plan/quota.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { quotaSize } from "../settings/sizes.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/quota.conf";
const warning = "/usr/local/lib/mailhost/quota-warning";

/**
 * How much a mailbox holds: shown to mail programs (RFC 9208), with a letter before it is full, and refused by Postfix
 * while the sender is still there. 4.2.2 and not 5.2.2 (RFC 3463): the sender tries for days, and room may be made.
 */
export const quota = option({
  key: "quota",
  schema: z
    .strictObject({
      size: quotaSize.default(5).meta({
        description:
          "What a mailbox holds, in GiB. A mailbox's own `quota` stands in its place. 0: nothing is counted, and the data volume is the limit.",
        examples: [10, 0.5, 0],
      }),
      warnings: z
        .array(z.int().min(1).max(99))
        .default([80, 95])
        .meta({
          description: "At how many percent the mailbox gets a letter that says so.",
          examples: [[90]],
        }),
    })
    .prefault({})
    .meta({
      description:
        "How much a mailbox holds. A full one refuses mail for now (452), so senders try again for days.",
      examples: [{ size: 10 }],
    }),
  agree({ size }, settings, report) {
    if (size > 0) return;
    for (const { address, quota } of settings.domains.flatMap(({ mailboxes }) => mailboxes))
      if (quota !== undefined)
        report(
          ["size"],
          `is 0, so nothing is counted, while ${address} has a quota of its own; write a size here, or take that one out`,
        );
  },
  bundles: (value, settings) =>
    value.size === 0
      ? []
      : [
          bundle({
            name: "quota",
            why: "Counts what each mailbox holds, warns its owner, and refuses mail for a full one.",
            files: [
              file(conf, {
                size: quotaText(value.size),
                warnings: [...new Set(value.warnings)].toSorted((a, b) => a - b),
              }),
              file(warning, { hostname: settings.hostname }, { mode: "0755" }),
            ],
            validate: [dovecotJudge],
            units: [unit("dovecot.service", { restart: [conf] })],
            after: ["dovecot"],
          }),
        ],
});
