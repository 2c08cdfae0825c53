import { z } from "zod";
import { bundle, file, plainFile } from "../plan/bundle.ts";
import { hasLockedStore } from "../plan/lockedStore.ts";
import { option } from "./option.ts";

const config = "/etc/apt/apt.conf.d/52mailhost";
const restarts = "/etc/needrestart/conf.d/mailhost.conf";

/** Security updates that come by themselves (unattended-upgrade(8)), and the reboot that a new kernel needs. */
export const upgrades = option({
  key: "upgrades",
  schema: z
    .strictObject({
      security: z.boolean().default(true).meta({
        description: "Whether Debian's security updates are installed by themselves, every day.",
      }),
      reboot: z
        .union([
          z.literal("never"),
          z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time; write "04:00", in quotes, or never'),
        ])
        .optional()
        .meta({
          description:
            "When the host may reboot where an update asks for it, by its own clock (`server.timeZone`), or `never`. It is away for a minute; senders try again. Without it 04:00; `never` where it would come up locked (`lockedStore`).",
          examples: ["03:30", "never"],
        }),
    })
    .prefault({})
    .meta({
      description: "Updates that come by themselves.",
      examples: [{ reboot: "never" }],
      synonyms: ["unattendedUpgrades"],
    }),
  bundles: ({ security, reboot: wanted }, settings) => {
    // A host that comes up locked waits for a person: only who said when it may has one ready.
    const reboot = wanted ?? (hasLockedStore(settings) ? "never" : "04:00");
    return [
      bundle({
        name: "upgrades",
        why: security
          ? "Installs security updates by itself, and reboots at the hour that the owner names."
          : "Leaves updates to the owner.",
        // A library's fix works from a restart of its daemons on; what a package has to say goes to the owner by mail.
        packages: security ? ["unattended-upgrades", "needrestart", "apt-listchanges"] : [],
        files: [
          file(config, { security, reboot: reboot !== "never" && reboot }),
          ...(security ? [plainFile(restarts)] : []),
        ],
        // It only waits for a shutdown, which apt's own unit waits for as well, and has 20 MB of memory for it.
        disabledUnits: security ? ["unattended-upgrades.service"] : [],
        // The file was that bundle's once: there it goes before it comes here.
        after: ["base"],
      }),
    ];
  },
});
