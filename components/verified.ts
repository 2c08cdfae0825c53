import { setTimeout as pause } from "node:timers/promises";
import { engineCommand } from "./engine.ts";

/** What SES thinks of a domain. */
export interface Verification {
  readonly verifiedForSendingStatus: boolean;
  /** `PENDING`, `SUCCESS`, `FAILED`, `TEMPORARY_FAILURE` or `NOT_STARTED`. */
  readonly verificationStatus: string;
}

export interface VerifiedArgs {
  readonly domain: string;
  /** Name of the key record that SES looks for. */
  readonly record: string;
  /** The record as a zone-file line, where somebody has to put it in by hand. @default it is published */
  readonly toPutIn?: string;
  readonly ask: () => Promise<Verification>;
  /** Milliseconds. @default 5 minutes: SES mostly needs one or two, and now and then a day; by hand 20 seconds */
  readonly deadline?: number;
  /** Most milliseconds between two questions. @default 10 seconds */
  readonly interval?: number;
}

/**
 * Waits until SES has found a domain's key in the DNS. Before that it refuses the domain's mail.
 *
 * @throws Error that says what to do, when the deadline has passed
 */
export async function verified(args: VerifiedArgs): Promise<void> {
  const { domain, record, toPutIn, ask, interval = 10_000 } = args;
  const { deadline = toPutIn === undefined ? 300_000 : 20_000 } = args;
  const end = Date.now() + deadline;
  for (let wait = 250; ; wait *= 2) {
    const { verifiedForSendingStatus, verificationStatus } = await ask();
    if (verifiedForSendingStatus) return;
    if (Date.now() >= end) {
      throw new Error(
        [
          `Amazon SES has not found the key of ${domain} in the DNS yet (${verificationStatus}); no mail goes to it until then.`,
          ...(toPutIn === undefined
            ? [`It looks for ${record}, which stands there, and takes up to 72 hours.`]
            : [
                "It looks for this record, which has to be put in by hand (mailhost:dns), and takes up to 72 hours:",
                `  ${toPutIn}`,
              ]),
          `Run \`${engineCommand("up")}\` again later.`,
        ].join("\n"),
      );
    }
    await pause(Math.min(wait, interval));
  }
}
