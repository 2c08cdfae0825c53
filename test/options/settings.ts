import { parseSettings } from "../../settings/parse.ts";
import type { Settings } from "../../settings/types.ts";

/** A small stack with these keys beside or instead of its own. */
export function settingsWith(keys: Readonly<Record<string, unknown>>): Settings {
  return parseSettings(
    {
      hostname: "mail.example.org",
      owner: "ann@example.org",
      ssh: { from: ["203.0.113.7/32"] },
      domains: {
        "example.org": {
          since: "2026-11-21",
          mailboxes: { ann: {}, bob: {} },
          aliases: { info: ["ann", "bob"] },
        },
      },
      ...keys,
    },
    {},
    "eu-central-1",
  );
}
