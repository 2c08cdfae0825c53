import assert from "node:assert/strict";
import { count, imap, mailHost, otherSide, submit, unique } from "../e2e/mail.ts";
import { onHost } from "../e2e/mailhost.ts";
import { answer, waiting } from "../e2e/sending.ts";
import { eventually } from "../eventually.ts";

/** GTUBE (spamassassin.apache.org/gtube), which every filter refuses. */
const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/**
 * What a host has to do in a day, in a minute: mail in, out and between mailboxes, by each port, to aliases and to nobody;
 * a bounce, spam, a sender forged to be one of its own; a mailbox read, sorted and emptied; and all that a timer begins.
 */
export async function aDay(): Promise<void> {
  const host = await mailHost();
  const peer = await otherSide();
  const [ann, bob] = ["ann@example.org", "bob@example.org"];

  for (const port of [465, 587] as const)
    for (const to of ["zoe@example.net", bob, "carol@example.com"]) {
      const subject = unique(`${port} to ${to}`);
      const { messageId } = await submit(host, { from: ann, to, subject, port });
      if (to.endsWith("example.net")) assert.ok(await peer.waitFor(messageId, 60), subject);
      else assert.equal(await count(host, to, subject, { seconds: 30 }), 1);
    }
  const comes = async (from: string, to: string, more: object = {}) =>
    await peer.send({ from, to, subject: unique(`from ${from}`), ...more });
  for (const to of [
    ann,
    "info@example.org",
    "postmaster@example.org",
    "anything@example.com",
    "bob+shop@example.org",
  ])
    assert.ok((await comes("zoe@example.net", to)).accepted, to);
  assert.ok((await comes(ann, bob, { sign: false })).accepted);
  assert.equal((await comes("zoe@example.net", "nobody-here@example.org")).code, 550);
  assert.equal((await comes("zoe@example.net", bob, { text: gtube })).accepted, false);
  await answer({ mode: "reject", to: "gone@example.net" });
  const lost = unique("lost");
  await submit(host, { from: bob, to: "gone@example.net", subject: lost });
  await eventually("the bounce came", 30, async () => {
    const found = await onHost(`doveadm search -u ${bob} from mailer-daemon text '${lost}' | wc -l`);
    return Number(found) > 0;
  });
  await answer({ mode: "accept" });
  await onHost(`printf 'Subject: backup done\\n\\nfine\\n' | sendmail root`);

  const session = await imap(host, bob);
  try {
    await session.mailboxOpen("INBOX");
    const found = (await session.search({ all: true })) || [];
    await session.messageMove([found[0] ?? 1], "Junk");
    await session.messageMove([(found[1] ?? 2) - 1], "Trash");
    await session.mailboxOpen("Junk");
    await session.messageMove("1", "INBOX");
  } finally {
    await session.logout();
  }
  await eventually("nothing waits", 60, async () => (await waiting()) === 0);

  const timers = JSON.parse(await onHost("systemctl list-timers --all -o json")) as readonly {
    readonly activates: string | null;
  }[];
  const begun = timers
    .flatMap(({ activates }) => activates ?? [])
    .filter((unit) => unit.endsWith(".service"));
  assert.ok(begun.includes("mailhost-certificate.service"), begun.join(" "));
  // apt-listchanges looks through all packages once, and waits for as long as the machine has other work.
  const waits = (unit: string) => (unit === "apt-listchanges.service" ? "--no-block" : "");
  for (const unit of begun) await onHost(`systemctl start ${waits(unit)} ${unit}`);
}
