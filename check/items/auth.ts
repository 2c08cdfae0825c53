import { changedByHand } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { isPutOff, type SmtpDialogue } from "../smtp.ts";
import { type Finding, right, wrong } from "../types.ts";
import { outsideDomain } from "./recipients.ts";

const remedy = ({ target }: HostUnderCheck) => changedByHand("the host's mail settings", target, "postfix");

/** Passwords are taken where they are safe, and nowhere else: never on port 25, never before TLS. */
export const auth: Item = {
  name: "auth",
  group: "Rules",
  async look(host) {
    return await sideBySide("auth", {
      smtp: onPort25(host),
      ...(host.port("submission") && { submission: onPort587(host) }),
      ...(host.port("submissions") && { submissions: onPort465(host) }),
    });
  },
};

async function onPort25(host: HostUnderCheck): Promise<Finding> {
  const smtp = await host.smtp("smtp");
  try {
    const plain = await smtp.ehlo();
    const attempt = await smtp.command(`AUTH PLAIN ${Buffer.from("\0nobody\0nothing").toString("base64")}`);
    const encrypted = plain.extensions.has("STARTTLS")
      ? await smtp.startTls().then(() => smtp.ehlo())
      : plain;
    if (plain.extensions.has("AUTH") || encrypted.extensions.has("AUTH")) {
      return wrong("port 25 offers a login (AUTH)", remedy(host));
    }
    // 535 says that the password was looked at; 334 would go on with the exchange.
    return attempt.code === 535 || attempt.code < 400
      ? wrong(`port 25 does not offer a login, and takes one all the same: "${attempt.text}"`, remedy(host))
      : right("port 25 takes no passwords");
  } finally {
    await smtp.quit();
  }
}

async function onPort587(host: HostUnderCheck): Promise<Finding[]> {
  const smtp = await host.smtp("submission");
  try {
    const plain = await smtp.ehlo();
    if (plain.extensions.has("AUTH")) {
      return [wrong("port 587 offers a login (AUTH) before the connection is encrypted", remedy(host))];
    }
    await smtp.startTls();
    const encrypted = await smtp.ehlo();
    return [
      encrypted.extensions.has("AUTH")
        ? right("port 587 takes passwords after STARTTLS only")
        : wrong("port 587 offers no login (AUTH) after STARTTLS", remedy(host)),
      await withoutLogin(host, smtp, 587),
    ];
  } finally {
    await smtp.quit();
  }
}

async function onPort465(host: HostUnderCheck): Promise<Finding[]> {
  const smtp = await host.smtp("submissions");
  try {
    const { extensions } = await smtp.ehlo();
    return [
      extensions.has("AUTH")
        ? right("port 465 takes passwords, inside TLS from the first byte")
        : wrong("port 465 offers no login (AUTH)", remedy(host)),
      await withoutLogin(host, smtp, 465),
    ];
  } finally {
    await smtp.quit();
  }
}

/** Whether mail to elsewhere is taken of somebody who has not logged in. */
async function withoutLogin(host: HostUnderCheck, smtp: SmtpDialogue, port: number): Promise<Finding> {
  const mail = await smtp.command("MAIL FROM:<>");
  const reply = mail.code === 250 ? await smtp.command(`RCPT TO:<someone@${outsideDomain(host)}>`) : mail;
  if (reply.code >= 500) return right(`port ${port} takes no mail without a login`);
  return isPutOff(reply)
    ? wrong(`whether port ${port} takes mail without a login is unknown: "${reply.text}"`, remedy(host), {
        unanswered: true,
      })
    : wrong(`port ${port} takes mail without a login: "${reply.text}"`, remedy(host));
}
