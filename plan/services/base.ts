import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";

const hostname = "/etc/hostname";
const journal = "/etc/systemd/journald.conf.d/mailhost.conf";
const timeZone = "/etc/tmpfiles.d/mailhost.conf";
const rollback = "mailhost-rollback.service";

/** Names, clock and logs: what every other service takes for granted. */
export function base(settings: Settings): Bundle {
  const names = { hostname: settings.hostname, shortName: settings.hostname.replace(/\..*/, "") };
  return bundle({
    name: "base",
    why: "The host's name, time and logs, and security updates that come by themselves.",
    packages: ["systemd-timesyncd", "tzdata", "unattended-upgrades"],
    files: [
      file(hostname, names),
      file("/etc/hosts", names),
      file("/etc/mailname", names),
      file("/etc/motd", names),
      file(timeZone, { timeZone: settings.server.timeZone }),
      plainFile(journal),
      plainFile("/etc/cloud/cloud.cfg.d/99-mailhost.cfg"),
      plainFile("/etc/apt/apt.conf.d/52mailhost"),
      plainFile(`/etc/systemd/system/${rollback}`),
    ],
    derivations: [
      { command: `hostname -F ${hostname}`, on: [hostname] },
      // Only a zone that is there: systemd-tmpfiles would link to nothing without a word.
      {
        command: `test -e /usr/share/zoneinfo/${settings.server.timeZone} && systemd-tmpfiles --create ${timeZone}`,
        on: [timeZone],
        makes: ["/etc/localtime"],
      },
    ],
    units: [
      unit("systemd-timesyncd.service"),
      unit("systemd-journald.service", { restart: [journal] }),
      unit(rollback),
    ],
  });
}
