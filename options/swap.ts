import { z } from "zod";
import { bundle, file, plainFile, unit } from "../plan/bundle.ts";
import { hasLockedStore } from "../plan/lockedStore.ts";
import { option } from "./option.ts";

const service = "/etc/systemd/system/mailhost-swap.service";
const sysctl = "/etc/sysctl.d/60-swap.conf";

/** A swap file on the root disk: without one, a machine of 512 MB kills a daemon when everything comes at once. */
export const swap = option({
  key: "swap",
  schema: z
    .union([
      z.literal(false),
      z.strictObject({
        size: z
          .int()
          .min(128)
          .max(16384)
          .meta({ description: "Its size in MiB.", examples: [2048] }),
      }),
    ])
    .optional()
    .meta({
      description:
        "Swap file on the root disk, with its size in MiB, or false. What is swapped out may quote mail: it is on the root disk, which AWS encrypts, and the file is made anew at each boot. Without it 1024; none beside a locked store (`lockedStore`).",
      examples: [{ size: 2048 }, false],
    }),
  bundles: (wanted, settings) => {
    const chosen = wanted ?? (!hasLockedStore(settings) && { size: 1024 });
    return chosen === false
      ? []
      : [
          bundle({
            name: "swap",
            why: "Room on the root disk for what a small memory does not hold.",
            files: [file(service, { size: chosen.size }), plainFile(sysctl)],
            derivations: [{ command: "systemctl restart systemd-sysctl.service", on: [sysctl] }],
            units: [unit("mailhost-swap.service", { restart: [service] })],
          }),
        ];
  },
});
