import { z } from "zod";
import { bundle, directory, plainFile, textFile, unit } from "../plan/bundle.ts";
import type { Bundle } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
import { option } from "./option.ts";

const folder = "/etc/systemd/system";
const socket = `${folder}/mailhost-reports.socket`;

/**
 * What other servers report about the domains: DMARC's aggregate reports and TLS-RPT's. They are taken by a program of their
 * own, which keeps the sums that `npm run reports` shows.
 */
export const reports = option({
  key: "reports",
  schema: z
    .union([
      z.literal(false),
      z.strictObject({
        keepDays: z
          .int()
          .min(30)
          .max(3650)
          .default(400)
          .meta({ description: "Days for which what a report says is kept.", examples: [90] }),
      }),
    ])
    .prefault({})
    .meta({
      description:
        "Whether the host reads what other servers report about its domains (DMARC, TLS-RPT): `npm run reports` sums it up. Off, dmarc@ and tls-reports@ lead to the owner.",
      examples: [{ keepDays: 90 }, false],
    }),
  bundles: (value, settings) => (value === false ? [] : [reader(settings, value.keepDays)]),
});

function reader({ hostname, domains, options }: Settings, keepDays: number): Bundle {
  const config = {
    hostname,
    domains: [...domains.map(({ name }) => name), hostname],
    keepDays,
    ...(options.feedback && { feedback: true }),
  };
  return bundle({
    name: "reports",
    why: "Reads what other servers report about the domains, and says what became of what they sent.",
    directories: [directory("/srv/reports", { owner: "reports", group: "reports", mode: "0700" })],
    files: [
      plainFile("/usr/local/lib/mailhost/reports", { mode: "0755" }),
      plainFile("/usr/local/lib/mailhost/deliveries", { mode: "0755" }),
      textFile("/etc/mailhost/reports.json", `${JSON.stringify(config, undefined, 2)}\n`),
      plainFile(socket),
      plainFile(`${folder}/mailhost-reports@.service`),
    ],
    units: [unit("mailhost-reports.socket", { restart: [socket] })],
    after: ["storage"],
  });
}
