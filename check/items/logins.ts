import type { HostUnderCheck, Item, Login } from "../host.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Every mailbox opens with its password, and not with another. */
export const logins: Item = {
  name: "logins",
  group: "Mail",
  async look(host) {
    const known = host.logins;
    const [first] = known;
    if (first === undefined) {
      return [];
    }
    const [refusal, ...opened] = await Promise.all([
      wrongPassword(host, first),
      ...known.map((login) => opens(host, login)),
    ]);
    const shut = opened.filter((finding) => finding !== undefined);
    return [
      ...(shut.length === 0
        ? [right(`all ${known.length} mailboxes with a generated password open by IMAP`)]
        : shut),
      refusal,
    ];
  },
};

async function opens(host: HostUnderCheck, login: Login): Promise<Finding | undefined> {
  try {
    await (await host.mailbox(login)).close();
    return undefined;
  } catch (error) {
    return wrong(
      (error as Error).message,
      "Run `pulumi up`; the password is in `pulumi stack output credentials --show-secrets`.",
    );
  }
}

async function wrongPassword(host: HostUnderCheck, login: Login): Promise<Finding> {
  try {
    await (await host.mailbox({ ...login, password: `not ${login.password}` })).close();
  } catch (error) {
    const { message } = error as Error;
    return /auth|password|credential/i.test(message)
      ? right("a wrong password is refused")
      : wrong(
          `whether a wrong password is refused is unknown: ${message}`,
          "Put the other lines right first.",
        );
  }
  return wrong(
    `${login.address} opens with a wrong password`,
    "Stop Dovecot, then run `pulumi up`: somebody changed its users.",
  );
}
