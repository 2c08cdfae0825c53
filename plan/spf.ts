/** What an SPF record costs whoever checks it (RFC 7208 section 4.6.4). */

/** Terms that a receiver resolves before it gives up. */
export const lookUpLimit = 10;

export function isSpf(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

export interface SpfCost {
  readonly count: number;
  /** Included names without an SPF record. */
  readonly missing: readonly string[];
}

/**
 * Every term that costs a look-up, as where no term before it fits: what the unluckiest sender's mail costs.
 * @param spfOf a name's SPF record; undefined where it has none
 * @param above names whose records lead here: a circle is an error anyhow
 * @throws what `spfOf` does
 */
export async function lookUps(
  name: string,
  spfOf: (name: string) => Promise<string | undefined>,
  above: ReadonlySet<string> = new Set(),
): Promise<SpfCost> {
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
