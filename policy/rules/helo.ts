import { reverseName } from "../records.ts";
import { type Seen, type StackRule, textAt } from "../rule.ts";

export const helo: StackRule = {
  name: "ptr-is-helo",
  description: "The address leads back to the name that Postfix says HELO with.",
  judgeStack: (resources) => {
    const address = resources.find(({ type }) => type === "aws:ec2/eip:Eip");
    const said = heloOf(resources);
    if (address === undefined || said === undefined) return [];
    const { urn } = address;
    const leadsTo = reverseName(resources);
    const isSet = resources.some(({ type }) => type === "aws:ec2/eipDomainName:EipDomainName");
    const remedy = `Have an EipDomainName with the domainName ${said}; both come from mailhost:hostname.`;
    if (!isSet)
      return [{ urn, text: `The address has no reverse name, and many refuse mail from such. ${remedy}` }];
    return leadsTo === undefined || leadsTo === said
      ? []
      : [
          {
            urn,
            text: `The address leads back to ${leadsTo}, and Postfix says HELO ${said}: many take that for spam. ${remedy}`,
          },
        ];
  },
};

/** As Postfix's main.cf has it, which travels in the clear. */
function heloOf(resources: readonly Seen[]): string | undefined {
  return resources
    .filter(({ type }) => type === "command:remote:Command")
    .map(({ properties }) => textAt(properties, "stdin") ?? "")
    .filter((document) => document.startsWith("mailhost bundle postfix\n"))
    .map((document) => /^myhostname = (\S+)$/m.exec(document)?.[1]?.toLowerCase())
    .find((name) => name !== undefined);
}
