import { trustedNetworkMistake, wholeInternet } from "../../settings/networks.ts";
import { listAt, type ResourceRule, valueAt } from "../rule.ts";

export const openSsh: ResourceRule = {
  name: "ssh-not-open",
  description: "Port 22 is reachable from the operators' networks, and not from the world.",
  type: "aws:ec2/securityGroup:SecurityGroup",
  judge: ({ properties }) =>
    listAt(properties, "ingress")
      .filter(letsIn22)
      .flatMap((rule) => [...listAt(rule, "cidrBlocks"), ...listAt(rule, "ipv6CidrBlocks")])
      .filter((network) => typeof network === "string" && trustedNetworkMistake(network) !== undefined)
      .map(
        (network) =>
          `Port 22 is open to ${network}. Write the networks that you deploy from under mailhost:ssh.from (\`curl https://checkip.amazonaws.com\` says yours). If you mean \`${wholeInternet}\`, set this policy to advisory in the policy configuration.`,
      ),
};

function letsIn22(rule: unknown): boolean {
  const [from, to] = [valueAt(rule, "fromPort"), valueAt(rule, "toPort")];
  if (valueAt(rule, "protocol") === "-1") return true;
  return typeof from === "number" && typeof to === "number" && from <= 22 && 22 <= to;
}
