import { cloudflare, zoneId } from "./cloudflare.ts";
import { onHost } from "./mailhost.ts";

interface Named {
  readonly name: string;
  readonly type: string;
  readonly content?: string;
}

/**
 * Files whose content says nothing of an option: the users of a service stay, as what is theirs on the data volume does;
 * tables that Postfix makes of the text beside them; the linker's own list of libraries.
 */
const withoutContent = [
  "/etc/passwd*",
  "/etc/group*",
  "/etc/shadow*",
  "/etc/gshadow*",
  "/etc/sub[ug]id*",
  "*.lmdb",
  "/etc/ld.so.cache",
];

/** What a host could have left of an option: packages, files and their content, units (failed ones, too), sockets, rules; and what its zones could: records. */
export async function footprint(): Promise<Set<string>> {
  const parts = [
    "dpkg --get-selections | sort",
    // With owner, rights, and where a link leads.
    "find /etc /usr/local /var/lib/mailhost /var/lib/dovecot -xdev -printf '%p %u:%g %m %l\\n' | sort",
    `find /etc /usr/local -xdev -type f ${withoutContent.map((path) => `! -path '${path}'`).join(" ")} -exec sha256sum {} + | sort -k 2`,
    "systemctl list-unit-files --no-legend --state=enabled | sort",
    "systemctl list-units --failed --plain --no-legend | awk '{ print $1, \"has failed\" }'",
    "ss -Hltnu | awk '{print $5}' | sort -u",
    // Those of the daemons; systemd and Dovecot open some of their own when they are first asked for. Some have a process's
    // number.
    "ss -Hlx | awk '{print $5}' | grep -E '^/(run|var)/|^(private|public)/' | grep -Ev '^/run/(systemd/|dovecot/srv\\.)' | sed -E 's#/[0-9]+$##' | sort -u",
    "nft -s list ruleset | grep -v 'elements ='",
    "crontab -l 2>/dev/null; ls /etc/cron.d",
  ];
  const zones = ["example.org", "example.com"];
  const records = await Promise.all(
    zones.map(async (zone) =>
      cloudflare<readonly Named[]>("GET", `/zones/${await zoneId(zone)}/dns_records?per_page=1000`),
    ),
  );
  return new Set([
    ...(await onHost(parts.join("; "))).split("\n"),
    ...records.flat().map(({ name, type, content }) => `${name} ${type} ${content}`),
  ]);
}

interface Changes {
  readonly came: readonly string[];
  readonly went: readonly string[];
}

/** Lines of the footprint that were not there before, and those that are not there any more. */
export async function changesSince(before: ReadonlySet<string>): Promise<Changes> {
  return changes(before, await footprint());
}

/** The same of two that were taken. */
export function changes(before: ReadonlySet<string>, now: ReadonlySet<string>): Changes {
  return {
    came: [...now].filter((line) => !before.has(line)),
    went: [...before].filter((line) => !now.has(line)),
  };
}
