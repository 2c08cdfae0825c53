import { readDocument } from "../documents.ts";
import type { Preview } from "../types.ts";
import { capital, names } from "../words.ts";
import type { Chapter } from "./chapter.ts";

/** Which way mail leaves: straight, or through a relay (`plan/relay.ts`). */
export function relay({ changes }: Preview): Chapter {
  const postfix = changes.find(({ name }) => name === "host-postfix-files");
  const [before, after] = [relaysOf(postfix?.before.stdin), relaysOf(postfix?.after.stdin)];
  if (before.join() === after.join()) return { risks: [], effects: [] };
  const [short, title, text] =
    after.length === 0
      ? [
          "sends mail straight to its receivers again",
          "Mail leaves straight from the host again, and no more through the relay",
          "AWS has to have opened outgoing port 25: where it has not, what people send waits in the queue for up to five days, and comes back then.",
        ]
      : [
          `sends mail through the relay ${names(after)}`,
          `Mail leaves through ${names(after)} from then on`,
          "Where that host refuses the login, or the SPF records do not name it, what people send waits in the queue, or is taken for forged. `npm run check` tells.",
        ];
  return {
    risks: [{ title, text }],
    effects: [{ short, text: `${capital(short)}.` }],
  };
}

function relaysOf(document: unknown): readonly string[] {
  const files = [...(readDocument(document)?.files.values() ?? [])];
  const found = files.flatMap(({ content }) => [...content.matchAll(/\bsmarthost:\[([^\]]+)\]/g)]);
  return [...new Set(found.map(([, host = ""]) => host))].toSorted();
}
