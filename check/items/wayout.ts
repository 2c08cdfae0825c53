import { relayRoute } from "../../plan/relay.ts";
import type { HostUnderCheck } from "../host.ts";
import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/** A mail server that is always there and greets whoever comes. */
const somebody = "gmail-smtp-in.l.google.com";

/**
 * The way to the world: port 25, which new accounts at AWS have closed, or the relay's, where all mail goes through
 * one. Another side, where there is one, proves it better.
 */
export const wayOut = insideItem(
  "way out",
  (host) => {
    const relay = relayOf(host);
    if (host.target.otherSide !== undefined) return "echo proven";
    const { name, port } = relay ?? { name: somebody, port: 25 };
    // Where TLS comes first nobody greets: that somebody is there has to do.
    const greeting = port === 465 ? "echo 220" : "head -n 1 <&3";
    // By IPv4, as Postfix sends: bash would take the AAAA first.
    return `address=$(getent ahostsv4 ${name} | awk 'NR == 1 { print $1 }'); timeout 8 bash -c "exec 3<>/dev/tcp/\${address:-${name}}/${port} && ${greeting}" 2>&1 || true`;
  },
  (output, host) => {
    const said = output.trim();
    if (said === "proven") {
      return [];
    }
    const relay = relayOf(host);
    const { name, port } = relay ?? { name: somebody, port: 25 };
    if (said.startsWith("220"))
      return [
        right(
          relay
            ? `mail can leave: the relay ${name} can be reached from the host`
            : "mail can leave: other servers' port 25 can be reached from the host",
        ),
      ];
    return [
      wrong(
        `mail cannot leave: ${name} port ${port} does not greet the host${said === "" ? "" : ` (${said.split("\n").at(-1)})`}`,
        relay
          ? "See `mailhost:relay` in the stack file: name and port have to be as the provider tells. What is sent waits in the queue."
          : "Ask AWS to lift the limit on port 25 (support form “Request to remove email sending limitations”), or send through a relay, `mailhost:relay`: docs/sending.md has both. What is sent waits in the queue for five days.",
      ),
    ];
  },
);

/** Where all mail goes, if it goes through a relay. */
function relayOf({ target }: HostUnderCheck): { readonly name: string; readonly port: number } | undefined {
  const { relay } = target.settings.options;
  return relayRoute(relay)?.all && relay.host !== undefined
    ? { name: relay.host, port: relay.port }
    : undefined;
}
