/** Complaints that the host has taken (files/usr/local/lib/mailhost/reports), and what share of the delivered they are. */

/** One message that somebody has complained about, as the program's JSON has it. */
export interface Complaint {
  readonly domain: string;
  /** Who has written it. */
  readonly mailbox: string;
  /** `abuse`: somebody has called it spam; `fraud`, `opt-out`, `virus`, `auth-failure`, `other`; `not-spam`: the contrary. */
  readonly type: string;
  /** The program that has sent the report, by its own word. */
  readonly sender: string;
  /** The domain that the report came from, as DMARC found, which may be anybody's own; empty: anybody may have sent it. */
  readonly verified: string;
  /** Its Message-ID. */
  readonly name: string;
  /** When the report came, in seconds since 1970. */
  readonly taken: number;
  /** How many its sender says that it stands for. */
  readonly incidents: number;
}

/** What a domain has brought to others in a day, as far as complaints are measured by it. */
export interface DeliveredDay {
  readonly domain: string;
  /** YYYY-MM-DD, in the host's time zone. */
  readonly day: string;
  readonly delivered: number;
}

/** Of a hundred delivered: Gmail and Yahoo want senders below the first, and refuse above the second. */
export const tooMany = 0.1;
export const farTooMany = 0.3;

/** What calls a message spam. The other types tell of the contrary, of a virus, or of a signature that failed. */
const spamTypes = ["abuse", "fraud", "opt-out"];

/**
 * Those that came from whom they say, and call a message spam. Each is one: how many incidents it stands for is its writer's
 * own word.
 */
export function spamComplaints(all: readonly Complaint[]): readonly Complaint[] {
  return all.filter(({ type, verified }) => spamTypes.includes(type) && verified !== "");
}

/** What a domain has brought to others in all of these days. */
export function deliveredBy(days: readonly DeliveredDay[], domain: string): number {
  return days.filter((day) => day.domain === domain).reduce((sum, { delivered }) => sum + delivered, 0);
}

/** What became of what was sent in so many days: the command for the host, by root; its JSON is `DeliverySums`. */
export function deliveriesCommand(days: number): string {
  const senders = ["qmgr", "smtp", "smarthost/smtp"].map((name) => `SYSLOG_IDENTIFIER=postfix/${name}`);
  return `journalctl -q -o short-unix --since '${days} days ago' ${senders.join(" ")} | /usr/local/lib/mailhost/deliveries`;
}
