import { firstMx, recordsOf } from "../records.ts";
import type { StackRule } from "../rule.ts";

export const mx: StackRule = {
  name: "mx-has-address",
  description: "Each domain's MX is a name with an address, and no alias (RFC 5321 section 5.1).",
  judgeStack: (resources) => {
    const records = recordsOf(resources);
    const has = (host: string, ...types: readonly string[]) =>
      records.some(({ name, type }) => name === host && types.includes(type));
    return [...firstMx(records)].flatMap(([domain, host]) => {
      if (has(host, "CNAME"))
        return [
          {
            text: `The MX of ${domain} is ${host}, which is a CNAME: some senders give up there. Give ${host} an A record of its own, or let the MX name what the CNAME leads to.`,
          },
        ];
      return has(host, "A", "AAAA")
        ? []
        : [
            {
              text: `The MX of ${domain} is ${host}, and the stack publishes no address of it: mail for ${domain} would come back. Have the MX name the host of mailhost:hostname, whose A record the stack makes.`,
            },
          ];
    });
  },
};
