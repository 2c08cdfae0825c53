import { randomBytes } from "node:crypto";
import { turns } from "../../dns/turns.ts";
import { routes } from "../../settings/routes.ts";
import { changedByHand } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { isPutOff, type SmtpReply } from "../smtp.ts";
import { type Finding, right, wrong } from "../types.ts";

const remedy = ({ target }: HostUnderCheck) =>
  changedByHand("the host's mail settings or tables", target, "accounts.secrets", "aliases", "postfix");

/** Whom port 25 takes mail for: everybody of ours, nobody else; a stranger's mail for a stranger is never passed on. */
export const recipients: Item = {
  name: "recipients",
  group: "Rules",
  look: (host) =>
    sideBySide("recipients", { known: known(host), unknown: unknown(host), relay: relay(host) }),
};

async function known(host: HostUnderCheck): Promise<Finding[]> {
  const { owner, options } = host.target.settings;
  const { domains } = host;
  const addresses = [
    ...domains.flatMap(({ mailboxes }) => mailboxes.map(({ address }) => address)),
    ...routes({ domains, owner, options }).flatMap(({ address }) =>
      address.startsWith("@") ? [] : [address],
    ),
  ];
  const replies = await offer(host, addresses);
  const refused = replies.filter(({ reply }) => reply.code !== 250);
  return refused.length === 0
    ? [right(`mail for all ${addresses.length} mailboxes, aliases and role addresses is taken`)]
    : [...Map.groupBy(refused, ({ reply }) => reply.text)].map(([answer, alike]) =>
        wrong(
          `mail for ${names(alike.map(({ address }) => address))} is refused: "${answer}"`,
          remedy(host),
          alike.some(({ reply }) => isPutOff(reply)) ? { unanswered: true } : {},
        ),
      );
}

async function unknown(host: HostUnderCheck): Promise<Finding[]> {
  const domains = host.domains.filter(({ catchAll }) => catchAll === undefined);
  const addresses = domains.map(({ name }) => `nobody-${randomBytes(4).toString("hex")}@${name}`);
  const replies = await offer(host, addresses);
  return replies.map(({ address, reply }) => {
    const domain = address.slice(address.indexOf("@") + 1);
    return reply.code >= 500 && reply.enhanced === "5.1.1"
      ? right(`mail for unknown names at ${domain} is refused (5.1.1)`)
      : wrong(
          `mail for an unknown name at ${domain} is answered "${reply.text}", not with a 5.1.1`,
          remedy(host),
          isPutOff(reply) ? { unanswered: true } : {},
        );
  });
}

async function relay(host: HostUnderCheck): Promise<Finding[]> {
  const outside = outsideDomain(host);
  const ours = host.target.settings.domains[0]?.name ?? host.name;
  const attempts = [
    `someone@${outside}`,
    `someone%${outside}@${ours}`,
    `"someone@${outside}"@${ours}`,
    `@${ours}:someone@${outside}`,
  ];
  const replies = await offer(host, attempts);
  const unrefused = [...Map.groupBy(replies, ({ reply }) => reply.text).values()].filter(
    ([first]) => first !== undefined && first.reply.code < 500,
  );
  return unrefused.length === 0
    ? [right(`mail of strangers for strangers is refused, in ${attempts.length} spellings`)]
    : unrefused.map((alike) => {
        const { code = 0, text = "" } = alike[0]?.reply ?? {};
        const whom = names(alike.map(({ address }) => address));
        return code < 300
          ? wrong(`a stranger may send to ${whom} through the host (open relay): "${text}"`, remedy(host))
          : wrong(`a stranger's mail for ${whom} is put off, not refused: "${text}"`, remedy(host), {
              unanswered: true,
            });
      });
}

function names(addresses: readonly string[]): string {
  return addresses.length > 3
    ? `${addresses.slice(0, 2).join(", ")} and ${addresses.length - 2} others`
    : addresses.join(", ");
}

/** A domain that is not hosted here: the other side's, or one that is reserved for examples (RFC 2606). */
export function outsideDomain(host: HostUnderCheck): string {
  const hosted = new Set(host.target.settings.domains.map(({ name }) => name));
  const reserved = ["example.com", "example.net", "example.org"].find((name) => !hosted.has(name));
  return host.target.otherSide?.domain ?? reserved ?? "example.edu";
}

interface Offered {
  readonly address: string;
  readonly reply: SmtpReply;
}

/**
 * Fewer than Postfix lets one session ask for: it slows down after ten errors and hangs up after twenty, or after a
 * hundred commands that bring no mail (postconf(5), smtpd_soft_error_limit, smtpd_hard_error_limit, smtpd_junk_command_limit).
 */
const perSession = 8;
/** Sessions at once, of each kind: the host lets one address have twenty (mailhost:incomingLimit). */
const atOnce = 3;

/** Names recipients, and goes away before any message. */
async function offer(host: HostUnderCheck, addresses: readonly string[]): Promise<Offered[]> {
  const inTurn = turns(atOnce);
  const sessions = Array.from({ length: Math.ceil(addresses.length / perSession) }, (_, index) =>
    inTurn(() => offerSome(host, addresses.slice(index * perSession, (index + 1) * perSession))),
  );
  return (await Promise.all(sessions)).flat();
}

async function offerSome(host: HostUnderCheck, addresses: readonly string[]): Promise<Offered[]> {
  const smtp = await host.smtp("smtp");
  try {
    await smtp.ehlo();
    const replies: Offered[] = [];
    for (const address of addresses) {
      // One transaction each: a null sender with several recipients is suspicious in itself.
      const mail = await smtp.command("MAIL FROM:<>");
      const reply = mail.code === 250 ? await smtp.command(`RCPT TO:<${address}>`) : mail;
      await smtp.command("RSET");
      replies.push({ address, reply });
    }
    return replies;
  } finally {
    await smtp.quit();
  }
}
