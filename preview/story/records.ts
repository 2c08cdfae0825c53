import { isRecord, lineOf, type RecordChange, recordChanges } from "../records.ts";
import type { Change, Preview, Properties } from "../types.ts";
import { and, capital, count, name, names } from "../words.ts";
import { type Chapter, type Effect, isCompared, movesAlong, type Risk } from "./chapter.ts";

/** What the DNS says to the world. */
export function records(preview: Preview): Chapter {
  const moves = movesAlong(preview);
  const changes = recordChanges(preview);
  const isMoved = ({ before, after }: RecordChange) => moves((after ?? before)?.name ?? "");
  // What is the same for many domains is told once.
  const alike = Map.groupBy(
    changes.filter((change) => !isMoved(change)),
    ({ before, after }) => JSON.stringify([before, after].map((record) => record && dataOf(record))),
  );
  const risks = [...alike.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined || isOfTime(first) ? [] : (riskOf(first, ownersOf(group)) ?? []);
  });
  const effects: Effect[] = [];
  const others = changes.filter((change) => !isOfTime(change));
  if (others.length > 0) {
    const kinds = [
      ["adds", others.filter(({ before }) => before === undefined)],
      ["changes", others.filter(({ before, after }) => before !== undefined && after !== undefined)],
      ["removes", others.filter(({ after }) => after === undefined)],
    ] as const;
    const told = kinds.flatMap(([verb, some]) =>
      some.length === 0 ? [] : [`${verb} ${count(some.length, "DNS record")} (${typesOf(some)})`],
    );
    const text = and(told);
    effects.push({ short: text, text: `${capital(text)}.` });
  }
  const timed = changes.filter(isOfTime);
  if (timed.length > 0) {
    const times = [...new Set(timed.map(({ after }) => `${after?.ttl} s`))].toSorted();
    const what = count(timed.length, "DNS record");
    effects.push({
      short: `lets others remember ${what} for ${and(times)}`,
      text: `Lets others remember ${what} for ${and(times)}. What the records say stays as it is.`,
    });
  }
  const { putBack, moved, gone } = untoldRecords(preview, changes);
  if (putBack.length > 0 && !isCompared(preview, "dnsRecords", {}))
    effects.push({
      short: `makes or changes ${count(putBack.length, "DNS record")}`,
      text: `Makes or changes ${count(putBack.length, "DNS record")}: ${names(putBack)}.`,
    });
  else if (putBack.length > 0)
    effects.push({
      short: `puts ${count(putBack.length, "DNS record")} back`,
      text: `Puts ${count(putBack.length, "DNS record")} back that somebody has changed or taken away since the last \`up\`: ${names(putBack)}.`,
    });
  if (moved.length > 0)
    effects.push({
      short: `puts ${count(moved.length, "DNS record")} elsewhere`,
      text: `Puts ${count(moved.length, "DNS record")} where the zone is kept from now on: ${names(moved)}.`,
    });
  if (gone.length > 0)
    effects.push({
      short: `takes ${count(gone.length, "DNS record")} away`,
      text: `Takes ${count(gone.length, "DNS record")} away from where the zone was kept: ${names(gone.map(({ key }) => key))}.`,
    });
  return { risks: [...risks, ...goneRisks(gone)], effects };
}

/** Whether nothing but the time to live differs. */
function isOfTime({ before, after }: RecordChange): boolean {
  return before !== undefined && after !== undefined && dataOf(before) === dataOf(after);
}

/** Whose records they are: for policies the domain's name, which theirs is below. */
function ownersOf(group: readonly RecordChange[]): string {
  return names(
    group.map(({ before, after }) => ((after ?? before)?.name ?? "").replace(/^_(dmarc|mta-sts)\./, "")),
    20,
  );
}

function typesOf(changes: readonly RecordChange[]): string {
  const types = changes.map(({ before, after }) => spokenType(after ?? before));
  return [...new Set(types)].toSorted().join(", ");
}

function spokenType(record: RecordChange["after"]): string {
  if (record?.type !== "TXT") return record?.type ?? "";
  const { content, name: owner } = record;
  if (/^v=spf1\b/i.test(content)) return "SPF";
  if (/^v=DMARC1\b/i.test(content)) return "DMARC";
  if (/^v=DKIM1\b/i.test(content) || owner.includes("._domainkey.")) return "DKIM";
  if (owner.startsWith("_smtp._tls.")) return "TLS-RPT";
  return owner.startsWith("_mta-sts.") ? "MTA-STS" : "TXT";
}

function riskOf(change: RecordChange, owners: string): Risk | undefined {
  const { before, after } = change;
  const record = after ?? before;
  if (record === undefined) return undefined;
  switch (spokenType(record)) {
    case "MX":
      return mxRisk(change, owners);
    case "SPF":
      return spfRisk(change, owners);
    case "A":
    case "AAAA":
      return {
        title: `The address of ${owners} ${verbOf(change)}`,
        text: `${wasAndWillBe(change)} Until everybody has forgotten the old record, some connect to the wrong place; mail waits at its senders meanwhile.`,
      };
    case "DMARC":
      return dmarcRisk(change, owners);
    case "MTA-STS":
      if (after !== undefined) return undefined;
      return {
        title: `The MTA-STS policy of ${owners} goes`,
        text: "Servers that remember it may hold mail back that they cannot verify, until their copy ends; the others send without it from now on, so that an attacker on the way can read along.",
      };
    default:
      return undefined;
  }
}

