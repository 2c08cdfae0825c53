import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Every mailbox whose password is known opens with it. */
export const logins: Item = {
  name: "logins",
  group: "Mail",
  async look(host) {
    const known = host.logins;
    const shut = (await Promise.all(known.map((login) => trouble(host, login)))).filter(
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
    );
  }
}
