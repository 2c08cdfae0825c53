import { z } from "zod";
import { domainName } from "./names.ts";

/**
 * A host's name, kept in lower case and A-labels.
 * @param advice what to write instead of what is none
 */
export function hostName(advice: string) {
  return z
    .string()
    .refine((value) => domainName(value) !== undefined, { message: `is not a host name; ${advice}` })
    .transform((value) => domainName(value) ?? value);
}
