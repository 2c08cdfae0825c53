import { ask, valuesOf } from "../../dns/client.ts";
import { isSpf, lookUpLimit, lookUps } from "../../plan/spf.ts";
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
      .map(({ name }) => name);
    const spfOf = spfRecords(target.resolver);
    const found = await sideBySide(
      "SPF",
      Object.fromEntries(names.map((name) => [name, troubles(name, spfOf)])),
    );
    return found.length > 0 || names.length === 0
      ? found
      : [right(`the SPF records of all ${names.length} names stay within ${lookUpLimit} look-ups`)];
  },
};

async function troubles(name: string, spfOf: ReturnType<typeof spfRecords>): Promise<readonly Finding[]> {
  const { count, missing } = await lookUps(name, spfOf);
  return [
    ...missing.map((other) =>
      wrong(
        `the SPF record of ${name} includes ${other}, which has none: receivers take that for an error, and SPF for void`,
        "Take that `include:` out of mailhost:relay.spf, or ask whoever runs the relay for the right one.",
      ),
    ),
    ...(count > lookUpLimit
      ? [
          wrong(
            `the SPF record of ${name} takes ${count} look-ups; receivers stop at ${lookUpLimit}, and take SPF for void`,
            "Take an `include:` out of mailhost:relay.spf through which nobody sends any more. Writing its addresses in its place is no way: they change without a word.",
          ),
        ]
      : []),
  ];
}

/** Asks for a name's SPF record once, however many records include it. @throws where the resolver does not answer */
function spfRecords(resolver: string): (name: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>();
  const ofName = async (name: string) => {
    const { rcode, answers } = await ask(resolver, name, "TXT");
    if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") throw new Error(`TXT ${name} is answered ${rcode}`);
    return valuesOf(answers).find(isSpf);
  };
  return (name) => {
    const record = known.get(name) ?? ofName(name);
    known.set(name, record);
    return record;
  };
}
