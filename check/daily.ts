import { setTimeout as pause } from "node:timers/promises";
import type { CheckResult } from "./types.ts";
import { type Changes, changes, lasting } from "./watch.ts";

/** Where what changed is told. Each has a memory of its own: what did not arrive is told the next day. */
export interface Teller {
  /** By which its memory is kept. */
  readonly name: string;
  /** @throws where it does not arrive */
  tell(news: Changes): Promise<void>;
}

/** What each teller has told and is wrong still, by its name. */
export type Told = Readonly<Record<string, readonly CheckResult[]>>;

/** What was kept of an earlier run; where that is broken, nothing was told: told twice is better than never. */
export function toldIn(text = "{}"): Told {
  try {
    const kept: unknown = JSON.parse(text);
    if (typeof kept !== "object" || kept === null) return {};
    return Object.fromEntries(Object.entries(kept).filter(([, results]) => Array.isArray(results)));
  } catch {
    return {};
  }
}

export interface Daily {
  readonly look: () => Promise<readonly CheckResult[]>;
  /** Seconds after which a second look decides: what was wrong for a moment is no news. */
  readonly between: number;
  readonly tellers: readonly Teller[];
  readonly told: Told;
  /** Gets what cannot be told, and where. */
  readonly complain: (text: string) => void;
}

/** One day's run. @returns what the next has to know */
export async function daily({ look, between, tellers, told, complain }: Daily): Promise<Told> {
  const before = ({ name }: Teller) => told[name] ?? [];
  const tried = () => look().then(all, (error: Error) => besideKnown(failed(error)));
  const first = await tried();
  const isNews = ({ wrong, over }: Changes) => wrong.length + over.length > 0;
  const isQuiet = tellers.every((teller) => !isNews(changes(before(teller), first(before(teller)))));
  const second = isQuiet ? first : await pause(between * 1000).then(tried);
  const entries = await Promise.all(
    tellers.map(async (teller) => {
      const known = before(teller);
      const news = lasting(known, first(known), second(known));
      try {
        if (isNews(news)) await teller.tell(news);
      } catch (error) {
        complain(`${teller.name}: ${(error as Error).message}`);
        return [teller.name, known] as const;
      }
      return [
        teller.name,
        [...known.filter((result) => !news.over.includes(result)), ...news.wrong],
      ] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** What a look says to who knows that already. */
type Look = (known: readonly CheckResult[]) => readonly CheckResult[];

function all(results: readonly CheckResult[]): Look {
  return () => results;
}

/** A look that failed says nothing of what was wrong before: nothing of that is over. */
function besideKnown(result: CheckResult): Look {
  return (known) => [...known, result];
}

function failed({ message }: Error): CheckResult {
  return {
    group: "Inside the host",
    item: "check",
    about: "check",
    right: false,
    text: `the daily check could not look: ${message}`,
    remedy: "See `npm run host -- sudo journalctl -u mailhost-check`, and run `npm run check`.",
  };
}
