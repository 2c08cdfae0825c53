/** How a domain's SPF record stands together with that of somebody else, over the years: what is done, and what is taken back. */
import { z } from "zod";
import { joinSpf, ownSpf, partSpf, type SpfPart, spfTrouble } from "../../plan/spf.ts";
import { quoteTxt } from "../../plan/txt.ts";
import { spfAlls } from "../../settings/spf.ts";
import type { SpfKeeper, StandingSpf } from "./spfPlace.ts";

/** What was done, as the engine's state has it: a contract. */
export const spfDone = z.object({
  /** The record of somebody else's, as its keeper had it; null: there was none. */
  found: z.string().nullable(),
  change: z.object({
    added: z.array(z.string()).readonly(),
    all: z
      .object({ from: z.string(), to: z.enum(spfAlls) })
      .readonly()
      .optional(),
  }),
  /** The whole as it was left. */
  text: z.string(),
});

export type SpfDone = z.output<typeof spfDone>;

/** What is to be done. */
export interface SpfStep extends SpfDone {
  readonly from: StandingSpf | undefined;
  /** As the keeper is to have it; undefined: it has it already. */
  readonly to: string | undefined;
}

/**
 * What stands there, as somebody else wants it, with what the domain wants. What they have changed since the last time holds.
 * @param before what was done the last time
 * @throws Error saying why the two cannot be one record
 */
export function spfStep(
  name: string,
  standing: readonly StandingSpf[],
  part: SpfPart,
  before: SpfDone | undefined,
): SpfStep {
  if (standing.length > 1)
    throw new Error(
      `${name} has ${standing.length} SPF records, which receivers take for an error (RFC 7208 section 4.5); delete all but one: ${standing.map(({ text }) => text).join(" and ")}`,
    );
  const [from] = standing;
  const isOurs = before?.found === null && from?.text === before.text;
  if (from === undefined || isOurs) {
    const text = ownSpf(part);
    const to = from?.text === text ? undefined : quoteTxt(text);
    return { from, to, found: null, change: { added: [...part.own] }, text };
  }
  const theirs = before === undefined ? from.text : partSpf(from.text, before.change);
  const trouble = spfTrouble(theirs, part);
  if (trouble !== undefined)
    throw new Error(`The SPF record of ${name}, which is somebody else's (${theirs}), ${trouble}`);
  const { text, change } = joinSpf(theirs, part);
  const isAsLeft = from.text === before?.text;
  const found = isAsLeft ? before.found : theirs === from.text ? from.written : quoteTxt(theirs);
  return { from, to: text === from.text ? undefined : quoteTxt(text), found, change, text };
}

/** Lets a record be what it was, byte for byte; where somebody has changed it since, that stays, and what was added goes. */
export async function partRecord(keeper: SpfKeeper, before: SpfDone): Promise<void> {
  const standing = await keeper.look();
  const asLeft = standing.find(({ text }) => text === before.text);
  if (asLeft !== undefined) return await keeper.replace(asLeft, before.found ?? undefined);
  // Several are an error that somebody else has made, and none of them is sure to be this one.
  const [there, ...more] = standing;
  if (there === undefined || more.length > 0) return;
  const text = partSpf(there.text, before.change);
  const isNothing = before.found === null && /^v=spf1( [+?~-]?all)?$/i.test(text);
  if (isNothing) await keeper.replace(there, undefined);
  else if (text !== there.text) await keeper.replace(there, quoteTxt(text));
}
