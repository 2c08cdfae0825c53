/** Complaints that the host has taken (files/usr/local/lib/mailhost/reports), in words. */
import type { DeliverySums } from "./deliveryLines.ts";

/** One message that somebody has complained about, as the program's JSON has it. */
export interface Complaint {
  readonly domain: string;
  /** Who has written it. */
  readonly mailbox: string;
  /** `abuse`: somebody has called it spam; `fraud`, `virus`, `opt-out`, `auth-failure`, `other`; `not-spam`: the contrary. */
  readonly type: string;
  /** The program that has sent the report, by its own word. */
  readonly sender: string;
  /** The domain that the report came from, as DMARC found; empty: anybody may have sent it. */
  readonly verified: string;
  /** Its Message-ID. */
  readonly name: string;
  /** When the report came, in seconds since 1970. */
  readonly taken: number;
  readonly incidents: number;
}

const mostShown = 20;

/** Of a hundred delivered: Gmail and Yahoo want senders below it, and refuse above 0.3. */
const tooMany = 0.1;

/** Line by line; none where nobody has complained. */
export function complaintLines(all: readonly Complaint[], { days }: DeliverySums): string[] {
  if (all.length === 0) return [];
  const domains = [...Map.groupBy(all, ({ domain }) => domain)].toSorted();
  return [
    "Who has complained about what was sent",
    ...domains.flatMap(([domain, some]) => [
      `  ${domain}: ${counted(some, delivered(days, domain))}`,
      ...some.slice(0, mostShown).map(line),
      ...(some.length > mostShown ? [`    and ${some.length - mostShown} more`] : []),
    ]),
    "",
  ];
}

function line({ taken, mailbox, type, sender, verified, name }: Complaint): string {
  const day = new Date(taken * 1000).toISOString().slice(0, 10);
  return `    ${day}  ${mailbox}  ${type}, by ${verified || `somebody as ${sender || "nobody"}`}  ${name}`;
}

function delivered(days: DeliverySums["days"], domain: string): number {
  return days.filter((day) => day.domain === domain).reduce((sum, { delivered }) => sum + delivered, 0);
}

function counted(all: readonly Complaint[], delivered: number): string {
  const counting = all.filter(({ type, verified }) => type !== "not-spam" && verified !== "");
  const count = counting.reduce((sum, { incidents }) => sum + incidents, 0);
  const share = delivered === 0 ? undefined : (100 * count) / delivered;
  const words = `${count} ${count === 1 ? "complaint" : "complaints"} from whom they say`;
  if (share === undefined) return words;
  const warning =
    share > tooMany
      ? `. More than ${tooMany} % is too much: stop what they complain about, and look for a stolen password`
      : "";
  return `${words}, ${share.toFixed(2)} % of what was delivered${warning}`;
}
