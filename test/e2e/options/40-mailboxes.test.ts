import assert from "node:assert/strict";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { connect as startTls } from "node:tls";
import { ensurePackages } from "../../../local/prerequisites.ts";
import { run } from "../../../local/run.ts";
import { eventually } from "../../eventually.ts";
import { keptWhileSuspended } from "../everything.ts";
import { count, imap, type MailHost, mailHost, otherSide, received, submit, unique } from "../mail.ts";
import { onHost } from "../mailhost.ts";
import { pop3LogIn } from "../pop3.ts";
import { redis } from "../redis.ts";
import { scratchFiles } from "../scratch.ts";

const host = await mailHost();
const peer = await otherSide();
const path = scratchFiles();

/** How many messages rspamd has learned, by its own counters. */
async function learned(): Promise<{ readonly spam: number; readonly ham: number }> {
  const said = await onHost(`${redis} hmget RS learns_spam learns_ham`);
  const [spam = 0, ham = 0] = said.split("\n").map(Number);
  return { spam, ham };
}

/** Over IMAP, as a mail program does it. */
async function move(address: string, subject: string, from: string, to: string): Promise<void> {
  const client = await imap(host, address);
  await client.mailboxOpen(from);
  const moved = await client.messageMove({ subject }, to);
  assert.equal((moved || undefined)?.uidMap?.size, 1, `${subject} is not in ${from}`);
  await client.logout();
}

async function receive(subject: string, order: Partial<Parameters<typeof peer.send>[0]> = {}) {
  const text = `${subject}, and words of its own: ${crypto.randomUUID()}`;
  return await peer.send({ from: "zoe@example.net", to: "bob@example.org", subject, text, ...order });
}

