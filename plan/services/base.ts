import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";

const hostname = "/etc/hostname";
const kernel = "/etc/sysctl.d/60-mailhost.conf";
const timeZone = "/etc/tmpfiles.d/mailhost.conf";
const rollback = "mailhost-rollback.service";

/** Names, clock and kernel: what every other service takes for granted. */
export function base(settings: Settings): Bundle {
  const names = { hostname: settings.hostname, shortName: settings.hostname.replace(/\..*/, "") };
  return bundle({
    name: "base",
    why: "The host's name and time, and what the kernel allows.",
    packages: ["systemd-timesyncd", "tzdata"],
    files: [
      file(hostname, names),
      file("/etc/hosts", names),
      file("/etc/mailname", names),
      file("/etc/motd", names),
      file(timeZone, { timeZone: settings.server.timeZone }),
      plainFile(kernel),
      plainFile("/etc/cloud/cloud.cfg.d/99-mailhost.cfg"),
      plainFile("/etc/apt/apt.conf.d/50mailhost"),
      plainFile("/etc/systemd/system/dbus.service.d/mailhost.conf"),
      plainFile(`/etc/systemd/system/${rollback}`),
    ],
    derivations: [
      { command: `hostname -F ${hostname}`, on: [hostname] },
      { command: "systemctl restart systemd-sysctl.service", on: [kernel] },
      // Only a zone that is there: systemd-tmpfiles would link to nothing without a word.
      {
        command: `test -e /usr/share/zoneinfo/${settings.server.timeZone} && systemd-tmpfiles --create ${timeZone}`,
        on: [timeZone],
        makes: ["/etc/localtime"],
      },
    ],
    units: [unit("systemd-timesyncd.service"), unit(rollback)],
    // Nobody has a password to log in with at a console.
    disabledUnits: ["getty@tty1.service"],
  });
}
