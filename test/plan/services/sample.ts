import { parseSettings } from "../../../settings/parse.ts";
import type { Settings } from "../../../settings/types.ts";

/** Two domains, one with a catch-all, and every kind of address. */
export function sampleSettings(mailboxesOfCom: Record<string, object> = { carol: {} }): Settings {
  return parseSettings(
    {
      hostname: "mail.example.org",
      owner: "ann@example.org",
      ssh: { from: "203.0.113.7/32" },
      domains: {
        "example.org": {
          since: "2026-11-20",
          mailboxes: { ann: {}, bob: {} },
          aliases: { info: ["ann", "bob"], away: "friend@elsewhere.example" },
        },
        "example.com": {
          since: "2026-11-21",
          mailboxes: mailboxesOfCom,
          aliases: { sales: "bob@example.org" },
          catchAll: "carol",
        },
      },
    },
    {},
  );
}