/** A session of ManageSieve (RFC 5804): each command's answer ends with OK, NO or BYE. */
async function sieveSession(who: MailHost, address: string) {
  const plain = new Socket().connect(4190, who.publicIp);
  const answerOf = (lines: AsyncIterator<string>) => async () => {
    const answer: string[] = [];
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the connection ended after ${answer.join(" | ")}`);
      answer.push(value);
      if (/^(OK|NO|BYE)/.test(value)) return answer;
    }
  };
  const before = createInterface({ input: plain });
  const greeting = await answerOf(before[Symbol.asyncIterator]())();
  plain.write("STARTTLS\r\n");
  const reader = createInterface({ input: plain });
  const begun = await answerOf(reader[Symbol.asyncIterator]())();
  assert.match(begun.at(-1) ?? "", /^OK/);
  before.close();
  reader.close();
  // Else a test that fails in the middle of one would keep the process until the server's patience ends.
  after(() => plain.destroy());
  const secure = startTls({ socket: plain, servername: who.hostname, ca: [...who.roots] });
  const answer = answerOf(createInterface({ input: secure })[Symbol.asyncIterator]());
  await answer();
  const command = async (text: string) => {
    secure.write(`${text}\r\n`);
    return (await answer()).at(-1) ?? "";
  };
  const login = Buffer.from(`\0${address}\0${who.credentials[address]}`).toString("base64");
  const loggedIn = await command(`AUTHENTICATE "PLAIN" "${login}"`);
  if (!loggedIn.startsWith("OK")) {
    secure.destroy();
    throw new Error(loggedIn);
  }
  return { greeting, command, end: () => secure.end() };
}

test("moved into Junk it is learned as spam, out of it as ham, into Trash as nothing", async () => {
  const subject = unique("learn");
  const sent = await receive(subject);
  assert.ok(sent.accepted, sent.response);
  assert.equal(await count(host, "bob@example.org", subject), 1);

  const first = await learned();
  await move("bob@example.org", subject, "INBOX", "Junk");
  await eventually("one spam more", 10, async () => (await learned()).spam === first.spam + 1);
  const second = await learned();
  await move("bob@example.org", subject, "Junk", "Archive");
  await eventually("one ham more", 10, async () => (await learned()).ham === second.ham + 1);

  await move("bob@example.org", subject, "Archive", "Junk");
  await eventually("one spam more", 10, async () => (await learned()).spam === second.spam);
  const third = await learned();
  await move("bob@example.org", subject, "Junk", "Trash");
  // Learning is over when the move is answered: Dovecot waits for it.
  assert.deepEqual(await learned(), third);
});

test("a sender whose mail was taken out of Junk is not filed there again, until put back", async () => {
  const forged = { from: `list${Date.now()}@example.com`, sign: false };
  const [first, second, third] = [unique("first"), unique("second"), unique("third")];
  await receive(first, forged);
  assert.equal(await count(host, "bob@example.org", first, { folder: "Junk" }), 1);
  const client = await imap(host, "bob@example.org");
  await client.mailboxOpen("Junk");
  assert.equal(
    ((await client.search({ subject: first, seen: true })) || []).length,
    1,
    "it is not marked read",
  );
  await client.logout();
  await move("bob@example.org", first, "Junk", "INBOX");
  await receive(second, forged);
  assert.equal(await count(host, "bob@example.org", second), 1);
  // Another user's wishes are their own.
  await receive(third, { ...forged, to: "ann@example.org" });
  assert.equal(await count(host, "ann@example.org", third, { folder: "Junk" }), 1);
  await move("bob@example.org", second, "INBOX", "Junk");
  const fourth = unique("fourth");
  await receive(fourth, forged);
  assert.equal(await count(host, "bob@example.org", fourth, { folder: "Junk" }), 1);
});

test("what is thrown away, and what is deleted in Trash, teaches nothing and changes nobody's list of senders", async () => {
  const listed = () => onHost("cat /srv/mail/example.org/bob/wanted-senders");
  const [wanted, unwanted] = ["wanted", "unwanted"].map((who) => ({
    from: `${who}${Date.now()}@example.com`,
    sign: false,
  }));
  const [letter, offer] = [unique("letter"), unique("offer")];
  await receive(letter, wanted);
  await receive(offer, unwanted);
  for (const subject of [letter, offer])
    assert.equal(await count(host, "bob@example.org", subject, { folder: "Junk" }), 1);
  const first = await learned();
  await move("bob@example.org", letter, "Junk", "INBOX");
  await eventually("one ham more", 10, async () => (await learned()).ham === first.ham + 1);
  const [known, list] = [await learned(), await listed()];
  assert.match(list, new RegExp(`^${wanted?.from} `, "m"));

  const client = await imap(host, "bob@example.org");
  const below = unique("Trash/old");
  await client.mailboxCreate(below);
  await move("bob@example.org", letter, "INBOX", "Trash");
  await move("bob@example.org", offer, "Junk", below);
  // Another place in it, and out of it: neither says what a message is.
  await move("bob@example.org", letter, "Trash", below);
  await move("bob@example.org", offer, below, "Trash");
  for (const [folder, subject] of [
    ["Trash", offer],
    [below, letter],
  ] as const) {
    await client.mailboxOpen(folder);
    assert.equal(await client.messageDelete({ subject }), true);
    assert.deepEqual(await client.search({ subject }), []);
  }
  await client.mailboxDelete(below);
  await client.logout();
  assert.deepEqual([await learned(), await listed()], [known, list]);
});

test("an alias that spans domains, and one outside: each gets it once", async () => {
  const subject = unique("everybody");
  const sent = await receive(subject, { to: "everybody@example.org" });
  assert.ok(sent.accepted, sent.response);
  for (const address of ["ann@example.org", "carol@example.com"])
    assert.equal(await count(host, address, subject), 1, address);
  assert.deepEqual((await peer.waitFor(sent.messageId, 30))?.envelope.to, ["yves@example.net"]);
});

test("a suspended mailbox: in on no port, with no password; its mail is kept, and more is delivered", async () => {
  const address = "erin@example.org";
  const own = host.credentials[address] ?? assert.fail("no password");
  const phone = host.credentials[`${address}/phone`] ?? assert.fail("no password for the phone");
  const before = unique("before");
  const pop3s = { address: host.publicIp, port: 995, name: host.hostname, roots: host.roots };
  /** Each way in, and what it says to who is not let in. */
  const doors = [own, phone].flatMap((password): [() => Promise<unknown>, RegExp][] => {
    const erin = { ...host, credentials: { [address]: password } };
    return [
      [async () => await (await imap(erin, address)).logout(), /cannot log in/],
      [() => pop3LogIn(pop3s, address, password), /-ERR/],
      ...([465, 587] as const).map((port): [() => Promise<unknown>, RegExp] => [
        () => submit(erin, { from: address, to: address, subject: before, port }),
        /535/,
      ]),
      [async () => (await sieveSession(erin, address)).end(), /^Error: NO /],
    ];
  });
  const kept = async (subject: string) =>
    Number(await onHost(`doveadm search -u ${address} mailbox INBOX subject '${subject}' | wc -l`));

  /** Dovecot looks once a second whether the list has changed: until a first login says so, the others would tell nothing. */
  const isRead = (opens: boolean) =>
    eventually("the list is read anew", 10, async () => {
      const client = await imap({ ...host, credentials: { [address]: own } }, address).catch(() => undefined);
      await client?.logout();
      return (client !== undefined) === opens;
    });
  // It is the list alone that shuts them: without it, each opens.
  const list = "/etc/dovecot/suspended";
  await onHost(`cp ${list} /run/suspended && : >${list}`);
  try {
    await isRead(true);
    await Promise.all(doors.map(([enter]) => enter()));
  } finally {
    await onHost(`cat /run/suspended >${list} && rm /run/suspended`);
  }
  await eventually("what came before", 20, async () => (await kept(before)) === 4);
  await isRead(false);
  await Promise.all(doors.map(([enter, refusal]) => assert.rejects(enter(), refusal)));

  // 80-off looks for it, when the mailbox is open again.
  assert.ok((await receive(keptWhileSuspended, { to: address })).accepted);
  await eventually("it is delivered", 20, async () => (await kept(keptWhileSuspended)) > 0);
  assert.equal(await kept(before), 4);
});

test("quota: shown, warned of, and refused while the sender is there", async () => {
  const address = "dave@example.org";
  const client = await imap(host, address);
  const quota = (await client.getQuota("INBOX")) || undefined;
  assert.equal(quota?.storage?.limit, 2 * 1024 * 1024);
  const part = "x".repeat(76).concat("\r\n").repeat(11_000);
  for (const subject of [unique("big one"), unique("big two")]) {
    const sent = await receive(subject, { to: address, text: part });
    assert.ok(sent.accepted, sent.response);
    assert.equal(await count(host, address, subject), 1);
  }
  assert.equal(await count(host, address, "Your mailbox is 80% full"), 1);
  // The next letter is taken, by the grace that Dovecot has for one letter, and is the last.
  const over = unique("over");
  assert.ok((await receive(over, { to: address, text: part.slice(0, 400_000) })).accepted);
  assert.equal(await count(host, address, over), 1);
  for (const to of [address, "dave+shop@example.org"]) {
    const refused = await receive(unique("too much"), { to });
    assert.equal(refused.code, 452, refused.response);
    assert.match(refused.response, /4\.2\.2/);
  }
  // What comes over an alias is taken, and waits for room.
  const byAlias = unique("by the alias");
  assert.ok((await receive(byAlias, { to: "full@example.org" })).accepted);
  await eventually("it waits", 20, async () =>
    /"sender": "zoe@example\.net".*"address": "dave@example\.org", .*[Qq]uota exceeded/.test(
      await onHost("postqueue -j"),
    ),
  );
  await assert.rejects(client.append("INBOX", "Subject: filler\r\n\r\ntext"));
  // What came in another way waits, here the warning of 95%; where room is made, it comes.
  await client.mailboxOpen("INBOX");
  await client.messageDelete("1:*");
  await client.logout();
  await onHost("postqueue -f");
  assert.equal(await count(host, address, "Your mailbox is 95% full"), 1);
  assert.equal(await count(host, address, byAlias), 1);
});

test("ManageSieve: a filter of one's own, with TLS before any password", async () => {
  const session = await sieveSession(host, "ann@example.org");
  assert.ok(
    session.greeting.some((line) => line === '"SASL" ""'),
    session.greeting.join(" "),
  );
  const use = async (name: string, script: string) => {
    const put = `PUTSCRIPT "${name}" {${Buffer.byteLength(script)}+}\r\n${script}`;
    assert.match(await session.command(put), /^OK/);
    assert.match(await session.command(`SETACTIVE "${name}"`), /^OK/);
  };
  const since = new Date(Date.now() - 60_000).toISOString();

  await use("refuse", 'require ["reject"];\r\nreject "Not by mail, please.";\r\n');
  const unwanted = `yves${Date.now()}@example.net`;
  await receive(unique("an offer"), { from: unwanted, to: "ann@example.org" });
  const sentBack = await eventually("what the filter sends back", 30, async () => {
    const [notice] = await peer.messages({ to: unwanted, since });
    return notice ?? false;
  });
  assert.equal(sentBack.verdict.dmarc.result, "pass");

  await use("away", 'require ["vacation"];\r\nvacation :days 1 :subject "Away" "Back on Monday.";\r\n');
  const from = `yan${Date.now()}@example.net`;
  await receive(unique("are you there"), { from, to: "ann@example.org" });
  await eventually(
    "an absence note",
    30,
    async () => (await peer.messages({ to: from, since })).length === 1,
  );
  const [note] = await peer.messages({ to: from, since });
  assert.equal(note?.subject, "Away");
  assert.equal(note?.verdict.dmarc.result, "pass");
  // The line by which rspamd knows whose filter it is stays here.
  await submit(host, { from: "carol@example.com", to: "ann@example.org", subject: unique("and you") });
  assert.doesNotMatch(await received(host, "carol@example.com", "Away"), /X-Sieve-Mailbox/);
  session.end();
});

test("ManageSieve: sieve-connect brings a filter, looks it up, and takes it away", async () => {
  await ensurePackages([
    { what: "sieve-connect", package: "sieve-connect", why: "is a ManageSieve client of the tests" },
  ]);
  const roots = path("roots.pem", host.roots.join("\n"));
  const subject = unique("to a folder");
  const filter = path(
    "filter",
    `require ["fileinto"];\nif header :is "subject" "${subject}" { fileinto "Archive"; }\n`,
  );
  const broken = path("broken", 'if header "subject {\n');
  const connect = (password: string, ...args: readonly string[]) =>
    run("sh", [
      ...["-c", 'exec sieve-connect "$@" 3<"$0"', path("password", password)],
      ...["--server", host.publicIp, "--tlshostname", host.hostname, "--tlscafile", roots, "--noclearauth"],
      ...["--user", "bob@example.org", "--passwordfd", "3", ...args],
    ]);
  const password = host.credentials["bob@example.org"] ?? "";
  await connect(password, "--localsieve", filter, "--remotesieve", "mine", "--upload");
  await connect(password, "--remotesieve", "mine", "--activate");
  assert.match(await connect(password, "--list"), /^"mine" ACTIVE$/m);
  assert.match(
    await connect(password, "--remotesieve", "mine", "--localsieve", "-", "--download"),
    /fileinto "Archive";/,
  );
  await receive(subject);
  assert.equal(await count(host, "bob@example.org", subject, { folder: "Archive" }), 1);
  await assert.rejects(connect(password, "--localsieve", broken, "--remotesieve", "broken", "--upload"));
  await connect(password, "--deactivate");
  await connect(password, "--remotesieve", "mine", "--delete");
  assert.doesNotMatch(await connect(password, "--list"), /mine|broken/);
  await assert.rejects(connect("wrong", "--list"), /uthentication/);
});

test("a filter sends as its own mailbox and counts for it; it passes on what others wrote as they wrote it", async () => {
  const session = await sieveSession(host, "ann@example.org");
  const counted = () => onHost(`${redis} zcard mailhost_outgoing_ann@example.org`);
  const use = async (script: string) => {
    assert.match(
      await session.command(`PUTSCRIPT "away" {${Buffer.byteLength(script)}+}\r\n${script}`),
      /^OK/,
    );
    assert.match(await session.command('SETACTIVE "away"'), /^OK/);
  };
  const since = new Date(Date.now() - 60_000).toISOString();

  await use(
    'require ["vacation"];\r\nvacation :days 1 :from "bob@example.org" :subject "Away" "I am bob.";\r\n',
  );
  const stranger = `yan${Date.now()}@example.net`;
  await receive(unique("are you there"), { from: stranger, to: "ann@example.org" });
  await eventually(
    "a note in another's name is refused",
    30,
    async () =>
      (await onHost(
        `journalctl --sync; journalctl -q -o cat -u 'postfix*' -g 'no address of ann@example.org' | grep -c 'to=<${stranger}>' || true`,
      )) !== "0",
  );

  const before = Number(await counted());
  await use('redirect "zoe@example.net";\r\n');
  const [outside, inside] = [unique("from outside"), unique("from inside")];
  await receive(outside, { from: "yves@example.net", to: "ann@example.org" });
  await submit(host, { from: "carol@example.com", to: "ann@example.org", subject: inside });
  await eventually("both are passed on", 60, async () => {
    const subjects = (await peer.messages({ to: "zoe@example.net", since })).map(({ subject }) => subject);
    return subjects.includes(outside) && subjects.includes(inside);
  });
  assert.equal(Number(await counted()), before + 2);
  assert.deepEqual(await peer.messages({ to: stranger, since }), []);

  // That it passes mail on, the host has learned from the first; what comes then has the host's seal (ARC).
  const sealed = unique("sealed");
  await receive(sealed, { from: "yves@example.net", to: "ann@example.org" });
  const third = await eventually("the next one is passed on", 60, async () => {
    const come = await peer.messages({ to: "zoe@example.net", since });
    return come.find(({ subject }) => subject === sealed) ?? false;
  });
  assert.deepEqual(third.verdict.arc, { result: "pass", instance: 1 });

  assert.match(await session.command('SETACTIVE ""'), /^OK/);
  assert.match(await session.command('DELETESCRIPT "away"'), /^OK/);
  session.end();
});
