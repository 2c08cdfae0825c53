import { z } from "zod";
import { bundle, file, unit } from "../plan/bundle.ts";
import { option } from "./option.ts";

const journal = "/etc/systemd/journald.conf.d/mailhost.conf";

/** Size of one file of the journal, in MiB: journald has two in memory. */
const fileSize = 4;

/** How long the journal is kept (journald.conf(5)): it names senders, recipients and their addresses. */
export const logs = option({
  key: "logs",
  schema: z
    .strictObject({
      days: z
        .int()
        .min(1)
        .max(3650)
        .default(28)
        .meta({
          description: "Days after which what the host logged is deleted.",
          examples: [7],
        }),
      size: z.int().min(50).max(16384).default(500).meta({
        description: "Most that the logs take on the root disk, in MiB: beyond it the oldest go first.",
      }),
    })
    .prefault({})
    .meta({ description: "What is kept of the logs.", examples: [{ days: 7 }] }),
  bundles: ({ days, size }) => [
    bundle({
      name: "logs",
      why: "Keeps logs for a time that privacy asks for, and within a size.",
      files: [file(journal, { days, size, files: days + Math.ceil(size / fileSize), fileSize })],
      // What journald has open it has in memory, and the file that it began with is a large one.
      derivations: [{ command: "journalctl --rotate", on: [journal] }],
      units: [unit("systemd-journald.service", { restart: [journal] })],
      after: ["base"],
    }),
  ],
});
