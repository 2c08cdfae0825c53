import { senderLogins } from "../../plan/users.ts";
import { applyAgain, changedByHand } from "../again.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { isPutOff, type SmtpReply } from "../smtp.ts";
import { bringToPort25, folders, loggedIn, removeFromMailbox, testMessage } from "../testmail.ts";
import { type Finding, right, wrong } from "../types.ts";
import { outsideDomain } from "./recipients.ts";

const remedy = ({ target }: HostUnderCheck) =>
  changedByHand("the host's mail settings or tables", target, "aliases", "postfix", "rspamd");

/** Who logs in sends as what is theirs, in the envelope and in the From that people read; who does not, as nothing of ours. */
export const senders: Item = {
  name: "senders",
  group: "Rules",
  async look(host) {
    const login = host.logins[0];
    if (login === undefined || host.port("submissions") === undefined) {
      return [];
    }
    const others = [...othersAddress(host, login), `someone@${outsideDomain(host)}`];
    const looks = others.flatMap((other) => [
      [`envelope.${other}`, envelope(host, login, other)] as const,
      [`header.${other}`, header(host, login, other)] as const,
    ]);
    return await sideBySide("senders", {
      ...Object.fromEntries(looks),
      ...(host.port("smtp") && { [`stranger.${login.domain}`]: stranger(host, login) }),
    });
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
    if (reply.code >= 500) return right(`${login.address} cannot send with ${other} as envelope sender`);
    return isPutOff(reply)
      ? unknown(host, `${login.address} may send with ${other} as envelope sender`, reply)
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
    return unknown(host, `${login.address} may write From: ${other}`, reply);
  }
  await removeFromMailbox(host, login, message.messageId);
  return wrong(`${login.address} may write From: ${other}: "${reply.text}"`, remedy(host));
}

/** Somebody on port 25 who writes one of our addresses into From, and has nothing that proves it. */
async function stranger(host: HostUnderCheck, login: Login): Promise<Finding> {
  const message = testMessage(login.address, login.address);
  const { reply } = await bringToPort25(host, login.address, message.raw);
  if (reply.code >= 500) return right(`a stranger cannot write From: ${login.address}: "${reply.text}"`);
  if (reply.code !== 250) return unknown(host, `a stranger may write From: ${login.address}`, reply);
  const mailbox = await host.mailbox(login);
  try {
    const stored = await mailbox.waitFor(message.messageId, folders, host.patience);
    if (stored === undefined) {
      return unknown(host, `a stranger may write From: ${login.address}`, reply);
    }
    await mailbox.remove(message.messageId, folders);
    return stored.folder === "INBOX"
      ? wrong(
          `a stranger's mail with From: ${login.address} reaches the inbox`,
          `The filter does not check DMARC, or thinks nothing of it: \`npm run host -- journalctl -u rspamd -n 50\`, then ${applyAgain(host.target, "rspamd", "postfix")}.`,
        )
      : right(`a stranger's mail with From: ${login.address} is put into ${stored.folder}`);
  } finally {
    await mailbox.close();
  }
}

function unknown(host: HostUnderCheck, what: string, reply: SmtpReply): Finding {
  return wrong(`whether ${what} is unknown: "${reply.text}"`, remedy(host), { unanswered: true });
}
