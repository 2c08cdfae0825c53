import {
  type Complaint,
  type DeliveredDay,
  deliveredBy,
  deliveriesCommand,
  farTooMany,
  spamComplaints,
  tooMany,
} from "../complaints.ts";
import type { HostUnderCheck } from "../host.ts";
import { insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/** Days whose complaints are weighed against what was delivered in them. */
const days = 7;
/** Fewer are people who have pressed the wrong button: of a small domain's mail one is a large share. */
const few = 3;
/** Who says that a mailbox is not its owner's alone any more: one alone may be anybody with a domain. */
const accusers = 2;

/**
 * The host's time and its last two days, then the complaints, then what was delivered; that alone takes a while, and is read
 * where somebody has complained.
 */
const command = `date '+%s %F'; date -d yesterday +%F
complaints=$(setpriv --reuid=reports --regid=reports --clear-groups /usr/local/lib/mailhost/reports complaints ${days} </dev/null) || exit
echo "$complaints"
[ "$complaints" = '[]' ] || ${deliveriesCommand(days)}`;

/** People who call mail of ours spam (mailhost:feedback): too many for what is sent, or many at once about one mailbox. */
export const complaints = insideItem(
  "complaints",
  ({ target }) => (target.settings.options.feedback ? command : "true"),
  (output, host) => {
    if (output === "") return [];
    const [now = "", yesterday = "", listed = "[]", sums = '{"days":[]}'] = output.trim().split("\n");
    const [time = "0", today = ""] = now.split(" ");
    const all = (JSON.parse(listed) as readonly Complaint[]).filter((one) => isWanted(one, host));
    const delivered = (JSON.parse(sums) as { readonly days: readonly DeliveredDay[] }).days;
    const ofLate = delivered.filter(({ day }) => day === today || day === yesterday);
    const recent = all.filter(({ taken }) => taken > Number(time) - 86_400);
    const found = [
      ...[...Map.groupBy(all, ({ domain }) => domain)].toSorted().flatMap(([domain, some]) => {
        const [count, share] = shareOf(some, delivered, domain);
        return isTooMuch(count, share, tooMany)
          ? [
              wrong(
                `${count} messages of ${domain} were called spam in ${days} days${said(share)}; receivers bear ${tooMany} % before they refuse`,
                "Stop what people complain about: `npm run reports` names the messages. Let lists go only to who has asked for them, with a way out (List-Unsubscribe).",
                { part: domain },
              ),
            ]
          : [];
      }),
      ...[...Map.groupBy(recent, ({ mailbox }) => mailbox)].toSorted().flatMap(([mailbox, some]) => {
        const [count, share] = shareOf(some, ofLate, some[0]?.domain ?? "");
        const by = new Set(spamComplaints(some).map(({ verified }) => verified)).size;
        return by >= accusers && isTooMuch(count, share, farTooMany)
          ? [
              wrong(
                `${count} messages of ${mailbox} were called spam within a day${said(share)}`,
                "Look for them in its Sent folder (`npm run reports` has their Message-IDs). What is not there somebody sends who has its password: make a new one (docs/mailboxes.md), or write `suspended: true` under the mailbox, and run `pulumi up`.",
                { part: mailbox },
              ),
            ]
          : [];
      }),
    ];
    return found.length > 0 ? found : [right(inWords(spamComplaints(all).length))];
  },
);

function isWanted({ domain }: Complaint, { target: { only } }: HostUnderCheck): boolean {
  return only === undefined || domain === only;
}

/** How many there are, and of a hundred delivered; without a share where the log knows of nothing delivered. */
function shareOf(
  all: readonly Complaint[],
  delivered: readonly DeliveredDay[],
  domain: string,
): readonly [count: number, share: number | undefined] {
  const [count, sent] = [spamComplaints(all).length, deliveredBy(delivered, domain)];
  return [count, sent === 0 ? undefined : (100 * count) / sent];
}

function isTooMuch(count: number, share: number | undefined, borne: number): boolean {
  return count >= few && (share === undefined || share > borne);
}

function said(share: number | undefined): string {
  return share === undefined ? "" : `, ${share.toFixed(2)} % of what was delivered`;
}

function inWords(count: number): string {
  return count === 0
    ? `nobody has called mail from here spam in ${days} days`
    : `messages that were called spam in ${days} days: ${count}, no more than receivers bear`;
}
