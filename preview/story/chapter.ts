import type { Preview } from "../types.ts";

/** What is to be looked at before it is done. */
export interface Risk {
  /** A sentence, without its full stop. */
  readonly title: string;
  /** Whole sentences: what it means, and what can be done. */
  readonly text: string;
}

/** What happens. */
export interface Effect {
  /** For a heading: `adds the mailbox x`. */
  readonly short: string;
  /** Whole sentences. */
  readonly text: string;
}

/** One side of a change, in words. */
export interface Chapter {
  readonly risks: readonly Risk[];
  readonly effects: readonly Effect[];
}

/** Tells its side of a change to a stack that has a host already. */
export type Teller = (preview: Preview) => Chapter;

/** What differs between two tables, by their keys. */
export interface Difference<T> {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly key: string; readonly before: T; readonly after: T }[];
}

export function difference<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): Difference<T> {
  return {
    added: Object.keys(after).filter((key) => !(key in before)),
    removed: Object.keys(before).filter((key) => !(key in after)),
    changed: Object.entries(after).flatMap(([key, now]) => {
      const old = before[key];
      return old === undefined || JSON.stringify(old) === JSON.stringify(now)
        ? []
        : [{ key, before: old, after: now }];
    }),
  };
}

/** Whether there is no host yet. */
export function isFirst({ outputs }: Preview): boolean {
  return outputs.before.hostname === undefined;
}

/**
 * An output of the stack on both sides; `empty` where there is none. Where one side does not tell, since its version had no such
 * output or it is not known yet, both are the other: nothing is said of it, instead of that all of it comes or goes.
 */
export function output<T>(preview: Preview, key: string, empty: T): readonly [before: T, after: T] {
  const { before, after } = sides(preview, key, empty);
  return [before ?? after ?? empty, after ?? before ?? empty];
}

/** Whether both sides of an output tell. */
export function isCompared(preview: Preview, key: string, empty: unknown): boolean {
  const { before, after } = sides(preview, key, empty);
  return before !== undefined && after !== undefined;
}

/** `undefined` for a side that does not tell. */
function sides<T>(
  preview: Preview,
  key: string,
  empty: T,
): { readonly before: T | undefined; readonly after: T | undefined } {
  const { before, after } = preview.outputs;
  const isTold = (value: unknown) =>
    typeof value === "object" && value !== null && Array.isArray(value) === Array.isArray(empty);
  const old = isTold(before[key]) ? (before[key] as T) : undefined;
  const now = isTold(after?.[key]) ? (after?.[key] as T) : undefined;
  return {
    before: old ?? (isFirst(preview) ? empty : undefined),
    after: now ?? (typeof after?.[key] === "string" ? undefined : empty),
  };
}

/** Domains that the stack has only after this, or only before. */
export function movedDomains(preview: Preview): {
  readonly added: readonly string[];
  readonly removed: readonly string[];
} {
  const [before, after] = output<readonly string[]>(preview, "domains", []);
  return {
    added: after.filter((domain) => !before.includes(domain)),
    removed: before.filter((domain) => !after.includes(domain)),
  };
}

/**
 * Tells of an address or a name of the DNS whether it comes or leaves with its domain, which is the longest of the stack's that it is
 * in or below; the host's own name, and what is below it, belongs to none.
 */
export function movesAlong(preview: Preview): (text: string) => boolean {
  const { added, removed } = movedDomains(preview);
  const { before, after } = preview.outputs;
  const hosts = [before.hostname, after?.hostname].filter((host) => typeof host === "string");
  const all = [...hosts, ...removed, ...output<readonly string[]>(preview, "domains", [])[1]].toSorted(
    (one, other) => other.length - one.length,
  );
  const moved = new Set([...added, ...removed].filter((domain) => !hosts.includes(domain)));
  return (text) => moved.has(all.find((domain) => isOf(domain, text)) ?? "");
}

function isOf(domain: string, text: string): boolean {
  return text === domain || text.endsWith(`@${domain}`) || text.endsWith(`.${domain}`);
}
