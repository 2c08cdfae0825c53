import { isRelayed, type RelayRoute, relayRoute } from "../../plan/relay.ts";
import { wayOut } from "../../plan/wayOut.ts";
import type { HostUnderCheck } from "../host.ts";
import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/** @param days how long it is tried (mailhost:queue) */
const advice = (days: number) => ({
  relay: `See \`mailhost:relay\` in the stack file: name and port have to be as the provider tells. What is sent waits in the queue for ${days} days.`,
  port25: `Ask AWS to lift the limit on port 25 (support form “Request to remove email sending limitations”), or send through a relay, \`mailhost:relay\`: docs/sending.md has both. What is sent waits in the queue for ${days} days.`,
  dns: `The host's resolver has to answer: \`npm run host -- systemctl status unbound\`. What is sent waits in the queue for ${days} days.`,
});

/**
 * The way to the world: port 25, which new accounts at AWS have closed, or the relay's, where all mail goes through
 * one. Another side, where there is one, proves it better.
 */
export const outgoingWay = insideItem(
  "way-out",
  (host) => (host.target.otherSide === undefined ? wayOut(relayOf(host)) : "echo proven"),
  (output, host) => {
    const [answer, ...reason] = output.trim().split(" ");
    const relay = relayOf(host);
    const told = advice(host.target.settings.options.queue.days);
    const whom = relay ? `the relay ${relay.name}` : "other servers' port 25";
    switch (answer) {
      case "proven":
        return [];
      case "open":
        return [right(`mail can leave: ${whom} can be reached from the host`)];
      case "unknown":
        return [
          wrong(
            `whether mail can leave is unknown: the host finds no address of ${relay?.name ?? "a large receiver"}`,
            relay ? told.relay : told.dns,
            { unanswered: true },
          ),
        ];
      default: {
        const why = reason.length > 0 ? ` (${reason.join(" ")})` : "";
        return [
          wrong(
            `mail cannot leave: ${relay ? `${whom}, port ${relay.port},` : "a large receiver's port 25"} does not greet the host${why}`,
            relay ? told.relay : told.port25,
          ),
        ];
      }
    }
  },
);

/** Where all mail goes, if it goes through a relay; SES gets all that it takes. */
function relayOf({ target: { settings } }: HostUnderCheck): RelayRoute | undefined {
  const relay = relayRoute(settings);
  const isAll = relay?.all || (relay?.ses && settings.domains.every(({ name }) => isRelayed(relay, name)));
  return isAll ? relay : undefined;
}
