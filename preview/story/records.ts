import { isRecord, lineOf, type RecordChange, recordChanges } from "../records.ts";
import type { Preview } from "../types.ts";
import { and, capital, count, name, names } from "../words.ts";
import { type Chapter, type Effect, isOf, movedDomains, type Risk } from "./chapter.ts";

/** What the DNS says to the world. */
export function records(preview: Preview): Chapter {
  const { added, removed } = movedDomains(preview);
  const changes = recordChanges(preview);
  const isMoved = ({ before, after }: RecordChange) =>
    [...added, ...removed].some((domain) => isOf(domain, (after ?? before)?.name ?? ""));
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
  const drifted = driftedRecords(preview, changes);
  if (drifted.length > 0)
    effects.push({
      short: `puts ${count(drifted.length, "DNS record")} back`,
      text: `Puts ${count(drifted.length, "DNS record")} back that somebody has changed or taken away since the last \`up\`: ${names(drifted)}.`,
    });
  return { risks, effects };
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

/** Records that the program wants as before, and the world has otherwise. */
function driftedRecords({ changes }: Preview, told: readonly RecordChange[]): readonly string[] {
  return changes
    .filter((change) => isRecord(change) && !told.some(({ key }) => change.name.endsWith(`-${key}`)))
    .filter(({ kind, changed }) => kind !== "update" || changed.some((key) => key !== "comment"))
    .map((change) => change.name.replace(/^\w+-/, ""));
}
