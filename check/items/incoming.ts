import { turns } from "../../dns/turns.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import type { OtherSide } from "../otherside.ts";
import { sideBySide } from "../sidebyside.ts";
import {
  bringToPort25,
  folders,
  messagesAtOnce,
  oneLoginForEachDomain,
  submit,
  testMessage,
} from "../testmail.ts";
import { type Finding, leftOut, right, wrong } from "../types.ts";

/**
 * A proper message from elsewhere reaches the inbox of every domain, checked. Where there is no other side to send it, a
 * message that the host has signed comes back to its port 25 from here, as if somebody had passed it on.
 */
export const incoming: Item = {
  name: "incoming",
  group: "Mail",
  async look(host) {
    const { otherSide } = host.target;
    const inTurn = turns(messagesAtOnce);
    return await sideBySide(
      "incoming",
      Object.fromEntries(
        oneLoginForEachDomain(host).map((login) => [
          login.domain,
          inTurn(() => (otherSide === undefined ? passOn(host, login) : receive(host, login, otherSide))),
        ]),
      ),
    );
  },
};

async function passOn(host: HostUnderCheck, login: Login): Promise<Finding[]> {
  const message = testMessage(login.address, login.address);
  await submit(host, login, login.address, message.raw);
  const mailbox = await host.mailbox(login);
  try {
    const sent = await mailbox.waitFor(message.messageId, folders, host.patience);
    const raw = sent?.raw.toString() ?? "";
    const signature = raw.search(/^DKIM-Signature:/m);
    // `outgoing` says that it did not come, or is not signed.
    if (sent === undefined || signature < 0) return [];
    await mailbox.remove(message.messageId, folders);
    const { at, reply } = await bringToPort25(host, login.address, raw.slice(signature));
    if (at !== "message" || reply.code !== 250) {
      return [
        leftOut(
          `mail from elsewhere to ${login.domain}: this machine's was answered "${reply.text}". Send yourself a message from another account`,
        ),
      ];
    }
    const stored = await mailbox.waitFor(message.messageId, folders, host.patience);
    if (stored === undefined) return [lost(host, login, "port 25")];
    await mailbox.remove(message.messageId, folders);
    return [
      // A home's address counts as no mail server's, and what it sends as spam.
      right(
        `mail that comes to port 25 reaches ${login.address}${stored.folder === "INBOX" ? "" : `; this machine's is put into ${stored.folder}`}`,
      ),
      judged(host, login, stored.raw.toString(), ["dkim", "dmarc"]),
    ];
  } finally {
    await mailbox.close();
  }
}

async function receive(host: HostUnderCheck, login: Login, otherSide: OtherSide): Promise<Finding[]> {
  const from = `check@${otherSide.domain}`;
  const outcome = await otherSide.send({
    from,
    to: login.address,
    subject: "A test message of the mail host's check",
    text: "It is removed again by the check.\n",
    timeout: host.patience,
  });
  if (!outcome.accepted) {
    return [
      wrong(
        `a message from ${otherSide.domain} to ${login.address} was not taken: "${outcome.response}"`,
        "See why: `npm run host -- journalctl -u postfix -u rspamd -n 50`.",
        outcome.code < 500 ? { unanswered: true } : {},
      ),
    ];
  }
  const mailbox = await host.mailbox(login);
  try {
    const stored = await mailbox.waitFor(outcome.messageId, folders, host.patience);
    if (stored === undefined) {
      return [lost(host, login, otherSide.domain)];
    }
    await mailbox.remove(outcome.messageId, folders);
    return [
      placed(login, otherSide, stored.folder),
      judged(host, login, stored.raw.toString(), ["spf", "dkim", "dmarc"]),
    ];
  } finally {
    await mailbox.close();
  }
}

function lost(host: HostUnderCheck, login: Login, from: string): Finding {
  return wrong(
    `a message from ${from} to ${login.address} was taken, and has not come in ${host.patience} seconds`,
    "See where it is: `npx mailhost queue` and `npx mailhost logs`.",
    { unanswered: true },
  );
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
function judged(
  host: HostUnderCheck,
  login: Login,
  raw: string,
  methods: readonly ("spf" | "dkim" | "dmarc")[],
): Finding {
  const header = (raw.split(/\r?\n\r?\n/, 1)[0] ?? "").replace(/\r?\n[ \t]+/g, " ");
  const results = header
    .split(/\r?\n/)
    .filter((line) => line.toLowerCase().startsWith(`authentication-results: ${host.name}`))
    .join(" ");
  const missing = methods.filter((method) => !new RegExp(`\\b${method}=pass\\b`).test(results));
  return missing.length === 0
    ? right(`mail to ${login.domain} has its ${listed(methods)} checked`)
    : wrong(
        `mail to ${login.domain} is not seen to pass ${missing.join(", ")}: ${results || "there is no Authentication-Results header of ours"}`,
        "The filter does not check, or its resolver does not answer: `npm run host -- journalctl -u rspamd -u unbound -n 50`.",
      );
}

/** `SPF, DKIM and DMARC`. */
function listed(methods: readonly string[]): string {
  return new Intl.ListFormat("en-GB").format(methods.map((method) => method.toUpperCase()));
}