function mxRisk(change: RecordChange, owners: string): Risk {
  const text =
    change.after === undefined
      ? `Mail for ${owners} then goes to where its address record leads, or nowhere.`
      : "It says to which host all mail for the domain goes.";
  return { title: `The MX of ${owners} ${verbOf(change)}`, text: `${wasAndWillBe(change)} ${text}` };
}

function spfRisk(change: RecordChange, owners: string): Risk {
  const [old, now] = [change.before, change.after].map((record) => strictness(record?.content));
  const isSofter = change.before !== undefined && (now ?? -1) < (old ?? -1);
  return {
    title: `The SPF record of ${owners} ${isSofter ? "becomes softer" : verbOf(change)}`,
    text: `${wasAndWillBe(change)} Mail from a server that it does not name is taken for forged${isSofter ? "; less strictly from now on" : ""}.`,
  };
}

/** From `+all` to `-all` (RFC 7208 section 4.6.2). */
function strictness(content: string | undefined): number {
  const qualifier = /(?:^|\s)([+?~-]?)all(?:\s|$)/i.exec(content ?? "")?.[1];
  return qualifier === undefined ? -1 : ["+", "?", "~", "-"].indexOf(qualifier || "+");
}

/** DMARC's policies from the mildest to the strictest (RFC 9989). */
const policies = ["none", "quarantine", "reject"];

function dmarcRisk(change: RecordChange, domain: string): Risk | undefined {
  const policyOf = (record: RecordChange["after"]) => /\bp=(\w+)/.exec(record?.content ?? "")?.[1] ?? "";
  const [old, now] = [policyOf(change.before), policyOf(change.after)];
  if (change.before === undefined || policies.indexOf(now) === policies.indexOf(old)) return undefined;
  if (policies.indexOf(now) > policies.indexOf(old))
    return {
      title: `The DMARC policy of ${domain} becomes stricter: ${name(now)}`,
      text: `It was ${name(old)}. Mail in its name that neither SPF nor DKIM vouches for is ${now === "reject" ? "refused" : "put into Junk"} from now on, also that of a shop or a newsletter service.`,
    };
  return {
    title: `The DMARC policy of ${domain} goes backwards: ${now === "" ? "there is none any more" : `${name(now)} instead of ${name(old)}`}`,
    text: "What was refused or marked as forged may reach people again.",
  };
}

function verbOf({ before, after }: RecordChange): string {
  if (before === undefined) return "is new";
  return after === undefined ? "goes" : "changes";
}

function wasAndWillBe({ before, after }: RecordChange): string {
  const parts = [
    ...(before === undefined ? [] : [`It was ${name(dataOf(before))}`]),
    ...(after === undefined ? [] : [`${before === undefined ? "It" : "it"} will be ${name(dataOf(after))}`]),
  ];
  return `${parts.join("; ")}.`;
}

function dataOf(record: NonNullable<RecordChange["after"]>): string {
  return lineOf(record).split(" IN ")[1] ?? "";
}

/** A record that stays among the stack's own, and is no longer kept where it was. */
interface GoneRecord {
  readonly key: string;
  readonly zone: string;
  /** It stays where it was, and the stack looks after it no more. */
  readonly isLeft: boolean;
}

/** Records that the program wants as before, and whose resources change all the same, by their keys. */
function untoldRecords(
  { changes, outputs }: Preview,
  told: readonly RecordChange[],
): {
  readonly putBack: readonly string[];
  readonly moved: readonly string[];
  readonly gone: readonly GoneRecord[];
} {
  const untold = changes
    .filter((change) => isRecord(change) && !told.some(({ key }) => change.name.endsWith(`-${key}`)))
    .map((change) => ({ ...change, key: change.name.replace(/^\w+-/, "") }));
  const isGoing = ({ kind }: Pick<Change, "kind">) => kind === "delete" || kind === "forget";
  const all = { ...recordsOf(outputs.before), ...recordsOf(outputs.after) };
  const gone = untold
    .filter(isGoing)
    .map(({ key, kind }) => ({ key, zone: all[key]?.zone ?? "", isLeft: kind === "forget" }));
  const stays = untold
    .filter((change) => !isGoing(change))
    .filter(({ kind, changed }) => kind !== "update" || changed.some((key) => key !== "comment"))
    .map(({ key }) => key);
  // One that goes at the same time was never missing.
  const isMoved = (key: string) => gone.some((each) => each.key === key);
  return { putBack: stays.filter((key) => !isMoved(key)), moved: stays.filter(isMoved), gone };
}

function recordsOf(side: Properties | undefined): Readonly<Record<string, { readonly zone?: string }>> {
  return (side?.dnsRecords ?? {}) as Readonly<Record<string, { readonly zone?: string }>>;
}

function goneRisks(gone: readonly GoneRecord[]): readonly Risk[] {
  return [...Map.groupBy(gone, ({ zone, isLeft }) => `${isLeft} ${zone}`).values()].map((all) => {
    const [{ zone, isLeft } = { zone: "", isLeft: false }] = all;
    const what = `${count(all.length, "record")}${zone === "" ? "" : ` of the zone ${name(zone)}`}`;
    const one = all.length === 1;
    return {
      title: `${what} ${one ? "is" : "are"} ${isLeft ? "given up" : "removed"} where ${one ? "it is" : "they are"} kept today`,
      text: `${isLeft ? "What is there stays as it is, and the stack changes it no more." : "Who asks there finds them no more: mail for these names is refused, or taken for forged."} See that the zone's other provider serves them, and that the registrar names it, before this \`up\`.`,
    };
  });
}
