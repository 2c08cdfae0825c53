import { isDeepStrictEqual } from "node:util";
import { type Asking, authoritiesOf, valuesOf } from "../dns/client.ts";
import type { KeyRotation } from "../plan/rotation.ts";
import { type KeyHolder, keyHolders, rotate, usedGenerations } from "../plan/turns.ts";
import type { Settings } from "../settings/types.ts";

/** Who is asked what the world knows of the keys. */
export interface Witnesses {
  /**
   * Each is asked for the records themselves, and who the nameservers of their zone are, which are asked as well. One of them at
   * least has to tell the truth.
   */
  readonly resolvers: readonly string[];
  readonly ask: Asking;
  /** Public keys by their names among the facts. */
  readonly keys: Readonly<Record<string, string>>;
  /** The key that the host shows at a port, by its digest; `undefined` where it shows none. */
  readonly shown: (port: number) => Promise<string | undefined>;
}

/**
 * Every holder's keys from now on: as the run before has left them, or a step further where one is due and all witnesses agree.
 *
 * Whoever hides a record, or shows an old state of the zone, delays a step. Who shows one that is not there is believed by
 * nobody alone: as long as one resolver names the zone's nameservers truly, all of these have shown it as well, and none of them
 * can be talked out of being asked.
 */
export async function turned(
  settings: Settings,
  before: KeyRotation,
  now: Date,
  witnesses: Witnesses,
): Promise<KeyRotation> {
  const hoped = rotate(settings, before, now, { isSeen: () => true, isUnused: () => true });
  // Most runs have nothing to wait for, and ask nobody.
  const waiting = keyHolders(settings).filter(({ name }) => !isDeepStrictEqual(hoped[name], before[name]));
  const waits = new Set(waiting.map(({ name }) => name));
  const serversOf = serversOnce(witnesses);
  const seen = new Set<string>();
  const used = new Set<string>();
  const key = ({ name }: KeyHolder, generation: string) => `${generation} ${name}`;
  await Promise.all(
    waiting.map(async (holder) => {
      const pairs = before[holder.name] ?? [];
      const [, shown] = await Promise.all([
        Promise.all(
          pairs
            .filter(({ state }) => state === "published")
            .map(async ({ generation }) => {
              if (await isSeen(witnesses, serversOf, holder, generation)) seen.add(key(holder, generation));
            }),
        ),
        holder.shown && witnesses.shown(holder.shown.port),
      ]);
      for (const generation of usedGenerations(holder, pairs, witnesses.keys, shown))
        used.add(key(holder, generation));
    }),
  );
  return rotate(settings, before, now, {
    isSeen: (holder, generation) => !waits.has(holder.name) || seen.has(key(holder, generation)),
    isUnused: (holder, generation) => !used.has(key(holder, generation)),
  });
}

/**
 * Whom to ask about a zone's records: the resolvers, and every nameserver that any of them names. Were one alone asked for these,
 * it could put its own in their place. Each zone's are looked up once.
 */
function serversOnce({ resolvers, ask }: Witnesses): (zone: string) => Promise<readonly string[]> {
  const known = new Map<string, Promise<readonly string[]>>();
  return (zone) => {
    const found =
      known.get(zone) ??
      Promise.all(resolvers.map((resolver) => authoritiesOf(zone, resolver, ask))).then((authorities) => [
        ...new Set([...authorities.flat(), ...resolvers]),
      ]);
    known.set(zone, found);
    return found;
  };
}

/** Whether everybody shows all records of a generation. */
async function isSeen(
  { ask, keys }: Witnesses,
  serversOf: (zone: string) => Promise<readonly string[]>,
  { zone, proofs }: KeyHolder,
  generation: string,
): Promise<boolean> {
  const wanted = proofs(generation);
  if (wanted.length === 0) return true;
  try {
    const servers = await serversOf(zone);
    const answers = await Promise.all(
      wanted.flatMap(({ name, type, fact, says }) =>
        servers.map(async (server) => {
          const expected = keys[fact];
          const values = valuesOf((await ask(server, name, type)).answers);
          return expected !== undefined && values.some((value) => says(value, expected));
        }),
      ),
    );
    return answers.every(Boolean);
  } catch {
    // Who does not answer has shown nothing: a step waits for the next run.
    return false;
  }
}
