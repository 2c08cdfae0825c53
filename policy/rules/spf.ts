import { isSpf, lookUps, mostLookUps } from "../../plan/spf.ts";
import { at, recordsOf } from "../records.ts";
import type { StackRule, Violation } from "../rule.ts";

export const spf: StackRule = {
  name: "one-spf",
  description: `Each name has one SPF record at most, of at most ${mostLookUps} look-ups (RFC 7208).`,
  judgeStack: async (resources) => {
    const records = recordsOf(resources).filter(({ type, content = "" }) => type === "TXT" && isSpf(content));
    const byName = Map.groupBy(records, ({ name }) => name);
    // Records of others are asked for by `npm run check`: a preview asks nobody, and counts what they are named with.
    const spfOf = async (name: string) => byName.get(name)?.[0]?.content;
    const judged = [...byName].map(async ([name, all]): Promise<readonly Violation[]> => {
      const [first] = all;
      const where = first === undefined ? {} : at(first);
      const { count } = await lookUps(await spfOf(name), spfOf, [name]);
      return [
        ...(all.length > 1
          ? [
              {
                ...where,
                text: `${name} would have ${all.length} SPF records, which is the same as a void one. Write all senders into one; what a relay wants goes into mailhost:relay.spf.`,
              },
            ]
          : []),
        ...(count > mostLookUps
          ? [
              {
                ...where,
                text: `The SPF record of ${name} takes ${count} look-ups at least; receivers stop at ${mostLookUps}, and take it for void. Take an \`include:\` out of mailhost:relay.spf through which nobody sends any more.`,
              },
            ]
          : []),
      ];
    });
    return (await Promise.all(judged)).flat();
  },
};
