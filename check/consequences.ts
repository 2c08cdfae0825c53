import type { CheckResult } from "./types.ts";

/** What a service does for others. */
interface Work {
  /** Items that see nothing right while it is down. */
  readonly items: readonly string[];
  /** Which of the ports are its own, by the names in their lines. */
  readonly ports?: RegExp;
}

const mail = ["recipients", "senders", "gtube", "outgoing", "incoming"];

/** By unit. Postfix asks rspamd about every command, and Dovecot about every login. */
const works: Readonly<Record<string, Work>> = {
  "postfix.service": {
    items: ["identity", "tls", "auth", "manners", ...mail],
    ports: /\((smtp|submissions?)\)/,
  },
  "dovecot.service": {
    items: ["tls", "auth", "logins", "passwords", ...mail],
    ports: /\((imaps|pop3s|sieve)\)/,
  },
  "rspamd.service": { items: ["tls", "auth", "manners", ...mail] },
  "redis-server.service": { items: mail },
  "unbound.service": { items: mail },
};

/** That something does not answer, or puts off: what a wrong setting says, and an open door, never look like it. */
const silence =
  /could not be looked at|is unknown|cannot log in|was not taken|has not come in|refuses connections|does not answer|port \d+: refused|"4\d\d /;

/** Marks what follows from a service that is down, so that its line alone says what to do. */
export function withCauses(results: readonly CheckResult[]): CheckResult[] {
  const down = results.flatMap((result) => result.down ?? []);
  const causeOf = ({ right, item, text }: CheckResult) =>
    right || !silence.test(text)
      ? undefined
      : down.find((unit) => {
          const work = works[unit];
          return item === "ports" ? work?.ports?.test(text) : work?.items.includes(item);
        });
  return results.map((result) => {
    const cause = causeOf(result);
    return cause === undefined ? result : { ...result, cause };
  });
}
