import { applyAgain } from "../again.ts";
import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/**
 * The ruleset in the kernel beside the one that the deployed files make in an empty network namespace: so the
 * kernel itself says how it writes the same rules. Without counters (-s), which differ by nature.
 */
const command =
  "nft -s list ruleset && echo =deployed= && unshare --net sh -c 'nft -f /etc/nftables.conf && find /etc/mailhost -name \"*.nft\" -exec nft -f {} \\; && nft -s list ruleset'";

/** The rules that filter are those that were deployed. */
export const firewall = insideItem("firewall", command, (output, { target }) => {
  const [running = "", deployed = ""] = output.split("=deployed=\n").map(plainRules);
  if (deployed === "") {
    return [wrong("the deployed firewall has no rules", `Run ${applyAgain(target, "nftables")}.`)];
  }
  if (running === deployed) {
    return [right("the firewall's rules are as deployed")];
  }
  const remedy = "Run `npm run host -- sudo systemctl restart nftables`: it loads the deployed rules.";
  if (running === "") {
    return [wrong("the firewall is off: the host has no rules", remedy)];
  }
  const [have, want] = [running.split("\n"), deployed.split("\n")];
  const extra = have.find((line) => !want.includes(line));
  const missing = want.find((line) => !have.includes(line));
  const what = [
    ...(extra === undefined ? [] : [`has "${extra.trim()}"`]),
    ...(missing === undefined ? [] : [`lacks "${missing.trim()}"`]),
  ];
  return [wrong(`the running firewall ${what.join(" and ") || "has its rules in another order"}`, remedy)];
});

/** Without what sets learn while running, and blank lines; the tables by name, whichever was loaded last. */
function plainRules(text: string): string {
  return text
    .replace(/(flags [^\n]*\btimeout[^}]*?)\n\s*elements = \{[^}]*\}/g, "$1")
    .split(/^(?=table )/m)
    .sort()
    .join("")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .join("\n");
}
