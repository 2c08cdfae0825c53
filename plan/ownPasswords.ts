import type { Settings } from "../settings/types.ts";
import { webmail } from "./webmail.ts";

/** Changes users' passwords, and makes the list of them that Dovecot asks. */
export const ownPasswordsProgram = "/usr/local/lib/mailhost/passwords";

/** Makes that list anew, as the one user who may write it. */
export const mergePasswords = `setpriv --reuid=passwords --regid=passwords --init-groups ${ownPasswordsProgram} merge`;

/** What users may do with their passwords. */
export interface OwnPasswords {
  /** Fewest characters of a new one. */
  readonly shortest: number;
  /** Whether there is a way to change them: webmail. Without it those count that were changed before. */
  readonly change: boolean;
}

export const usualShortest = 10;

/** Undefined where the stack file's passwords are the only ones. */
export function ownPasswords(settings: Settings): OwnPasswords | undefined {
  const change = webmail(settings) !== undefined;
  const said = settings.options.ownPasswords ?? change;
  if (said === false) return undefined;
  return { shortest: said === true ? usualShortest : said.shortest, change };
}
