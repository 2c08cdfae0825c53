import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

const day = 86_400;
/** Days without a successful look for security updates: they are looked for daily, and a host may be off over a weekend. */
const overdue = 4;
/** Days that an update may wait for its reboot: time enough for an owner who does it by hand. */
const patience = 7;

/**
 * Security updates come in, and none waits long for a reboot (unattended-upgrade(8)). Of a machine without a stamp its own age
 * is told, for its first update is still to come.
 */
export const updates = insideItem(
  "updates",
  "date +%s; cd /var/lib/apt/periodic; stat -c %Y unattended-upgrades-stamp 2>/dev/null || stat -c %Y /etc/machine-id; " +
    "if [ -e /run/reboot-required ]; then stat -c %Y /run/reboot-required; sort -u /run/reboot-required.pkgs 2>/dev/null; fi; true",
  (output, host) => {
    const [now = "", last = "", waits = "", ...packages] = output.trim().split("\n");
    const days = (since: string) => Math.floor((Number(now) - Number(since)) / day);
    const { security } = host.target.settings.options.upgrades;
    const late: readonly Finding[] =
      security && days(last) > overdue
        ? [
            wrong(
              `no security update has come in for ${days(last)} days`,
              "See what keeps them: `npm run host -- sudo unattended-upgrade --dry-run -v`, and `npm run host -- systemctl list-timers 'apt-*'`.",
            ),
          ]
        : [];
    const what = packages.length > 0 ? ` (${packages.join(", ")})` : "";
    const pending: readonly Finding[] =
      waits !== "" && days(waits) > patience
        ? [
            wrong(
              `an update has waited for a reboot for ${days(waits)} days${what}`,
              "Run `npm run host -- sudo systemctl reboot` when it suits: the host is away for a minute, and senders try again. Or let it do so by itself: mailhost:upgrades.reboot in the stack file.",
              { part: "reboot" },
            ),
          ]
        : [];
    const troubles = [...late, ...pending];
    if (troubles.length > 0 || !security) return troubles;
    return [
      right(
        waits === "" ? "security updates come in" : `security updates come in; one waits for a reboot${what}`,
      ),
    ];
  },
);
