import { policyIn } from "../../plan/dmarc.ts";
import { dmarcName } from "../../plan/ramps.ts";
import { firstMx, recordsOf, stackType } from "../records.ts";
import { type StackRule, textAt, valueAt } from "../rule.ts";

export const dmarcPresent: StackRule = {
  name: "dmarc-present",
  description: "Each domain that gets mail says what to do with mail that only claims to be its own (DMARC).",
  judgeStack: (resources) => {
    const records = recordsOf(resources);
    return [...firstMx(records).keys()].flatMap((domain) => {
      const found = records.filter(({ type, name }) => type === "TXT" && name === dmarcName(domain));
      const policies = found.filter(
        ({ content }) => content === undefined || policyIn(content) !== undefined,
      );
      if (policies.length === 1) return [];
      const what =
        policies.length === 0 ? "no DMARC record with a policy" : `${policies.length} DMARC records`;
      return [
        {
          text: `${domain} has ${what}, so anybody may write as it. Publish one at ${dmarcName(domain)}: the program does for each domain of mailhost:domains, \`dmarc: ramp\` begins with the mildest.`,
        },
      ];
    });
  },
};

export const dmarcNeverBack: StackRule = {
  name: "dmarc-never-back",
  description: "A domain's DMARC policy never becomes milder without a word.",
  settings: {
    mayWeaken: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Domains whose policy may become milder.",
    },
  },
  judgeStack: (resources, { mayWeaken }) => {
    const stack = resources.find(({ type }) => type === stackType);
    const takenBack = valueAt(stack?.properties, "dmarcTakenBack");
    if (typeof takenBack !== "object" || takenBack === null) return [];
    const allowed = Array.isArray(mayWeaken) ? mayWeaken : [];
    return Object.keys(takenBack)
      .filter((domain) => !allowed.includes(domain))
      .map((domain) => ({
        text: `The DMARC policy of ${domain} would go from ${textAt(takenBack, domain)}: forged mail that is refused today would be taken again. Write the stricter policy into the stack file (mailhost:domains, \`dmarc\`), or the domain under mayWeaken of this policy in the policy configuration.`,
      }));
  },
};
