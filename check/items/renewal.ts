import { dnsChallenge } from "../../plan/dnsChallenge.ts";
import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/** The certificate's renewal is on the clock, and went well the last time. */
export const renewal = insideItem(
  "renewal",
  "systemctl show -p ActiveState,SubState,NextElapseUSecRealtime mailhost-certificate.timer; echo =last=; systemctl show -p Result,ExecMainStatus mailhost-certificate.service",
  (output, host) => {
    const [timer = "", last = ""] = output.split("=last=\n");
    const value = (text: string, name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
    const next = value(timer, "NextElapseUSecRealtime");
    // While what it starts is under way, a timer has no next time (systemd.timer(5)).
    const isRunning = value(timer, "SubState") === "running";
    if (value(timer, "ActiveState") !== "active" || (next === "" && !isRunning)) {
      return [
        wrong(
          "the certificate's renewal is not on the clock (mailhost-certificate.timer)",
          "Run `npm run host -- sudo systemctl enable --now mailhost-certificate.timer`.",
        ),
      ];
    }
    return value(last, "Result") === "success"
      ? [right(`the certificate's renewal is looked at ${isRunning ? "right now" : `next on ${next}`}`)]
      : [
          wrong(
            "the certificate's last renewal failed",
            `See why: \`npm run host -- journalctl -u mailhost-certificate -n 50\`. ${dnsChallenge(host.target.settings) !== undefined ? "The nameserver has to take the host's answers with the key of `mailhost:dnsChallenge`" : "Port 80 has to reach the host, its A record has to be right"}, and its CAA record (\`mailhost:caa\`) has to name the account of \`stack output acmeAccount\`.`,
          ),
        ];
  },
);
