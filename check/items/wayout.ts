import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/** A mail server that is always there and greets whoever comes. */
const somebody = "gmail-smtp-in.l.google.com";

/** Port 25 to the world, which new accounts at AWS have closed. Another side, where there is one, proves it better. */
export const wayOut = insideItem(
  "way out",
  ({ target }) =>
    target.otherSide === undefined
      ? // By IPv4, as Postfix sends: bash would take the AAAA first.
        `address=$(getent ahostsv4 ${somebody} | awk 'NR == 1 { print $1 }'); timeout 8 bash -c "exec 3<>/dev/tcp/\${address:-${somebody}}/25 && head -n 1 <&3" 2>&1 || true`
      : "echo proven",
  (output) => {
    const said = output.trim();
    if (said === "proven") {
      return [];
    }
    return said.startsWith("220")
      ? [right("mail can leave: other servers' port 25 can be reached from the host")]
      : [
          wrong(
            `mail cannot leave: ${somebody} port 25 does not greet the host${said === "" ? "" : ` (${said.split("\n").at(-1)})`}`,
            "Ask AWS to lift the limit on port 25 (support form “Request to remove email sending limitations”), and see that the security group's egress is open.",
          ),
        ];
  },
);
