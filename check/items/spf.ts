import { textsAt } from "../../dns/client.ts";
import { isSpf, lookUps, mostLookUps, type SpfOf, spfRecords } from "../../plan/spf.ts";
import type { Item } from "../host.ts";
import { isWanted } from "../recordsets.ts";
import { sideBySide } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** What SPF costs whoever checks it: includes lead to records of others, which grow without a word. */
export const spf: Item = {
  name: "spf",
  group: "Names",
  async look({ target }) {
    const names = target.records
      .filter(({ name }) => isWanted(name, target))
      .filter(({ type, content }) => type === "TXT" && typeof content === "string" && isSpf(content))
      .map(({ name, joins }) => ({ name, from: joins === undefined ? relayed : shared }));
    const spfOf = spfRecords(textsAt(target.resolver));
    const found = await sideBySide(
      "SPF",
      Object.fromEntries(names.map(({ name, from }) => [name, troubles(name, from, spfOf)])),
    );
    return found.length > 0 || names.length === 0
      ? found
      : [right(`the SPF records of all ${names.length} names stay within ${mostLookUps} look-ups`)];
  },
};

/** Where includes stand: in the stack file, or in the record itself where it is somebody else's, too. */
const relayed = "mailhost:relay.spf";
const shared = "the record itself";

async function troubles(name: string, from: string, spfOf: SpfOf): Promise<readonly Finding[]> {
  const { count, missing } = await lookUps(await spfOf(name), spfOf, [name]);
  return [
    ...missing.map((other) =>
      wrong(
        `the SPF record of ${name} includes ${other}, which has none: receivers take that for an error, and SPF for void`,
        `Take that \`include:\` out of ${from}, or ask whoever runs the relay for the right one.`,
      ),
    ),
    ...(count > mostLookUps
      ? [
          wrong(
            `the SPF record of ${name} takes ${count} look-ups; receivers stop at ${mostLookUps}, and take SPF for void`,
            `Take an \`include:\` out of ${from} through which nobody sends any more. Writing its addresses in its place is no way: they change without a word.`,
          ),
        ]
      : []),
  ];
}
