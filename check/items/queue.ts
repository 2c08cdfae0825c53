import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** More messages waiting than a few dead addresses explain. */
const many = 50;
/** Seconds after which mail for our own mailboxes should long be in them. */
const ownPatience = 600;

interface QueuedMessage {
  readonly queue_name: string;
  /** Seconds since 1970. */
  readonly arrival_time: number;
  readonly recipients: readonly { readonly address: string; readonly delay_reason?: string }[];
}

/** Mail that waits (postqueue(1), option -j: one JSON object a line). */
export const queue = insideItem("queue", "date +%s; postqueue -j", (output, host) => {
  const [now = "0", ...lines] = output.trim().split("\n");
  const waiting = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as QueuedMessage);
  const domains = new Set(host.target.settings.domains.map(({ name }) => name));
  const own = waiting.filter(
    ({ arrival_time, recipients }) =>
      Number(now) - arrival_time > ownPatience &&
      recipients.some(({ address }) => domains.has(address.slice(address.lastIndexOf("@") + 1))),
  );
  const reasons = waiting.flatMap(({ recipients }) =>
    recipients.flatMap(({ delay_reason }) => delay_reason ?? []),
  );
  const [reason] = reasons;
  // As files/etc/postfix/ses-replies words it.
  const bySes = reasons.filter((text) => text.includes("Amazon SES: "));
  const see = `See all reasons: \`npx mailhost queue\`.${reason ? ` The first: ${reason}` : ""}`;
  const findings: Finding[] = [
    ...(bySes.length > 0
      ? [
          wrong(
            `recipients that Amazon SES does not send to: ${bySes.length}`,
            `A new account is in the sandbox until you have asked for production access, and AWS has agreed (docs/sending.md). The first reason: ${bySes[0]}`,
          ),
        ]
      : []),
    ...(waiting.length > many ? [wrong(`messages that wait in the queue: ${waiting.length}`, see)] : []),
    ...(own.length > 0
      ? [wrong(`messages for mailboxes here that have waited longer than ten minutes: ${own.length}`, see)]
      : []),
  ];
  return findings.length > 0
    ? findings
    : [
        right(
          waiting.length === 0 ? "the queue is empty" : `messages that wait in the queue: ${waiting.length}`,
        ),
      ];
});
