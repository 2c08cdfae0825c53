/** The records of one name and type at a nameserver that takes dynamic updates, of which some may be somebody else's. */
import type { Answer, RecordType } from "dns-packet";
import { ask, serverText, valuesOf } from "../../dns/client.ts";
import { recordOf, type TsigKey, update } from "../../dns/update.ts";
import { conflicts, type ExistingRecord, joinTheRecord } from "../../plan/conflicts.ts";
import type { DnsRecord } from "../../plan/types.ts";

/** What the stack wants under one name and type. */
export interface WantedSet extends Pick<DnsRecord, "zone" | "name" | "type" | "ttl"> {
  readonly server: string;
  readonly port: number;
  readonly key: Omit<TsigKey, "secret">;
  /** As `valuesOf` writes them. */
  readonly values: readonly string[];
  /** Whether the stack has addresses of the other kind there, too. */
  readonly hasOtherAddresses: boolean;
}

/** How often a set may be changed by somebody else in the moment between a look and an update. */
const tries = 5;

/**
 * Publishes a set in one step: its values of before go, those that are wanted come, and what is foreign stays.
 *
 * @param before the values that this stack has published there
 * @throws where something foreign stands that contradicts it, and where the server does not do it
 */
export async function publishSet(
  wanted: WantedSet,
  before: readonly string[],
  secret: string,
): Promise<void> {
  await changed(wanted, secret, (there) => {
    refuseForeign(wanted, before, there);
    const { name, type, values } = wanted;
    const ours = there.set.filter((answer) => [...before, ...values].includes(textOf(answer)));
    // One set has one time to live (RFC 2181 section 5.2), and what is foreign keeps its own.
    const [foreign] = there.set.filter((answer) => !ours.includes(answer));
    const ttl = foreign === undefined ? wanted.ttl : ttlOf(foreign);
    const isRight = (answer: Answer) => values.includes(textOf(answer)) && ttlOf(answer) === ttl;
    const kept = ours.filter(isRight).map(textOf);
    return {
      remove: ours.filter((answer) => !isRight(answer)),
      add: values.filter((value) => !kept.includes(value)).map((value) => recordOf(name, type, ttl, value)),
    };
  });
}

/** Takes the values of before out of a set, and nothing else. */
export async function withdrawSet(
  wanted: WantedSet,
  before: readonly string[],
  secret: string,
): Promise<void> {
  await changed(wanted, secret, ({ set }) => ({
    remove: set.filter((answer) => before.includes(textOf(answer))),
    add: [],
  }));
}

/** @throws Error naming what is foreign and contradicts the set, with the ways on */
export async function refuseForeignSet(
  wanted: WantedSet,
  before: readonly string[],
  secret: string,
): Promise<void> {
  refuseForeign(wanted, before, await look(wanted, secret));
}

/** What stands at a name, as far as it matters to a set. */
interface There {
  readonly set: readonly Answer[];
  /** The alias that the name is, and addresses of the other kind. */
  readonly beside: readonly Answer[];
}

async function look(wanted: WantedSet, secret: string): Promise<There> {
  const { server, zone, name, type, hasOtherAddresses } = wanted;
  const others: readonly RecordType[] =
    hasOtherAddresses || (type !== "A" && type !== "AAAA") ? [] : [type === "A" ? "AAAA" : "A"];
  const asked = async (each: RecordType) => {
    const answer = await ask(serverText(wanted), name, each, { recursion: false });
    if (!answer.authoritative || (answer.rcode !== "NOERROR" && answer.rcode !== "NXDOMAIN"))
      throw new Error(
        `${server} is not responsible for ${zone}: it answers ${answer.rcode} for ${each} ${name}`,
      );
    const found = answer.answers.filter((each) => each.name.toLowerCase() === name);
    // A wildcard answers for every name below it, and is nothing that stands there.
    const nothing = { remove: [], add: [] };
    const isThere =
      found.length > 0 &&
      (await update({
        ...updatable(wanted, secret),
        expected: [{ name, type: each, records: "any" }],
        ...nothing,
      }));
    return isThere ? found : [];
  };
  const [set = [], ...beside] = await Promise.all([type, "CNAME" as const, ...others].map(asked));
  return { set, beside: beside.flat() };
}

function refuseForeign(wanted: WantedSet, before: readonly string[], { set, beside }: There): void {
  const own = [...before, ...wanted.values];
  const foreign = [...set.filter((answer) => !own.includes(textOf(answer))), ...beside].map(
    (answer): ExistingRecord => ({
      id: "",
      name: answer.name,
      type: answer.type,
      content: textOf(answer),
      comment: "",
    }),
  );
  // Unknown in the preview before the first `up`.
  const values = wanted.values.length > 0 ? wanted.values : [""];
  const standing = [...new Set(values.flatMap((value) => conflicts(wanted, value, foreign, undefined)))];
  if (standing.length === 0) return;
  throw new Error(
    [
      `The zone already has a record where ${wanted.name} ${wanted.type} is to be; nothing was overwritten.`,
      ...standing.map(({ name, type, content }) => `  ${name} ${type} ${content}`),
      `    delete it at ${wanted.server}, if nobody needs it, and run again: only one of them can be right;`,
      "    or change it there to what it is to be: that is taken over as it stands.",
      ...standing
        .slice(0, 1)
        .flatMap(joinTheRecord)
        .map((way) => `    ${way}`),
      ...wanted.values.map((value) => `  ${wanted.name} ${wanted.type} ${value}`),
    ].join("\n"),
  );
}

async function changed(
  wanted: WantedSet,
  secret: string,
  plan: (there: There) => { readonly remove: readonly Answer[]; readonly add: readonly Answer[] },
): Promise<void> {
  const { server, name, type } = wanted;
  for (let left = tries; left > 0; left--) {
    const there = await look(wanted, secret);
    const { remove, add } = plan(there);
    if (remove.length === 0 && add.length === 0) return;
    const expected = [
      { name, type, records: there.set },
      { name, type: "CNAME" as const, records: [] },
    ];
    if (await update({ ...updatable(wanted, secret), expected, remove, add })) return;
  }
  throw new Error(`${server}: somebody else keeps changing ${type} ${name}. Run again later.`);
}

/** Whom to ask for an update, and with which key. */
function updatable({ server, port, zone, key }: WantedSet, secret: string) {
  return { server, port, zone, key: { ...key, secret } };
}

function textOf(answer: Answer): string {
  const [value = ""] = valuesOf([answer]);
  return value;
}

function ttlOf(answer: Answer): number {
  return answer.type === "OPT" ? 0 : (answer.ttl ?? 0);
}
