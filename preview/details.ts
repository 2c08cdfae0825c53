/** The differences themselves, for who wants to see each line. */
import { publishable, publishableLines } from "./hide.ts";
import { differences, type Line } from "./lines.ts";
import { isRecord, lineOf, recordChanges } from "./records.ts";
import { hostChanges } from "./story/host.ts";
import type { Change, Preview, Properties } from "./types.ts";
import { count } from "./words.ts";

/** One thing that changes. */
export interface Block {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface Section {
  readonly title: string;
  /** How much there is: `2 to change, 1 to make`. */
  readonly sum: string;
  readonly blocks: readonly Block[];
}

/**
 * Those that have something to show, whole: who cuts a line does so after secrets are hidden, since a part of one is no longer
 * known as one.
 * @param secrets values that must not be in it
 */
export function details(preview: Preview, secrets: readonly string[] = []): readonly Section[] {
  return [cloud(preview), dns(preview), files(preview)]
    .filter(({ blocks }) => blocks.length > 0)
    .map((section) => ({
      ...section,
      blocks: section.blocks.map(({ title, lines }) => ({
        title: publishable(title, secrets),
        lines: publishableLines(lines, secrets),
      })),
    }));
}

const verbs = {
  create: "make",
  update: "change",
  replace: "replace",
  delete: "remove",
  forget: "give up",
} as const;

/** Steps on the host that a person needs not see: each only carries out what is shown elsewhere. */
const CARRIERS = /^host-(?:.+-(?:files|confirm|confirmed)|sweep|sweep-packages|way-out)$/;

function cloud({ changes }: Preview): Section {
  const isLong = ({ type }: Change) => type === "cloudflare:index/workersScript:WorkersScript";
  const shown = changes
    .filter((change) => !isRecord(change) && !CARRIERS.test(change.name))
    .toSorted((one, other) => Number(isLong(one)) - Number(isLong(other)));
  const sums = Object.entries(verbs).flatMap(([kind, verb]) => {
    const some = shown.filter((change) => change.kind === kind).length;
    return some === 0 ? [] : [`${some} to ${verb}`];
  });
  return { title: "Cloud, keys and steps", sum: sums.join(", "), blocks: shown.map(resourceBlock) };
}

/** What is made by chance has no inputs that a person would look at. */
const UNTELLING = /^(?:random|tls):/;

function resourceBlock(change: Change): Block {
  const { kind, name, type, before, after, changed, causes } = change;
  const keys = kind === "update" || kind === "replace" ? [...new Set([...changed, ...causes])] : [];
  return {
    title: `${verbs[kind]} ${name} (${type})${causes.length > 0 ? `, since ${causes.join(", ")} cannot be changed in place` : ""}`,
    lines:
      kind === "create" && UNTELLING.test(type)
        ? []
        : kind === "create"
          ? propertyLines({}, after, Object.keys(after).filter(isTelling))
          : propertyLines(before, after, keys.filter(isTelling)),
  };
}

/** A login is the same for all steps; what a step hangs on says nothing to a person. */
function isTelling(key: string): boolean {
  return !["connection", "addPreviousOutputInEnv", "triggers", "tagsAll"].includes(key);
}

function propertyLines(before: Properties, after: Properties, keys: readonly string[]): readonly Line[] {
  return keys.flatMap((key) => {
    const [old, now] = [before[key], after[key]];
    const texts = [textOf(key, old), textOf(key, now)] as const;
    const lines = differences(...texts);
    // A secret looks the same on both sides.
    return lines.length > 0 ? lines : [{ sign: " ", text: `${key}: changes (not shown)` } as const];
  });
}

function textOf(key: string, value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string" && value.includes("\n"))
    return `${key}:\n${value.replace(/\n$/, "").replaceAll(/^/gm, "  ")}\n`;
  if (typeof value === "object" && value !== null) {
    const [first = "", ...rest] = JSON.stringify(value, undefined, 2).split("\n");
    return `${[`${key}: ${first}`, ...rest].join("\n")}\n`;
  }
  return `${key}: ${String(value)}\n`;
}

function dns(preview: Preview): Section {
  const changes = recordChanges(preview);
  const lines = changes.flatMap(({ before, after }): Line[] => [
    ...(before === undefined ? [] : [{ sign: "-" as const, text: lineOf(before) }]),
    ...(after === undefined ? [] : [{ sign: "+" as const, text: lineOf(after) }]),
  ]);
  const told = new Set(changes.map(({ key }) => key));
  const back = preview.changes.filter(
    (change) =>
      isRecord(change) &&
      !told.has(change.name.replace(/^\w+-/, "")) &&
      (change.kind !== "update" || change.changed.some((key) => key !== "comment")),
  );
  return {
    title: "DNS",
    sum: count(changes.length + back.length, "record"),
    blocks: [...(lines.length > 0 ? [{ title: "records", lines }] : []), ...back.map(resourceBlock)],
  };
}

function files(preview: Preview): Section {
  const services = hostChanges(preview);
  const blocks = services.flatMap(({ files: changes, orders, bundle }) => [
    ...changes.map(({ path, before, after, access }): Block => {
      const title = before === undefined ? `${path} (new)` : after === undefined ? `${path} (goes)` : path;
      const owner: readonly Line[] =
        access === undefined
          ? []
          : [
              { sign: "-", text: `(${access.before})` },
              { sign: "+", text: `(${access.after})` },
            ];
      // All of what goes is in the host's backup of nothing: its name says enough.
      return { title, lines: [...owner, ...(after === undefined ? [] : differences(before ?? "", after))] };
    }),
    ...orderBlock(bundle, orders),
  ]);
  const paths = services.flatMap(({ files: changes }) => changes);
  return { title: "Host files", sum: count(paths.length, "file"), blocks };
}

function orderBlock(
  bundle: string,
  { before, after }: { readonly before: readonly string[]; readonly after: readonly string[] },
): readonly Block[] {
  // Of a service that is new, or goes, the files say it.
  if (before.length === 0 || after.length === 0) return [];
  const lines = differences(`${before.join("\n")}\n`, `${after.join("\n")}\n`, 0);
  return lines.length === 0 ? [] : [{ title: `what is done for ${bundle}`, lines }];
}
