/** How mail lies on the host, is found in it, and goes by itself. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "../../eventually.ts";
import { rawImap } from "../imapSession.ts";
import { count, imap, mailHost, otherSide } from "../mail.ts";
import { onHost } from "../mailhost.ts";

const host = await mailHost();
const peer = await otherSide();
const bob = "bob@example.org";
const maildir = "/srv/mail/example.org/bob/Maildir";
/** A word that no other message has. */
const uniqueWord = (what: string) => `${what}${process.pid}x${Date.now()}`;

/** Bob's mail program; it leaves with the test, also where that fails. */
async function program(t: TestContext): Promise<Awaited<ReturnType<typeof imap>>> {
  const client = await imap(host, bob);
  t.after(() => client.close());
  return client;
}

function letter(subject: string, encoding: string, body: string): string {
  return [
    "From: zoe@example.net",
    `Subject: ${subject}`,
    `Message-ID: <${crypto.randomUUID()}@example.net>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Transfer-Encoding: ${encoding}`,
    "",
    body,
  ].join("\r\n");
}

test("a search in the text finds words and their forms, whatever the message's encoding", async (t) => {
  const folder = uniqueWord("Search");
  const client = await program(t);
  const before = (await client.list()).map(({ path }) => path);
  await client.mailboxCreate(folder);
  const quoted =
    "Die H=C3=A4user der gro=C3=9Fen St=C3=A4dte sind sch=C3=B6n, und wir haben die B=\r\n=C3=BCcher gelesen.";
  const english = "The ministers were running through their gardens, and nobody knew the reasons.";
  await client.append(folder, letter("quoted", "quoted-printable", quoted));
  await client.append(folder, letter("coded", "base64", Buffer.from(english).toString("base64")));
  await client.mailboxOpen(folder);
  const found = async (query: object) => (await client.search(query)) || [];
  for (const body of ["Häuser", "Haus", "haus", "Stadt", "Buch", "Bücher", "schon"])
    assert.deepEqual(await found({ body }), [1], body);
  for (const body of ["running", "runs", "minister", "Garden", "reason"])
    assert.deepEqual(await found({ body }), [2], body);
  assert.deepEqual(await found({ text: "quoted" }), [1]);
  assert.deepEqual(await found({ body: "zebra" }), []);

  // What comes later is found as well, and the index is no folder of the user's.
  await client.append(folder, letter("late", "8bit", "Ein Zebra lief über die Straße."));
  assert.deepEqual(await found({ body: "Zebras" }), [3]);
  assert.deepEqual(
    (await client.list()).map(({ path }) => path).sort(),
    [...before, folder].sort(),
    "the index shows as a folder",
  );
  await client.mailboxDelete(folder);
  assert.deepEqual((await client.list()).map(({ path }) => path).sort(), before.sort(), "it does not go");
  // Nor does its index answer for a folder of the same name.
  await client.mailboxCreate(folder);
  await client.append(
    folder,
    letter("again", "8bit", "Die Elefanten stehen unter den Bäumen und trinken Wasser."),
  );
  await client.mailboxOpen(folder);
  assert.deepEqual(await found({ body: "Haus" }), []);
  assert.deepEqual(await found({ body: "Elefanten" }), [1]);
  const dotted = `${folder} example.org`;
  await client.mailboxRename(folder, dotted);
  await client.mailboxOpen(dotted);
  assert.deepEqual(await found({ body: "Elefanten" }), [1]);
  await client.mailboxDelete(dotted);
  assert.equal(
    await onHost(`find /srv/mail/example.org/bob -name "*${folder}*"`),
    "",
    "something of it stays",
  );
  await client.logout();
});

test("the day's mail comes into the index at night", async (t) => {
  const folder = uniqueWord("Night");
  const client = await program(t);
  await client.mailboxCreate(folder);
  await client.append(folder, letter("night", "8bit", "A word for the night."));
  const indexed = () => onHost(`doveadm -f flow fts flatcurve stats -u ${bob} ${folder}`);
  assert.doesNotMatch(await indexed(), /messages=1/);
  await onHost("systemctl start mailhost-index.service");
  assert.match(await indexed(), /messages=1/);
  await client.mailboxDelete(folder);
  await client.logout();
});

test("mail lies compressed, is read whole, and counts at its full size; older mail is read as it lies", async (t) => {
  const subject = uniqueWord("compressed");
  const used = async (): Promise<number> => {
    const client = await program(t);
    const quota = (await client.getQuota("INBOX")) || undefined;
    await client.logout();
    return quota?.storage?.usage ?? assert.fail("no quota is shown");
  };
  const first = await used();
  const words = "the same words again and again, line by line\r\n".repeat(5000);
  const sent = await peer.send({ from: "zoe@example.net", to: bob, subject, text: words });
  assert.ok(sent.accepted, sent.response);
  assert.equal(await count(host, bob, subject), 1);
  const [size = 0, path = ""] = (
    await onHost(
      `find ${maildir}/new ${maildir}/cur -type f -newermt "-60 seconds" -printf "%s %p\\n" | sort -n | tail -n 1`,
    )
  ).split(" ");
  const name = path.trim();
  assert.equal((await onHost(`od -A n -t x1 -N 4 "${name}"`)).trim(), "28 b5 2f fd", "it is not Zstandard");
  const whole = Number(/,S=(\d+)/.exec(name)?.[1]);
  // Maildir's size is that without CR, and so is a quota's, in KiB.
  assert.ok(whole > words.length - 5000 && Number(size) < whole / 10, `${size} of ${whole} bytes`);
  const second = await used();
  assert.ok(second > first + whole - 1024, `it counts as ${second - first} bytes`);

  // As a host before this, or one with compression off, wrote it.
  const older = uniqueWord("older");
  const text = letter(older, "8bit", "As it always was.\r\n");
  await onHost(
    `f=${maildir}/new/$(date +%s).M1P1.older && printf %s ${Buffer.from(text).toString("base64")} | base64 -d > $f && chown vmail:vmail $f`,
  );
  const client = await program(t);
  await client.mailboxOpen("INBOX");
  for (const [what, content] of [
    [subject, words],
    [older, "As it always was."],
  ] as const) {
    const [uid] = (await client.search({ subject: what }, { uid: true })) || [];
    const asked = { source: true, size: true };
    const message = (await client.fetchOne(String(uid), asked, { uid: true })) || undefined;
    assert.ok(message?.source, what);
    assert.equal(message.size, message.source.length);
    assert.ok(message.source.toString().includes(content.trimEnd().slice(0, 400)), what);
    await client.messageDelete(String(uid), { uid: true });
  }
  await client.logout();
  assert.ok((await used()) <= first + 1024, "what was deleted still counts");
});

