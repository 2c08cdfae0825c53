import { relayRoute } from "../../../plan/relay.ts";
import type { Look } from "../../host.ts";
import { about, leftOut, right } from "../../types.ts";
import type { PreflightTarget } from "../target.ts";

/** What nobody can know before there is an address and a machine: it is said, and what to do meanwhile. */
export const outlook: Look<PreflightTarget> = {
  name: "outlook",
  group: "Mail",
  look: async ({ plan: { settings } }) => {
    const relay = relayRoute(settings);
    return [
      ...about("port25", [
        relay?.all
          ? right(`mail leaves through the relay ${relay.name}: outgoing port 25 is not needed`)
          : leftOut(
              `whether AWS lets mail out by port 25: it tells nobody beforehand, and blocks it on every new account. Ask it to open the port today, or name a relay: docs/sending.md, "Port 25 is blocked"`,
            ),
      ]),
      ...about("listed", [
        leftOut(
          "whether the host's address is on a blocklist: it is looked at from the host, when there is one",
        ),
      ]),
    ];
  },
};
