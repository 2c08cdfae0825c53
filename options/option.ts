import { z } from "zod";
import type { Ramps } from "../plan/ramp.ts";
import type { Bundle, DnsRecord, WebPage } from "../plan/types.ts";
import type { Path } from "../settings/mistakes.ts";
import type { CoreSettings, Domain, Settings } from "../settings/types.ts";

/**
 * Something that a mail host may have or not have: one key of the stack file, and what the plan gains by it. Off means
 * absent: without its bundles there is no package, no file, no unit, no open port, no record of it, and what an `up`
 * before had put on the host is swept away.
 */
export interface Option<Key extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** Its key under `mailhost:` in the stack file, and in `settings.options`. */
  readonly key: Key;
  /**
   * Form, default and description of its value. It must accept `undefined`: a stack that says nothing of it has the
   * default.
   */
  readonly schema: Schema;
  /**
   * What its value and the other settings must agree on. Where the stack file has mistakes elsewhere, texts of
   * `settings` may be empty.
   * @param report takes the path below the option's key, and "what is wrong; what to write instead"
   * @param others the other options' values by key, as far as they are without mistakes by themselves
   */
  agree?(
    value: z.output<Schema>,
    settings: CoreSettings,
    report: (path: Path, message: string) => void,
    others: Readonly<Record<string, unknown>>,
  ): void;
  /** Bundles of its own. Where a daemon reads a directory of files, the option's lines are a file of these. */
  bundles?(value: z.output<Schema>, settings: Settings): readonly Bundle[];
  /**
   * DNS records of its own.
   * @param ttlOf seconds that a domain's records live today
   * @param ramps where the policies stand that ramp
   */
  records?(
    value: z.output<Schema>,
    settings: Settings,
    ttlOf: (domain: Domain) => number,
    ramps: Ramps,
  ): readonly DnsRecord[];
  /** What is to be found on the web because of it. The host names need no record: they come with the pages. */
  pages?(value: z.output<Schema>, settings: Settings, ramps: Ramps): readonly WebPage[];
}

/** A key's name where keys take turns (`plan/rotation.ts`). */
const generationName = z
  .string()
  .regex(
    /^\d{8}[bcdf-qs-z]?$/,
    "is no key's name; write the day that it has in `stack output keyRotation`, such as 20261121",
  );

/** Such keys that somebody else may have. */
export const revokedGenerations = z.array(generationName).default([]);

/** Days after which such keys take turns; 0: never by themselves. */
export const turnDays = z.union([z.literal(0), z.int().min(14).max(3650)]);

/** An option, with its key and value's type kept. */
export function option<const Key extends string, Schema extends z.ZodType>(
  parts: Option<Key, Schema>,
): Option<Key, Schema> {
  return parts;
}
