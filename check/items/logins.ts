import { turns } from "../../dns/turns.ts";
import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Mailboxes opened at once. */
const atOnce = 10;

/** Mailboxes opened in one look: the hash of a password is made to take its time, and the host has it for each. */
const enough = 100;

/** Every mailbox whose password is known opens with it; of very many, some of each domain do. */
export const logins: Item = {
  name: "logins",
  group: "Mail",
  async look(host) {
    const known = host.logins;
    const tried = someOfEach(known);
    const inTurn = turns(atOnce);
    const shut = (await Promise.all(tried.map((login) => inTurn(() => trouble(host, login))))).filter(
      (finding) => finding !== undefined,
    );
    if (shut.length > 0 || known.length === 0) return shut;
    return [
      right(
        tried.length < known.length
          ? `${tried.length} of the ${known.length} mailboxes with a generated password, some of each domain, open by IMAP`
          : `all ${known.length} mailboxes with a generated password open by IMAP`,
      ),
    ];
  },
};

/** As many of each domain as there is room for: first the first of each, then the second… The same ones in each look. */
function someOfEach(logins: readonly Login[]): readonly Login[] {
  const byDomain = [...Map.groupBy(logins, ({ domain }) => domain).values()];
  const rounds = Math.max(0, ...byDomain.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => byDomain.flatMap((own) => own.slice(round, round + 1)))
    .flat()
    .slice(0, enough);
}

async function trouble(host: HostUnderCheck, login: Login): Promise<Finding | undefined> {
  try {
    await (await host.mailbox(login)).close();
    return undefined;
  } catch (error) {
    return wrong(
      (error as Error).message,
      `Run ${applyAgain(host.target, "accounts.secrets", "dovecot")}; the password is in \`pulumi stack output credentials --show-secrets\`.`,
      { part: login.address, unanswered: true },
    );
  }
}
