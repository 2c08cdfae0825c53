import { liesIn } from "../settings/names.ts";
import type { CheckResult } from "./types.ts";

const mail = ["recipients", "senders", "gtube", "outgoing", "incoming"];
const rules = ["auth", "manners", ...mail];
const encryption = ["tls.smtp", "tls.submissions", "tls.submission"];

/**
 * What gets no answer while something else is wrong: items, or parts of one, by what that is about. Postfix asks rspamd about
 * every command, and Dovecot about every login. The first that fits is the cause.
 */
const silenced: Readonly<Record<string, readonly string[]>> = {
  "services.postfix.service": [
    ...["ports.smtp", "ports.submissions", "ports.submission", "identity.helo"],
    ...encryption,
    ...rules,
  ],
  "services.dovecot.service": [
    ...["ports.imaps", "ports.pop3s", "ports.sieve", "tls.imaps", "logins", "passwords"],
    ...encryption,
    ...rules,
  ],
  "services.rspamd.service": [...encryption, ...rules],
  "services.redis-server.service": mail,
  "services.unbound.service": [...mail, "way-out"],
  "services.nginx.service": ["ports.http", "ports.https", "tls.https", "webmail"],
  "services.php8.4-fpm.service": ["webmail"],
  "services.clamav-daemon.service": ["viruses"],
  "ports.smtp": [
    ...["identity.helo", "tls.smtp", "auth.smtp", "manners", "recipients", "gtube", "incoming"],
    "senders.stranger",
  ],
  "ports.submissions": ["tls.submissions", "auth.submissions", "senders", "outgoing", "incoming"],
  "ports.submission": ["tls.submission", "auth.submission"],
  "ports.imaps": ["tls.imaps", "logins", "outgoing", "incoming"],
  "ports.https": ["tls.https", "webmail"],
};

/** Items that say the same of a record, as it is served, as it is seen, and as it is used. */
const recordItems = ["records", "validation", "identity"];

/** Marks what follows from something else that is wrong, so that its line alone says what to do. */
export function withCauses(results: readonly CheckResult[]): CheckResult[] {
  const wrong = new Set(results.filter(({ right }) => !right).map(({ about }) => about));
  const zones = results.flatMap((result) => zoneWithoutAnswers(result) ?? []);
  const causeOf = (result: CheckResult): string | undefined => {
    const { about, item, right, unanswered } = result;
    if (right) return undefined;
    const part = about.slice(item.length + 1);
    const sooner = recordItems
      .slice(0, Math.max(0, recordItems.indexOf(item)))
      .map((other) => `${other}.${part}`)
      .find((other) => wrong.has(other));
    if (sooner !== undefined || !unanswered) return sooner;
    const [cause] =
      Object.entries(silenced).find(
        ([cause, those]) =>
          wrong.has(cause) && those.some((one) => about === one || about.startsWith(`${one}.`)),
      ) ?? [];
    const zone = zones.find((zone) => zoneWithoutAnswers(result) === undefined && liesIn(part, zone));
    return cause ?? (zone === undefined ? undefined : `validation.${zone}`);
  };
  return results.map((result) => {
    const cause = causeOf(result);
    return cause === undefined ? result : { ...result, cause };
  });
}

/** The zone of which a line says that the resolver gives no answers. */
function zoneWithoutAnswers({ about, item, right, unanswered }: CheckResult): string | undefined {
  return item === "validation" && !right && unanswered ? about.slice(item.length + 1) : undefined;
}
