import type { Settings } from "../../settings/types.ts";
import { bundle, plainFile } from "../bundle.ts";
import type { Bundle } from "../types.ts";

const service = "/etc/systemd/system/mailhost-patterns.service";

/** What rspamd needs before its first start and what takes longest: begun early, beside everything else. */
export function patterns(_settings: Settings): Bundle {
  return bundle({
    name: "patterns",
    why: "Compiles rspamd's list of public suffixes before it starts.",
    packages: ["rspamd"],
    files: [plainFile(service)],
    // A unit of the bundle would be waited for. From now on rspamd's own unit starts it, and waits.
    derivations: [{ command: "systemctl start --no-block mailhost-patterns.service", on: [service] }],
    after: ["storage"],
  });
}
