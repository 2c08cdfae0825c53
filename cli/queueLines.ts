/** What waits in Postfix's queue, in words. */
import { shown } from "../preview/hide.ts";
import { sizeText, timeText } from "./messages/words.ts";

/** A message that waits, as `mailhost queue --json` tells it. */
export interface Waiting {
  readonly queueId: string;
  /** `active`: it is being tried; `deferred`: it waits for the next try; `hold`: it waits until somebody lets it go. */
  readonly queue: string;
  /** Empty of a notice of failure. */
  readonly from: string;
  /** In bytes. */
  readonly size: number;
  /** When it came, in ISO 8601. */
  readonly since: string;
  /** Before that nobody tries it; undefined where it is being tried, or held. */
  readonly nextTry: string | undefined;
  readonly recipients: readonly { readonly to: string; readonly why: string | undefined }[];
}

/** Of postqueue(1), option -j. */
interface Queued {
  readonly queue_name: string;
  readonly queue_id: string;
  readonly arrival_time: number;
  readonly message_size: number;
  readonly sender: string;
  readonly recipients: readonly { readonly address: string; readonly delay_reason?: string }[];
}

/** @param text the host's clock in seconds, `postqueue -j`, a line `===`, and names and times of the deferred ones */
export function readQueue(text: string): { readonly now: number; readonly waiting: readonly Waiting[] } {
  const [now = "0", ...lines] = text.trim().split("\n");
  const end = lines.indexOf("===");
  const tries = new Map(
    lines.slice(end + 1).map((line): [string, number] => {
      const [id = "", at = ""] = line.split(" ");
      return [id, Number.parseFloat(at)];
    }),
  );
  const waiting = lines.slice(0, end).map((line) => {
    const queued = JSON.parse(line) as Queued;
    const next = queued.queue_name === "deferred" ? tries.get(queued.queue_id) : undefined;
    return {
      queueId: queued.queue_id,
      queue: queued.queue_name,
      from: shown(queued.sender === "MAILER-DAEMON" ? "" : queued.sender),
      size: queued.message_size,
      since: iso(queued.arrival_time),
      nextTry: next === undefined ? undefined : iso(next),
      recipients: queued.recipients.map(({ address, delay_reason: why }) => ({
        to: shown(address),
        why: why === undefined ? undefined : shown(why).replaceAll(/\s/g, " "),
      })),
    };
  });
  return {
    now: Number(now) * 1000,
    waiting: waiting.toSorted((one, other) => (one.since < other.since ? -1 : 1)),
  };
}

function iso(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString();
}

/** Line by line, the oldest first. @param now the host's clock, in milliseconds since 1970 */
export function queueLines(waiting: readonly Waiting[], now: number): readonly string[] {
  if (waiting.length === 0) return ["Nothing waits."];
  return waiting.flatMap(({ queueId, queue, from, size, since, nextTry, recipients }) => {
    const came = Date.parse(since);
    const reasons = Map.groupBy(recipients, ({ why }) => why);
    return [
      `${queueId}  from ${from || "(a notice)"}, ${sizeText(size)}, since ${timeText(came)} (${span(now - came)})`,
      ...[...reasons].map(
        ([why, some]) => `  ${some.map(({ to }) => to).join(", ")}${why === undefined ? "" : `: ${why}`}`,
      ),
      `  ${next(queue, nextTry, now)}`,
    ];
  });
}

function next(queue: string, nextTry: string | undefined, now: number): string {
  if (queue === "hold") return "held: it is not tried until somebody lets it go (postsuper -H on the host)";
  if (nextTry === undefined) return "it is being tried now";
  const at = Date.parse(nextTry);
  return at <= now
    ? "tried again with the next run of the queue, in some minutes"
    : `tried again at ${timeText(at)}, or soon after (in ${span(at - now)})`;
}

/** How long, in the largest unit of which there are two. */
function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  for (const [unit, length] of [
    ["days", 86_400],
    ["hours", 3600],
    ["minutes", 60],
  ] as const) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
  }
  return `${seconds} seconds`;
}
