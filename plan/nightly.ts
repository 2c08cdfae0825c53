import { textFile, unit } from "./bundle.ts";
import { render } from "./template.ts";
import type { Bundle } from "./types.ts";

/** Work on the mailboxes that is done each night. */
export interface NightlyWork {
  /** Its unit is `mailhost-<name>`. */
  readonly name: string;
  /** What it does, for those who look at the unit. */
  readonly what: string;
  /** Why it does it by these commands, in a line. */
  readonly why: string;
  /** By the host's clock: `02:30`. */
  readonly at: string;
  /** As root, one after the other (systemd.service(5), ExecStart). */
  readonly commands: readonly string[];
  /** Directories that it writes to, beside Dovecot's sockets. @default that of the mailboxes */
  readonly writes?: readonly string[];
}

/** A timer and its service, for a bundle's files and units. */
export function nightly(work: NightlyWork): Pick<Bundle, "files" | "units"> {
  const path = (kind: string) => `/etc/systemd/system/mailhost-${work.name}.${kind}`;
  const file = (kind: string) =>
    textFile(path(kind), render(`etc/systemd/system/nightly.${kind}`, { writes: ["/srv/mail"], ...work }));
  return {
    files: [file("service"), file("timer")],
    units: [unit(`mailhost-${work.name}.timer`, { restart: [path("timer")] })],
  };
}
