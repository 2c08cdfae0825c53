import type { Weighed } from "../../plan/ramps.ts";
import { mtaStsName, ramped, weighCommand } from "../../plan/ramps.ts";
import type { HostUnderCheck } from "../host.ts";
import { insideItem } from "../inside.ts";
import { isWanted } from "../recordsets.ts";
import { right, wrong } from "../types.ts";

/** Where the policies stand that ramp, and what the reports say of what they would do. */
export const policies = insideItem(
  "policies",
  // Nothing ramps by default, and nothing is asked then.
  (host) => {
    const { publicIpv4, publicIpv6 } = host.target.facts;
    const own = [publicIpv4, ...(publicIpv6 === undefined ? [] : [publicIpv6])];
    return weighCommand(host.target.settings, rampsOf(host), new Date(), own) ?? "true";
  },
  (output, host) => {
    if (output === "") return [];
    const evidence = JSON.parse(output) as Weighed;
    return ramped(host.target.settings, rampsOf(host), new Map(), new Date(), evidence)
      .filter(({ name }) => name === mtaStsName || isWanted(name, host.target))
      .map(({ name: part, line, isAlarm, hasMoved }) =>
        isAlarm
          ? wrong(line, "Mend what fails (`npm run reports` names it), or write a milder policy.", { part })
          : right(hasMoved ? `${line} The next \`up\` does it` : line, { part }),
      );
  },
);

function rampsOf({ target: { ramps = {} } }: HostUnderCheck) {
  return ramps;
}
