import { senderLogins } from "../../plan/users.ts";
import { changedByHand } from "../again.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { loggedIn, removeFromMailbox, testMessage } from "../testmail.ts";
import { type Finding, right, wrong } from "../types.ts";
import { outsideDomain } from "./recipients.ts";

const remedy = ({ target }: HostUnderCheck) =>
  changedByHand("the host's mail settings or tables", target, "aliases", "postfix", "rspamd");

/** Who logs in sends as what is theirs: in the envelope, and in the From that people read. */
export const senders: Item = {
  name: "senders",
  group: "Rules",
  async look(host) {
    const login = host.logins[0];
    if (login === undefined || host.port("submissions") === undefined) {
      return [];
    }
    const others = [...othersAddress(host, login), `someone@${outsideDomain(host)}`];
    return await sideBySide(
      "senders",
      others.flatMap((other) => [envelope(host, login, other), header(host, login, other)]),
    );
  },
};

/** An address of ours that is not this login's to send as. */
function othersAddress(host: HostUnderCheck, login: Login): string[] {
  const foreign = senderLogins(host.target.settings).find(
    ({ address, logins }) => !address.startsWith("@") && !logins.includes(login.address),
  );
  return foreign === undefined ? [] : [foreign.address];
}

async function envelope(host: HostUnderCheck, login: Login, other: string): Promise<Finding> {
  return await loggedIn(host, login, async (smtp) => {
    const mail = await smtp.command(`MAIL FROM:<${other}>`);
    const reply = mail.code === 250 ? await smtp.command(`RCPT TO:<${login.address}>`) : mail;
    return reply.code >= 500
      ? right(`${login.address} cannot send with ${other} as envelope sender`)
      : wrong(`${login.address} may send with ${other} as envelope sender: "${reply.text}"`, remedy(host));
  });
}

async function header(host: HostUnderCheck, login: Login, other: string): Promise<Finding> {
  const message = testMessage(other, login.address);
  const { at, reply } = await loggedIn(host, login, (smtp) =>
    smtp.deliver(login.address, login.address, message.raw),
  );
  if (reply.code >= 500 && at === "message") {
    return right(`${login.address} cannot write From: ${other}`);
  }
  if (at !== "message" || reply.code !== 250) {
    return wrong(
      `whether ${login.address} may write From: ${other} is unknown: "${reply.text}" at ${at}`,
      remedy(host),
    );
  }
  await removeFromMailbox(host, login, message.messageId);
  return wrong(`${login.address} may write From: ${other}: "${reply.text}"`, remedy(host));
}
