import { ask, valuesOf } from "../../dns/client.ts";
import type { Item } from "../host.ts";
import { isWanted } from "../recordsets.ts";
import { sideBySide } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Terms that a receiver resolves before it gives up (RFC 7208 section 4.6.4). */
const limit = 10;

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
      : [right(`the SPF records of all ${names.length} names stay within ${limit} look-ups`)];
  },
};

async function troubles(name: string, spfOf: ReturnType<typeof spfRecords>): Promise<readonly Finding[]> {
  const { count, missing } = await lookUps(name, spfOf, new Set());
  return [
    ...missing.map((other) =>
      wrong(
        `the SPF record of ${name} includes ${other}, which has none: receivers take that for an error, and SPF for void`,
        "Take that `include:` out of mailhost:relay.spf, or ask whoever runs the relay for the right one.",
      ),
    ),
    ...(count > limit
      ? [
          wrong(
            `the SPF record of ${name} takes ${count} look-ups; receivers stop at ${limit}, and take SPF for void`,
            "Take an `include:` out of mailhost:relay.spf through which nobody sends any more. Writing its addresses in its place is no way: they change without a word.",
          ),
        ]
      : []),
  ];
}

function isSpf(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

interface Cost {
  readonly count: number;
  /** Included names without an SPF record. */
  readonly missing: readonly string[];
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

/**
 * Every term that costs a look-up, as where no term before it fits: what the unluckiest sender's mail costs.
 * @param above names whose records lead here: a circle is an error anyhow
 * @throws where the resolver does not answer
 */
async function lookUps(
  name: string,
  spfOf: ReturnType<typeof spfRecords>,
  above: ReadonlySet<string>,
): Promise<Cost> {
  const record = await spfOf(name);
  if (record === undefined) return { count: 0, missing: above.size > 0 ? [name] : [] };
  const terms = record.toLowerCase().split(/ +/).slice(1);
  const own = terms.filter((term) =>
    /^[+?~-]?(include:|a(?=[:/]|$)|mx(?=[:/]|$)|ptr(?=:|$)|exists:)|^redirect=/.test(term),
  );
  const led = own
    .map((term) => /^(?:[+?~-]?include:|redirect=)(.+)$/.exec(term)?.[1])
    // A macro is another name for each message (RFC 7208 section 7).
    .filter((other) => other !== undefined && !other.includes("%") && !above.has(other) && other !== name);
  const costs = await Promise.all(led.map((other) => lookUps(other ?? "", spfOf, new Set([...above, name]))));
  return {
    count: costs.reduce((sum, { count }) => sum + count, own.length),
    missing: [...new Set(costs.flatMap(({ missing }) => missing))],
  };
}
