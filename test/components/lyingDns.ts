import { createHash } from "node:crypto";
import type { Answer, RecordType } from "dns-packet";
import type { Asking } from "../../dns/client.ts";
import type { KeyHolder, KeyProof } from "../../plan/turns.ts";

const day = 86_400_000;

/**
 * What a resolver says: the truth; that it sees what is not there, at nameservers of its own, too; what was so three weeks ago; or
 * that there is nothing.
 */
export type Manner = "honest" | "shows" | "old" | "denies";

/** A generation's records: from when on each nameserver has them, and until when. */
interface Stretch {
  readonly from: readonly number[];
  gone?: number;
}

/** The key of that name; the tests' own, which nobody signs with. */
export const keyNamed = (fact: string) => createHash("sha256").update(fact).digest("hex").toUpperCase();

/** Every key there may be, whatever its name. */
export const everyKey: Readonly<Record<string, string>> = new Proxy(
  {},
  { get: (_, fact) => keyNamed(String(fact)) },
);

/** A DNS with three nameservers, of which each may be late by hours, and with resolvers that lie. */
export class LyingDns {
  static readonly resolvers = ["resolver-0", "resolver-1", "resolver-2"];
  readonly #stretches = new Map<string, Stretch[]>();
  readonly #holders: readonly KeyHolder[];

  constructor(holders: readonly KeyHolder[]) {
    this.#holders = holders;
  }

  /** @param lags milliseconds by which each nameserver is late */
  publish({ name }: KeyHolder, generation: string, at: number, lags: readonly number[]): void {
    const known = this.#stretchesOf(name, generation);
    if (known.length === 0 || known.at(-1)?.gone !== undefined)
      known.push({ from: lags.map((lag) => at + lag) });
  }

  /** Everywhere at once: that is the worst. */
  remove({ name }: KeyHolder, wanted: ReadonlySet<string>, at: number): void {
    for (const [key, known] of this.#stretches) {
      const [holder = "", generation = ""] = key.split(" ");
      const last = known.at(-1);
      if (holder === name && !wanted.has(generation) && last !== undefined) last.gone ??= at;
    }
  }

  /**
   * Whether no receiver misses a key that is used from `from` to `to`, whichever nameserver his resolver has asked, and though that
   * remembers for so long that it was not there.
   */
  isSureOf(
    { name }: KeyHolder,
    generation: string,
    { from, to, remembered }: { readonly from: number; readonly to: number; readonly remembered: number },
  ): boolean {
    return this.#stretchesOf(name, generation).some(
      (stretch) =>
        stretch.from.every((since) => since + remembered <= from) &&
        (stretch.gone === undefined || stretch.gone >= to),
    );
  }

  /** How questions are answered at that moment. @param turn which nameserver a resolver asks */
  asking(now: number, manners: readonly Manner[], turn: number): Asking {
    return async (server, name, type) => {
      const [role = "", index = ""] = server.split("-");
      const manner = role === "resolver" ? (manners[Number(index)] ?? "honest") : role;
      if (manner === "denies") return { answers: [] };
      if (type === "NS") return { answers: this.#nameservers(manner === "shows" ? ["liar"] : [0, 1, 2]) };
      if (type === "A") return { answers: [{ type, name, data: name.replace(".test", "") }] };
      const at = manner === "old" ? now - 21 * day : now;
      const nameserver = role === "nameserver" ? Number(index) : turn % 3;
      const shows = (stretches: readonly Stretch[]) =>
        manner === "shows" ||
        index === "liar" ||
        stretches.some(
          ({ from, gone }) => (from[nameserver] ?? 0) <= at && (gone === undefined || at < gone),
        );
      return { answers: this.#answers(name, type, shows) };
    };
  }

  #nameservers(names: readonly (string | number)[]): Answer[] {
    return names.map((name) => ({ type: "NS", name: "example.org", data: `nameserver-${name}.test` }));
  }

  #answers(name: string, type: RecordType, shows: (stretches: readonly Stretch[]) => boolean): Answer[] {
    return this.#holders.flatMap((holder) =>
      [...this.#stretches].flatMap(([key, stretches]) => {
        const [of = "", generation = ""] = key.split(" ");
        if (of !== holder.name || !shows(stretches)) return [];
        return holder
          .proofs(generation)
          .filter((proof) => proof.name === name && proof.type === type)
          .map(recordOf);
      }),
    );
  }

  #stretchesOf(holder: string, generation: string): Stretch[] {
    const key = `${holder} ${generation}`;
    const known = this.#stretches.get(key) ?? [];
    this.#stretches.set(key, known);
    return known;
  }
}

function recordOf({ name, type, fact }: KeyProof): Answer {
  const key = keyNamed(fact);
  return type === "TLSA"
    ? {
        type,
        name,
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from(key, "hex") },
      }
    : { type: "TXT", name, data: `v=DKIM1; p=${key}` };
}
