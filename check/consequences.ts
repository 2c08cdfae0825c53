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
  // No password goes to a server that proves its name badly.
  "tls.submissions": ["senders", "outgoing", "incoming"],
  "tls.imaps": ["logins", "senders.stranger", "outgoing", "incoming"],
};

/** Items that say the same of a record, as it is served, as it is seen, and as it is used. */
const recordItems = ["records", "validation", "identity"];

/** Marks what follows from something else that is wrong, so that its line alone says what to do. */
export function withCauses(results: readonly CheckResult[]): CheckResult[] {
  const wrong = new Set(results.filter(({ right }) => !right).map(({ about }) => about));
  const isWrong = (about: string) => wrong.has(about);
  const zones = results.filter(isZoneWithoutAnswers).map(partOf);
  const causeOf = (result: CheckResult): string | undefined => {
    if (result.right) return undefined;
    const ownZone = wayToZone(result).find(isWrong);
    if (ownZone !== undefined) return ownZone;
    if (isZoneWithoutAnswers(result)) return undefined;
    const sameRecord = recordItems
      .slice(0, Math.max(0, recordItems.indexOf(result.item)))
      .map((item) => `${item}.${partOf(result)}`)
      .find(isWrong);
    if (sameRecord !== undefined || !result.unanswered) return sameRecord;
    const zone = zones.find((zone) => liesIn(partOf(result), zone));
    return (
      silencerOf(result, isWrong) ??
      (zone === undefined ? undefined : `validation.${zone}`) ??
      (result.item === "incoming" ? wayHere(partOf(result), results) : undefined)
    );
  };
  return results.map((result) => {
    const cause = causeOf(result);
    return cause === undefined ? result : { ...result, cause };
  });
}

/** Of a zone that the host serves by itself: what stands on the way to it, before a resolver says what came of it. */
function wayToZone({ item, about }: CheckResult): readonly string[] {
  const [, zone] = /^validation\.(?:dnssec\.)?(.+)$/.exec(about) ?? [];
  return item !== "validation" || zone === undefined
    ? []
    : [`nameservers.registry.${zone}`, `nameservers.ds.${zone}`];
}

function silencerOf({ about }: CheckResult, isWrong: (about: string) => boolean): string | undefined {
  return Object.entries(silenced).find(
    ([cause, those]) => isWrong(cause) && those.some((one) => about === one || about.startsWith(`${one}.`)),
  )?.[0];
}

/** The record that is wrong among those that lead other servers' mail for a domain here. */
function wayHere(domain: string, results: readonly CheckResult[]): string | undefined {
  return results.find(
    ({ right, about }) =>
      !right && (about === `records.MX.${domain}` || /^(records|identity)\.A\./.test(about)),
  )?.about;
}

/** Whether a line says that the resolver gives no answers for a zone. */
function isZoneWithoutAnswers({ item, right, unanswered }: CheckResult): boolean {
  return item === "validation" && !right && unanswered === true;
}

function partOf({ about, item }: CheckResult): string {
  return about.slice(item.length + 1);
}
