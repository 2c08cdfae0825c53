import { about, type Finding, wrong } from "./types.ts";

const unreachable = "Is the host up, and reachable from here? Put that right, then check again.";

/**
 * What could not be looked at is wrong too: nobody knows.
 * @param remedy where it was not the host that was asked
 */
export function notLookedAt(name: string, error: unknown, remedy = unreachable): Finding {
  return wrong(`${name}: could not be looked at: ${(error as Error).message}`, remedy, { unanswered: true });
}

/**
 * Several looks at once, of which one may fail without taking the others with it. The same trouble is told once.
 * @param looks by the part that each is about
 */
export async function sideBySide(
  name: string,
  looks: Readonly<Record<string, Promise<Finding | readonly Finding[]>>>,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(looks).map(async ([part, look]) =>
      about(part, [await look.catch((error: unknown) => notLookedAt(name, error))].flat()),
    ),
  );
  return [...new Map(found.flat().map((finding) => [finding.text, finding])).values()];
}
