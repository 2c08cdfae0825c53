import { z } from "zod";
import { domainName } from "./names.ts";

/** A domain, kept in lower case and A-labels. @param message "what is wrong; what to write instead" of what is none */
export function domainText(message: string) {
  return z
    .string()
    .refine((value) => domainName(value) !== undefined, { message })
    .transform((value) => domainName(value) ?? value);
}

/** The same for a host's name. @param advice what to write instead of what is none */
export function hostName(advice: string) {
  return domainText(`is not a host name; ${advice}`);
}