test("Trash and Junk lose what has been there for 30 days, also where nobody logs in", async (t) => {
  const client = await program(t);
  const subject = uniqueWord("expiry");
  const folders = ["Trash", "Junk", "INBOX", "Archive"];
  // An old message that was deleted today is not old there.
  for (const folder of folders)
    await client.append(folder, letter(subject, "8bit", "Words."), [], new Date("2020-01-01"));
  const left = async () => {
    const found: string[] = [];
    for (const folder of folders) {
      await client.mailboxOpen(folder);
      await client.noop();
      if (((await client.search({ subject })) || []).length > 0) found.push(folder);
    }
    return found;
  };
  await onHost("apt-get -qq -y install --no-install-recommends faketime >/dev/null");
  // The very unit, with a clock that goes ahead.
  const run = (days: number) =>
    onHost(
      [
        "d=/run/systemd/system/mailhost-expiry.service.d && mkdir -p $d",
        `printf "[Service]\\nEnvironment=LD_PRELOAD=$(dpkg -L libfaketime | grep /libfaketime.so.1) FAKETIME=+${days}d\\n" > $d/later.conf`,
        "systemctl daemon-reload && systemctl start mailhost-expiry.service",
      ].join(" && "),
    );
  try {
    await onHost("systemctl start mailhost-expiry.service");
    assert.deepEqual(await left(), folders);
    await run(29);
    assert.deepEqual(await left(), folders);
    await run(31);
    assert.deepEqual(await left(), ["INBOX", "Archive"]);
  } finally {
    await onHost(
      "rm -r /run/systemd/system/mailhost-expiry.service.d; systemctl daemon-reload; apt-get -qq -y purge faketime libfaketime >/dev/null",
    );
    await client.logout();
  }
});

test("a program that waits hears of new mail in the open folder, and by NOTIFY in every other", async (t) => {
  const open = await rawImap(host, bob, t);
  assert.match(await open.command("CAPABILITY"), / IDLE .* NOTIFY /);
  await open.command("SELECT INBOX");
  const all = await rawImap(host, bob, t);
  await all.command("SELECT Drafts");
  await all.command(
    "NOTIFY SET (SELECTED (MessageNew MessageExpunge)) (PERSONAL (MessageNew MessageExpunge))",
  );
  open.send("IDLE");
  await open.heard(/^\+ /);
  all.send("IDLE");
  await all.heard(/^\+ /);
  const sent = await peer.send({ from: "zoe@example.net", to: bob, subject: uniqueWord("idle") });
  assert.ok(sent.accepted, sent.response);
  await open.heard(/^\* \d+ EXISTS/);
  await all.heard(/^\* STATUS INBOX .*MESSAGES/);
  const other = await program(t);
  await other.append("Archive", letter("elsewhere", "8bit", "Words."));
  await other.logout();
  await all.heard(/^\* STATUS Archive .*MESSAGES/);
});

test("a household's devices have room for their connections", async (t) => {
  const sessions = [];
  for (let number = 0; number < 25; number += 1) sessions.push(await rawImap(host, bob, t));
  for (const session of sessions) assert.match(await session.command("NOOP"), /OK/);
  for (const session of sessions) session.end();
  await eventually("the sessions end", 10, async () =>
    /^0?$/m.test(
      (await onHost(`doveadm -f flow who ${bob} | grep -o "connections=[0-9]*" | cut -d= -f2`)).trim(),
    ),
  );
});

test("mail of a mailbox that is no more in the stack file is named, and goes by its name alone", async () => {
  const removed = "/usr/local/lib/mailhost/removed";
  const folder = "/srv/mail/example.org/gone";
  const script = [
    `install -d -o vmail -g vmail ${folder}/Maildir/cur`,
    `ln -s ${maildir} ${folder}/Maildir/link`,
    removed,
    `${removed} --note`,
    `${removed} | tr 0-9 n`,
    // Neither of these may delete anything.
    `! ${removed} --delete ${bob} 2>&1`,
    `! ${removed} --delete ../${bob} 2>&1`,
    `ls -d ${folder}`,
    `${removed} --delete gone@example.org`,
    removed,
    `! ls -d ${folder} ${maildir} /srv/removed/gone* 2>/dev/null`,
  ];
  assert.deepEqual((await onHost(`set -e; ${script.join("; ")}`)).trim().split("\n"), [
    "unknown    gone@example.org",
    "nnnn-nn-nn gone@example.org",
    `removed mailboxes: ${bob} is in the stack file; take it out there first, and run \`pulumi up\``,
    `removed mailboxes: there is no mail of a removed mailbox ../${bob}; \`removed\` lists those there are`,
    folder,
    "deleted the mail of gone@example.org",
    maildir,
  ]);
});
