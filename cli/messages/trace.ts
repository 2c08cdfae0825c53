/** Finds all lines about one message, in a log that is too long to be read whole. */
import { eventOf } from "./events.ts";
import type { Entry } from "./journal.ts";
import { type Message, Messages, nextIdOf, sessionOf } from "./messages.ts";

/**
 * Looks for a message by one of its names, then by those that it finds: a message that an alias passes on has a second
 * queue id, and Dovecot knows it by its own session alone.
 * @param id Message-ID, with or without its brackets, or a queue id
 * @param find lines that hold one of these words
 */
export async function traced(
  id: string,
  find: (words: readonly string[]) => Promise<readonly Entry[]>,
): Promise<{ readonly messages: Messages; readonly found: readonly Message[] }> {
  const name = id.replace(/^<(.*)>$/, "$1");
  const isQueueId = /^[0-9A-Za-z]{6,20}$/.test(name);
  const entries = new Map<string, Entry>();
  const asked = new Set<string>();
  let words: readonly string[] = isQueueId ? [name] : [`message-id=<${name}>`];
  while (words.length > 0) {
    for (const word of words) asked.add(word);
    for (const entry of await find(words)) entries.set(`${entry.at} ${entry.program} ${entry.text}`, entry);
    words = [...new Set([...entries.values()].flatMap((entry) => namesIn(entry, name, asked)))].filter(
      (word) => !asked.has(word),
    );
  }
  const messages = new Messages();
  for (const entry of [...entries.values()].toSorted((one, other) => one.at - other.at)) messages.take(entry);
  const found = messages
    .all()
    .filter(({ queueIds, messageId }) => (isQueueId ? queueIds.includes(name) : messageId === name));
  return { messages, found };
}

/** Words by which more is found of the same message. */
function namesIn(entry: Entry, name: string, asked: ReadonlySet<string>): readonly string[] {
  const event = eventOf(entry);
  if (event === undefined || event.kind === "filed") return [];
  if (event.kind === "named") return event.messageId === name ? [event.id] : [];
  if (event.kind !== "tried" || event.id === undefined) return [];
  const next = nextIdOf(event);
  const session = sessionOf(event);
  const isOurs = asked.has(event.id) || (next !== undefined && asked.has(next));
  if (!isOurs) return [];
  return [event.id, ...(next === undefined ? [] : [next]), ...(session === undefined ? [] : [session])];
}
