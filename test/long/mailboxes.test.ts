/** What a switch means for mail that is there already: compression, the index of searches, and a mailbox that goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, imap, mailHost, otherSide } from "../e2e/mail.ts";
import { onHost, succeed, up, withStack } from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

const bob = "bob@example.org";
const erin = "erin@example.org";

ownCloud();

const words = (word: string) => `${word} and again the same words, line by line\r\n`.repeat(500);

async function receive(to: string, subject: string, text: string): Promise<void> {
  const sent = await (await otherSide()).send({ from: "zoe@example.net", to, subject, text });
  assert.ok(sent.accepted, sent.response);
  assert.equal(await count(await mailHost(), to, subject), 1);
}

/** How many files of the mailbox are Zstandard, and how many are not. */
async function kinds(): Promise<readonly [compressed: number, plain: number]> {
  const folder = "/srv/mail/example.org/bob/Maildir";
  const heads = await onHost(
    `find ${folder}/new ${folder}/cur -type f | while read -r file; do od -A n -t x1 -N 4 "$file"; done`,
  );
  const each = heads.split("\n").filter((line) => line.trim() !== "");
  const compressed = each.filter((line) => line.trim() === "28 b5 2f fd").length;
  return [compressed, each.length - compressed];
}

/** Reads both messages whole, and finds each by a word of its text. */
async function bothAreThere(): Promise<void> {
  const client = await imap(await mailHost(), bob);
  await client.mailboxOpen("INBOX");
  for (const word of ["Elephants", "Giraffes"]) {
    const [uid, ...more] = (await client.search({ body: word }, { uid: true })) || [];
    assert.equal(more.length, 0);
    const message = (await client.fetchOne(String(uid), { source: true }, { uid: true })) || undefined;
    assert.equal(message?.source?.toString().split(word).length, 501, word);
  }
  await client.logout();
}

test("compression and search off and on again: mail of both kinds is read and found", async () => {
  await receive(bob, "first", words("Elephants"));
  assert.deepEqual(await kinds(), [1, 0]);
  await withStack(
    (stack) => {
      stack.setIn(["config", "mailhost:compression"], false);
      stack.setIn(["config", "mailhost:search"], false);
    },
    async () => {
      await up();
      await receive(bob, "second", words("Giraffes"));
      assert.deepEqual(await kinds(), [1, 1]);
      await bothAreThere();
    },
  );
  await up();
  await bothAreThere();
  assert.deepEqual(await kinds(), [1, 1]);
});

test("a mailbox that goes: its session ends, its mail is kept, comes back with it, or goes by its name alone", async () => {
  const program = "/usr/local/lib/mailhost/removed";
  const withErin = (body: () => Promise<void>) =>
    withStack((stack) => {
      stack.setIn(["config", "mailhost:domains", "example.org", "mailboxes", "erin"], stack.createNode({}));
    }, body);
  const listed = async () => (await onHost(program)).trim();
  const today = async () => (await onHost("date +%F")).trim();
  let session: Awaited<ReturnType<typeof imap>> | undefined;
  await withErin(async () => {
    await up();
    await receive(erin, "kept", "Words.");
    session = await imap(await mailHost(), erin);
  });
  await up();
  await eventually("the session ends", 10, async () => session?.usable === false);
  const late = await (await otherSide()).send({ from: "zoe@example.net", to: erin });
  assert.equal(late.code, 550, late.response);
  assert.equal(await listed(), `${await today()} ${erin}`);
  const checked = await succeed(["check"]);
  assert.match(
    checked.stdout,
    /the mail of erin@example\.org, which was removed on \d{4}-\d\d-\d\d, is kept/,
  );

  await withErin(async () => {
    await up();
    assert.equal(await listed(), "");
    assert.equal(await count(await mailHost(), erin, "kept"), 1);
    await assert.rejects(onHost(`${program} --delete ${erin}`), /is in the stack file/);
  });

  await withStack(
    (stack) => stack.setIn(["config", "mailhost:removed"], stack.createNode({ keepDays: 90 })),
    async () => {
      await up();
      const ago = (days: number) =>
        onHost(
          `echo $(($(date +%s) - ${days} * 86400 - 60)) > /srv/removed/${erin} && systemctl start mailhost-removed.service`,
        );
      await ago(89);
      assert.match(await listed(), /erin/);
      await ago(90);
      assert.equal(await listed(), "");
      assert.equal((await onHost("ls /srv/mail/example.org")).includes("erin"), false);
      assert.equal(await count(await mailHost(), bob, "first"), 1);
    },
  );
  await up();
});
