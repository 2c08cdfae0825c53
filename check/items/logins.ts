import { turns } from "../../dns/turns.ts";
import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Mailboxes opened at once. */
const atOnce = 10;

/** Every mailbox whose password is known opens with it. */
export const logins: Item = {
  name: "logins",
  group: "Mail",
  async look(host) {
    const known = host.logins;
    const inTurn = turns(atOnce);
    const shut = (await Promise.all(known.map((login) => inTurn(() => trouble(host, login))))).filter(
      (finding) => finding !== undefined,
    );
    return shut.length > 0 || known.length === 0
      ? shut
      : [right(`all ${known.length} mailboxes with a generated password open by IMAP`)];
  },
};

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
