import { setTimeout as pause } from "node:timers/promises";

/** A port that takes logins. */
export type LoginPort = "submissions" | "submission";

/**
 * Logins that the check tries at a port within a minute. Of one address Postfix takes 100 at each (smtpd_client_auth_rate_limit in
 * files/etc/postfix/master.cf), and whoever sits beside it needs some, too.
 */
const most = 90;

/** Milliseconds after which Postfix counts anew, from the first on (anvil(8); it knows whole seconds alone). */
const span = 62_000;

/** Says at which port the next login may be tried: the first that has room; where none has, it waits for one. */
export class LoginTurns {
  readonly #tried: readonly { readonly port: LoginPort; since: number; count: number }[];
  readonly #now: () => number;
  readonly #wait: (milliseconds: number) => Promise<unknown>;

  /** @param ports in the order in which they are used */
  constructor(
    ports: readonly LoginPort[],
    now = Date.now,
    wait: (milliseconds: number) => Promise<unknown> = pause,
  ) {
    this.#tried = ports.map((port) => ({ port, since: 0, count: 0 }));
    this.#now = now;
    this.#wait = wait;
  }

  async next(): Promise<LoginPort> {
    for (;;) {
      const now = this.#now();
      for (const each of this.#tried) {
        if (each.count > 0 && now - each.since >= span) each.count = 0;
        if (each.count >= most) continue;
        if (each.count === 0) each.since = now;
        each.count += 1;
        return each.port;
      }
      await this.#wait(Math.min(...this.#tried.map(({ since }) => since)) + span - now);
    }
  }
}
