import { isRecord } from "./records.ts";
import { addresses } from "./story/addresses.ts";
import { type Chapter, type Effect, isFirst, type Risk, type Teller } from "./story/chapter.ts";
import { cloud, counts, isTold, web } from "./story/cloud.ts";
import { domains } from "./story/domains.ts";
import { first } from "./story/first.ts";
import { files, services } from "./story/host.ts";
import { keys } from "./story/keys.ts";
import { mailboxes } from "./story/mailboxes.ts";
import { records } from "./story/records.ts";
import { relay } from "./story/relay.ts";
import type { Change, Preview, Violation } from "./types.ts";
import { capital, count, name, names } from "./words.ts";

/** A preview in plain words. */
export interface Story {
  /** All of it in one line. */
  readonly headline: string;
  /** Whether what would happen is known, and told. */
  readonly isWhole: boolean;
  /** What stands in the way. */
  readonly refusals: readonly string[];
  /** What policies have against it, a sentence or two each; those that refuse it first. */
  readonly violations: readonly Objection[];
  readonly risks: readonly Risk[];
  readonly effects: readonly Effect[];
  /** How safe it is, in a sentence. */
  readonly verdict: string;
  readonly warnings: readonly string[];
}

/** What a policy has against it. */
export interface Objection {
  /** Which one, and of what. */
  readonly title: string;
  /** In its own words, which may be anybody's: it may be another pack than ours. */
  readonly text: string;
}

/** In the order in which they tell what happens: people first, what follows from it last. */
const tellers: readonly Teller[] = [
  domains,
  mailboxes,
  addresses,
  relay,
  cloud,
  services,
  keys,
  records,
  web,
  files,
  others,
];

/** Whose risks come first. */
const gravest: readonly Teller[] = [cloud, domains, mailboxes];

/** What the engine says at the end of a preview that it could not finish. */
const ENDINGS = /^(preview failed|.*: preview failed|failed to .*preview)$/i;

/** Parts of a headline. */
const MOST_PARTS = 4;

export function story(preview: Preview): Story {
  const refusals = preview.refusals.filter((text) => !ENDINGS.test(text));
  const { warnings } = preview;
  const violations = violated(preview.violations);
  const isJudged = preview.violations.some(({ isMandatory }) => isMandatory);
  // The engine goes on to the end of a preview that policies refuse: what would happen can be told all the same.
  const isThrough = isJudged && refusals.length === 0 && preview.outputs.after !== undefined;
  const isWhole = preview.refusals.length === 0 || isThrough;
  if (!isWhole) {
    return {
      headline: "refused: nothing would be changed",
      isWhole,
      refusals: refusals.length > 0 || isJudged ? refusals : preview.refusals,
      violations,
      risks: [],
      effects: [],
      verdict: "An `up` would end the same way. Nothing is touched, and mail goes on as it does.",
      warnings,
    };
  }
  const told = new Map((isFirst(preview) ? [first] : tellers).map((tell) => [tell, tell(preview)]));
  const risks = [...new Set([...gravest, ...told.keys()])].flatMap((tell) => told.get(tell)?.risks ?? []);
  const effects = [...told.values()].flatMap((chapter) => chapter.effects);
  return {
    headline: [...(isJudged ? ["**refused by policies**"] : []), headline(effects, risks, preview)].join(
      ": ",
    ),
    isWhole,
    refusals: [],
    violations,
    risks,
    effects,
    verdict: isJudged
      ? "An `up` that is held by these policies would end before it is through: mend what they say, or say the word that they ask for."
      : verdict(risks, preview),
    warnings,
  };
}

/** What each policy says, once for all resources of which it says the same. */
function violated(violations: readonly Violation[]): readonly Objection[] {
  const alike = Map.groupBy(violations, ({ policy, isMandatory, text }) =>
    JSON.stringify([!isMandatory, policy, text]),
  );
  return [...alike]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, [first, ...others]]) => {
      if (first === undefined) return [];
      const { policy, isMandatory, text } = first;
      const resources = [first, ...others].flatMap(({ resource = [] }) => resource);
      const where = resources.length === 0 ? "" : ` (${names(resources, 3)})`;
      return [
        { title: `${name(policy)} ${isMandatory ? "refuses this" : "advises against this"}${where}`, text },
      ];
    });
}

function headline(effects: readonly Effect[], risks: readonly Risk[], preview: Preview): string {
  if (preview.changes.length === 0 && effects.length === 0) return "nothing changes";
  const shorts = effects.map(({ short }) => short);
  const more = shorts.length - MOST_PARTS;
  return [
    ...shorts.slice(0, MOST_PARTS),
    ...(more > 0 ? [`and ${count(more, "more change")}`] : []),
    replaced(preview.changes) ?? "nothing is replaced",
    risks.length === 0 ? "no mail at risk" : `**${count(risks.length, "thing")} to look at**`,
  ].join("; ");
}

function verdict(risks: readonly Risk[], { changes }: Preview): string {
  if (changes.length === 0) return "The host, its records and its files are as this wants them.";
  const beginning = replaced(changes);
  return `${beginning === undefined ? "Nothing is replaced" : capital(beginning)}, and ${
    risks.length === 0
      ? "no mail is at risk."
      : `${count(risks.length, "thing")} above ${risks.length === 1 ? "wants" : "want"} a look first.`
  }`;
}

/** Resources that are made anew. A step on the host is one only on a new machine. */
function replaced(changes: readonly Change[]): string | undefined {
  const all = changes.filter(({ kind, type }) => kind === "replace" && type !== "command:remote:Command");
  return all.length === 0
    ? undefined
    : `${count(all.length, "resource")} ${all.length === 1 ? "is" : "are"} replaced`;
}

/** What no chapter tells, so that nothing goes unsaid. */
function others({ changes }: Preview): Chapter {
  const rest = changes.filter((change) => !isRecord(change) && !isTold(change) && !isStep(change));
  if (rest.length === 0) return { risks: [], effects: [] };
  const kinds = [
    ["makes", rest.filter(({ kind }) => kind === "create")],
    ["changes", rest.filter(({ kind }) => kind === "update")],
    ["replaces", rest.filter(({ kind }) => kind === "replace")],
    ["removes", rest.filter(({ kind }) => kind === "delete" || kind === "forget")],
  ] as const;
  const effects = kinds
    .filter(([, some]) => some.length > 0)
    .map(([verb, some]): Effect => {
      const text = `${verb} ${counts(some)}`;
      return { short: text, text: `Behind it ${text}.` };
    });
  return { risks: [], effects };
}

/** Passwords belong to mailboxes, and a step on the host to its files. */
function isStep({ type }: Change): boolean {
  return type === "random:index/randomPassword:RandomPassword" || type === "command:remote:Command";
}
