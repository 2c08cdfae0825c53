import { onHost } from "./mailhost.ts";

/** What a host could have left of an option: packages, files, units, sockets, rules. */
export async function footprint(): Promise<Set<string>> {
  const parts = [
    "dpkg --get-selections | sort",
    "find /etc /usr/local /var/lib/mailhost /var/lib/dovecot -xdev | sort",
    "systemctl list-unit-files --no-legend --state=enabled | sort",
    "ss -Hltnu | awk '{print $5}' | sort -u",
    "nft -s list ruleset | grep -v 'elements ='",
    "crontab -l 2>/dev/null; ls /etc/cron.d",
  ];
  return new Set((await onHost(parts.join("; "))).split("\n"));
}

/** Lines of the footprint that were not there before, and those that are not there any more. */
export async function changesSince(
  before: ReadonlySet<string>,
): Promise<{ readonly came: readonly string[]; readonly went: readonly string[] }> {
  const now = await footprint();
  return {
    came: [...now].filter((line) => !before.has(line)),
    went: [...before].filter((line) => !now.has(line)),
  };
}
