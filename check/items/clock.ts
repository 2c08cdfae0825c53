import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Seconds that two clocks may be apart: more than a slow login takes, less than what breaks a signature. */
const apart = 60;

/** The host's clock, which certificates, signatures and the queue go by. */
export const clock = insideItem(
  "clock",
  "date +%s; systemctl is-active systemd-timesyncd.service; timedatectl show --property=NTPSynchronized --value",
  (output) => {
    const [now = "", keeper = "", synchronised = ""] = output.split("\n");
    const ahead = Math.round(Number(now) - Date.now() / 1000);
    const off: readonly Finding[] =
      Math.abs(ahead) <= apart
        ? []
        : [
            wrong(
              `the host's clock is ${Math.abs(ahead)} seconds ${ahead > 0 ? "ahead of" : "behind"} this machine's`,
              "One of the two is wrong. Here: `date -u`. There: `npm run host -- timedatectl timesync-status`; `npm run host -- sudo systemctl restart systemd-timesyncd` sets it.",
            ),
          ];
    const unkept: readonly Finding[] =
      keeper === "active" && synchronised === "no"
        ? [
            wrong(
              "no time server keeps the host's clock right",
              "See why: `npm run host -- journalctl -u systemd-timesyncd -n 50`. It asks by UDP, port 123, on the way out.",
              { part: "ntp" },
            ),
          ]
        : [];
    const troubles = [...off, ...unkept];
    return troubles.length > 0 ? troubles : [right("the host's clock is right")];
  },
);
