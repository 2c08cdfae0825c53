import type { HostUnderCheck, Item, Login } from "../host.ts";
import type { OtherSide } from "../otherside.ts";
import { sideBySide } from "../sidebyside.ts";
import { folders, oneLoginForEachDomain } from "../testmail.ts";
import { type Finding, leftOut, right, wrong } from "../types.ts";

const patience = 20;

/** A proper message from elsewhere reaches the inbox of every domain, checked. Needs another side to send it. */
export const incoming: Item = {
  name: "incoming",
  group: "Mail",
  async look(host) {
    const { otherSide } = host.target;
    if (otherSide === undefined) {
      return [
        leftOut(
          "mail from elsewhere: no mail server elsewhere is known (--peer). Send yourself a message from another account",
        ),
      ];
    }
    return await sideBySide(
      "incoming",
      oneLoginForEachDomain(host).map((login) => receive(host, login, otherSide)),
    );
  },
};

async function receive(host: HostUnderCheck, login: Login, otherSide: OtherSide): Promise<Finding[]> {
  const from = `check@${otherSide.domain}`;
  const outcome = await otherSide.send({
    from,
    to: login.address,
    subject: "A test message of the mail host's check",
    text: "It is removed again by the check.\n",
    timeout: patience,
  });
  if (!outcome.accepted) {
    return [
      wrong(
        `a message from ${otherSide.domain} to ${login.address} was not taken: "${outcome.response}"`,
        "See why: `npm run host -- journalctl -u postfix -u rspamd -n 50`.",
      ),
    ];
  }
  const mailbox = await host.mailbox(login);
  try {
    const stored = await mailbox.waitFor(outcome.messageId, folders, patience);
    if (stored === undefined) {
      return [
        wrong(
          `a message from ${otherSide.domain} to ${login.address} was taken, and has not come in ${patience} seconds`,
          "See where it is: `npm run host -- postqueue -p` and `npm run host -- journalctl -u dovecot -n 50`.",
        ),
      ];
    }
    await mailbox.remove(outcome.messageId, folders);
    return [placed(login, otherSide, stored.folder), judged(host, login, stored.raw.toString())];
  } finally {
    await mailbox.close();
  }
}

function placed(login: Login, otherSide: OtherSide, folder: string): Finding {
  return folder === "INBOX"
    ? right(`mail from ${otherSide.domain} reaches the inbox of ${login.address}`)
    : wrong(
        `mail from ${otherSide.domain} to ${login.address} is put into ${folder}`,
        "See the score and its reasons: `npm run host -- journalctl -u rspamd -n 50`.",
      );
}

/** What our own filter thought of it, as it wrote into the topmost header with our name (RFC 8601 section 2.2). */
function judged(host: HostUnderCheck, login: Login, raw: string): Finding {
  const header = (raw.split(/\r?\n\r?\n/, 1)[0] ?? "").replace(/\r?\n[ \t]+/g, " ");
  const results = header
    .split(/\r?\n/)
    .filter((line) => line.toLowerCase().startsWith(`authentication-results: ${host.name}`))
    .join(" ");
  const missing = ["spf", "dkim", "dmarc"].filter(
    (method) => !new RegExp(`\\b${method}=pass\\b`).test(results),
  );
  return missing.length === 0
    ? right(`mail to ${login.domain} has its SPF, DKIM and DMARC checked`)
    : wrong(
        `mail to ${login.domain} is not seen to pass ${missing.join(", ")}: ${results || "there is no Authentication-Results header of ours"}`,
        "The filter does not check, or its resolver does not answer: `npm run host -- journalctl -u rspamd -u unbound -n 50`.",
      );
}
