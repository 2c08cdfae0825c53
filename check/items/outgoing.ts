import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { turns } from "../../dns/turns.ts";
import { isRelayed, type RelayRoute, relayRoute } from "../../plan/relay.ts";
import { applyAgain, changedByHand } from "../again.ts";
import type { HostUnderCheck, Item, Login } from "../host.ts";
import { judge, resolverAt } from "../judge.ts";
import type { OtherSide, ReceivedMessage, Verdict } from "../otherside.ts";
import { sideBySide } from "../sidebyside.ts";
import {
  domainsWithoutLogin,
  folders,
  messagesAtOnce,
  oneLoginForEachDomain,
  submit,
  testMessage,
} from "../testmail.ts";
import { type Finding, leftOut, right, wrong } from "../types.ts";

/** A message of every domain goes out and passes SPF, DKIM with every key, and DMARC. */
export const outgoing: Item = {
  name: "outgoing",
  group: "Mail",
  async look(host) {
    const { otherSide } = host.target;
    const logins = oneLoginForEachDomain(host);
    const unknown = domainsWithoutLogin(host);
    const inTurn = turns(messagesAtOnce);
    return [
      ...(await sideBySide(
        "outgoing",
        Object.fromEntries(
          logins.map((login) => [
            login.domain,
            inTurn(() => (otherSide ? outside(host, login, otherSide) : loop(host, login))),
          ]),
        ),
      )),
      ...(unknown.length === 0
        ? []
        : [
            leftOut(
              `mail of ${unknown.join(", ")}, out and in: no password of a mailbox there is known to the stack`,
            ),
          ]),
    ];
  },
};

async function outside(host: HostUnderCheck, login: Login, otherSide: OtherSide): Promise<Finding[]> {
  const to = `check@${otherSide.domain}`;
  const mark = randomUUID();
  const message = testMessage(login.address, to, `${mark}\nIt is removed again by the check.\n`);
  const relay = relayRoute(host.target.settings);
  const relayed = isRelayed(relay, login.domain) ? relay : undefined;
  await submit(host, login, to, message.raw);
  // SES gives every message another Message-ID, and leaves its words alone.
  const got = relayed?.ses
    ? await cameWith(otherSide, to, mark, host.patience)
    : await otherSide.waitFor(message.messageId, host.patience);
  if (got === undefined) {
    return [
      wrong(
        `a message from ${login.address} has not reached ${otherSide.domain} in ${host.patience} seconds`,
        "See why it waits: `npx mailhost queue`. At a new AWS account port 25 is blocked: ask AWS to open it, or use a relay (docs/sending.md).",
        { unanswered: true },
      ),
    ];
  }
  const { address, helo, ptr } = got.client;
  const agree = address === host.address && helo === host.name && ptr.includes(host.name);
  return [
    verdictOn(host, login, got.verdict, `by ${otherSide.domain}`, relayed),
    relayed
      ? throughRelay(host, login, otherSide, address, relayed)
      : agree
        ? right(
            `${otherSide.domain} sees mail of ${login.domain} come from ${helo} [${address}], PTR ${ptr.join(", ")}`,
          )
        : wrong(
            `${otherSide.domain} sees mail of ${login.domain} come from ${helo} [${address}], PTR ${ptr.join(", ") || "none"}, not from ${host.name} [${host.address}]`,
            `HELO, address and PTR have to agree. Address and PTR: \`pulumi up\`; HELO: ${applyAgain(host.target, "postfix")}.`,
          ),
    got.tls === undefined
      ? wrong(
          `mail of ${login.domain} reached ${otherSide.domain} unencrypted`,
          changedByHand("smtp_tls_security_level in /etc/postfix/main.cf", host.target, "postfix"),
        )
      : right(`mail of ${login.domain} travels encrypted (${got.tls.version.replace("v", " ")})`),
  ];
}

/** The message with this mark in its text; undefined where it does not come in time. */
async function cameWith(
  otherSide: OtherSide,
  to: string,
  mark: string,
  seconds: number,
): Promise<ReceivedMessage | undefined> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = (await otherSide.messages({ to })).find(({ text }) => text.includes(mark));
    if (found !== undefined || Date.now() > end) return found;
    await pause(500);
  }
}

/** Its own name and address are the relay's to keep in order; ours is that the mail goes there. */
function throughRelay(
  host: HostUnderCheck,
  login: Login,
  otherSide: OtherSide,
  address: string,
  { name: relay }: RelayRoute,
): Finding {
  return address === host.address
    ? wrong(
        `mail of ${login.domain} reaches ${otherSide.domain} straight from the host, not through ${relay}`,
        `Postfix does not know of the relay: ${applyAgain(host.target, "postfix")}.`,
      )
    : right(`mail of ${login.domain} goes through ${relay}, and comes from [${address}]`);
}

/**
 * Without a mailbox elsewhere: the message goes to its own sender, and is judged here as a stranger would who
 * had got it from the host's public address. What this cannot tell is whether outbound port 25 is open.
 */
async function loop(host: HostUnderCheck, login: Login): Promise<Finding[]> {
  const message = testMessage(login.address, login.address);
  await submit(host, login, login.address, message.raw);
  const mailbox = await host.mailbox(login);
  try {
    const stored = await mailbox.waitFor(message.messageId, folders, host.patience);
    if (stored === undefined) {
      return [
        wrong(
          `a message from ${login.address} to itself has not come in ${host.patience} seconds`,
          "See where it is: `npx mailhost queue` and `npx mailhost logs`.",
          { unanswered: true },
        ),
      ];
    }
    await mailbox.remove(message.messageId, folders);
    const verdict = await judge(
      stored.raw,
      { address: host.address, helo: host.name, sender: login.address },
      "check.invalid",
      resolverAt(host.target.resolver),
    );
    return [verdictOn(host, login, verdict, "as a stranger would judge it")];
  } finally {
    await mailbox.close();
  }
}

function verdictOn(
  host: HostUnderCheck,
  login: Login,
  verdict: Verdict,
  judge: string,
  relay?: RelayRoute,
): Finding {
  const expected = host.target.dkim
    .filter(({ domain, state }) => domain === login.domain && state === "signing")
    // SES signs by itself, with the RSA key alone.
    .filter(({ algorithm }) => !relay?.ses || algorithm === "rsa")
    .map(({ selector }) => selector);
  const dkim = expected.map((selector) => {
    const signature = verdict.dkim.find((one) => one.selector === selector && one.domain === login.domain);
    return { selector, result: signature?.result ?? "missing", comment: signature?.comment };
  });
  const parts = [
    `SPF ${verdict.spf.result}`,
    ...dkim.map(
      ({ selector, result, comment }) =>
        `DKIM ${selector} ${result}${result === "pass" || !comment ? "" : ` (${comment})`}`,
    ),
    `DMARC ${verdict.dmarc.result}`,
  ];
  const passes =
    expected.length > 0 &&
    verdict.spf.result === "pass" &&
    dkim.every(({ result }) => result === "pass") &&
    verdict.dmarc.result === "pass";
  const text = `mail of ${login.domain} is judged ${parts.join(", ")}, ${judge}`;
  return passes
    ? right(text)
    : wrong(
        text,
        `If the records above are right, rspamd does not sign as it should: \`npm run host -- journalctl -u rspamd -n 50\`, then ${applyAgain(host.target, "rspamd.secrets", "rspamd")}.`,
        // That the records could not be asked for.
        text.includes("temperror") ? { unanswered: true } : {},
      );
}
