/** Complaints that the host has taken, in words. */
import { type Complaint, deliveredBy, spamComplaints, tooMany } from "../check/complaints.ts";
import type { DeliverySums } from "./deliveryLines.ts";

const mostShown = 20;

/** Line by line; none where nobody has complained. */
export function complaintLines(all: readonly Complaint[], { days }: DeliverySums): string[] {
  if (all.length === 0) return [];
  const domains = [...Map.groupBy(all, ({ domain }) => domain)].toSorted();
  return [
    "Who has complained about what was sent",
    ...domains.flatMap(([domain, some]) => [
      `  ${domain}: ${counted(some, deliveredBy(days, domain))}`,
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

function counted(all: readonly Complaint[], delivered: number): string {
  const count = spamComplaints(all).length;
  const share = delivered === 0 ? undefined : (100 * count) / delivered;
  const words = `${count} ${count === 1 ? "complaint" : "complaints"} from whom they say`;
  if (share === undefined) return words;
  const warning =
    share > tooMany
      ? `. More than ${tooMany} % is too much: stop what they complain about, and look for a stolen password`
      : "";
  return `${words}, ${share.toFixed(2)} % of what was delivered${warning}`;
}
