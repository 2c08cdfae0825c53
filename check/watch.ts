import { setTimeout as pause } from "node:timers/promises";
import { report, resultLines } from "./report.ts";
import type { CheckResult } from "./types.ts";

/** What two looks at the same host say differently. */
export interface Changes {
  /** Wrong now, and not at the look before. */
  readonly wrong: readonly CheckResult[];
  /** Wrong at the look before, and not now; as that one said it. */
  readonly over: readonly CheckResult[];
}

/**
 * Only of what is wrong: what is right says another number each time. What follows from another line is left to that one, and
 * is not over when it begins to.
 */
export function changes(before: readonly CheckResult[], now: readonly CheckResult[]): Changes {
  const notAmong = (others: readonly CheckResult[]) => {
    const known = new Set(others.map(sameTrouble));
    return (result: CheckResult) => !known.has(sameTrouble(result));
  };
  const known = before.filter(isOwnTrouble);
  return {
    wrong: now.filter(isOwnTrouble).filter(notAmong(known)),
    over: known.filter(notAmong(now.filter(({ right }) => !right))),
  };
}

/** What two looks, one soon after the other, both say of what changed since an earlier one. */
export function lasting(
  before: readonly CheckResult[],
  first: readonly CheckResult[],
  second: readonly CheckResult[],
): Changes {
  const { wrong, over } = changes(before, second);
  const passing = changes(first, wrong).wrong;
  return { wrong: wrong.filter((result) => !passing.includes(result)), over: changes(over, first).over };
}

function isOwnTrouble({ right, cause }: CheckResult): boolean {
  return !right && cause === undefined;
}

/** Days left, megabytes and addresses of senders change from look to look: the same trouble has other numbers. */
function sameTrouble({ about, text }: CheckResult): string {
  return `${about} ${text.replaceAll(/\d+/g, "0")}`;
}

export interface WatchOptions {
  /** One look. */
  readonly look: () => Promise<readonly CheckResult[]>;
  /** Seconds from the end of a look to the next. */
  readonly every: number;
  /** One JSON object a line: `{at, wrong, over}`, the first with all that is wrong. */
  readonly json: boolean;
  readonly colours: boolean;
  readonly say: (text: string) => void;
  /** Gets what keeps a look from being one, once for as long as it lasts. */
  readonly complain: (text: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Looks again and again. Says all of the first look, and of each other what changed: nothing, where that is nothing.
 * @returns what the last look said. @throws where already the first one fails
 */
export async function watch(options: WatchOptions): Promise<readonly CheckResult[]> {
  const { look, every, json, colours, say, complain, signal } = options;
  const at = () => new Date().toISOString();
  let known = await look();
  say(json ? JSON.stringify({ at: at(), ...changes([], known) }) : report(known, colours));
  let complaint: string | undefined;
  for (;;) {
    try {
      await pause(every * 1000, undefined, { signal });
    } catch {
      return known;
    }
    try {
      const now = await look();
      const { wrong, over } = changes(known, now);
      known = now;
      complaint = undefined;
      if (wrong.length + over.length === 0) continue;
      say(
        json
          ? JSON.stringify({ at: at(), wrong, over })
          : ["", at(), ...changeLines({ wrong, over }, colours)].join("\n"),
      );
    } catch (error) {
      const { message } = error as Error;
      if (message !== complaint) complain(message);
      complaint = message;
    }
  }
}

/** What changed, for people. */
export function changeLines({ wrong, over }: Changes, colours: boolean): string[] {
  return [
    ...wrong.flatMap((result) => resultLines(result, [], colours)),
    ...over.flatMap(({ text, ...result }) =>
      resultLines({ ...result, right: true, text: `no longer: ${text}` }, [], colours),
    ),
  ];
}
