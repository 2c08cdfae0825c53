import type { Preview, Properties } from "../types.ts";

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

/** An output of the stack on both sides; `empty` where there is none, or it is not known yet. */
export function output<T>({ outputs }: Preview, key: string, empty: T): readonly [before: T, after: T] {
  const one = (side: Properties | undefined) => {
    const value = side?.[key];
    return (typeof value === "object" && value !== null ? value : empty) as T;
  };
  const before = one(outputs.before);
  // Not known: nothing is said of it, instead of that all of it goes.
  return [before, typeof outputs.after?.[key] === "string" ? before : one(outputs.after)];
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

/** Whether an address or a name of the DNS is the domain's, or below it. */
export function isOf(domain: string, text: string): boolean {
  return text === domain || text.endsWith(`@${domain}`) || text.endsWith(`.${domain}`);
}
