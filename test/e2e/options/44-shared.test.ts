/** Folders that one user lets another see, by IMAP's access rights. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rawImap } from "../imapSession.ts";
import { mailHost } from "../mail.ts";

const host = await mailHost();
const [ann, bob, carol] = ["ann@example.org", "bob@example.org", "carol@example.com"];

const folders = (listed: string) =>
  listed
    .split("\n")
    .filter((line) => line.startsWith("* LIST"))
    .map((line) => / "\/" "?([^"]+)"?$/.exec(line)?.[1])
    .filter((name) => name?.startsWith("Shared"));

/** Sends a message, as a literal that the server does not have to ask for (RFC 7888). */
const letter = (text: string) => {
  const message = `Subject: shared\r\n\r\n${text}\r\n`;
  return `{${message.length}+}\r\n${message}`;
};

test("a user shares a folder with one other: who sees it, who may do what, and until when", async (t) => {
  const owner = await rawImap(host, ann, t);
  assert.match(await owner.command("CAPABILITY"), / ACL /);
  const name = `Plans${Date.now()}`;
  const shared = `Shared/${ann}/${name}`;
  await owner.command(`CREATE ${name}`);
  await owner.command(`APPEND ${name} ${letter("A garden with elephants.")}`);

  const before = await rawImap(host, bob, t);
  assert.deepEqual(folders(await before.command('LIST "" "*"')), []);
  await assert.rejects(before.command(`SELECT "${shared}"`));

  await owner.command(`SETACL ${name} ${bob} lrs`);
  assert.match(await owner.command(`GETACL ${name}`), new RegExp(`"?${bob}"? lrs`));
  const reader = await rawImap(host, bob, t);
  assert.ok(folders(await reader.command('LIST "" "*"')).includes(shared));
  await reader.command(`SELECT "${shared}"`);
  assert.match(await reader.command("FETCH 1 BODY.PEEK[TEXT]"), /A garden with elephants\./);
  assert.match(await reader.command("SEARCH BODY elephant"), /^\* SEARCH 1$/m);
  // What one has read the other has not.
  await reader.command("STORE 1 +FLAGS (\\Seen)");
  await owner.command(`SELECT ${name}`);
  assert.match(await owner.command("SEARCH UNSEEN"), /^\* SEARCH 1$/m);
  // To read is not to write or to delete.
  await assert.rejects(reader.command(`APPEND "${shared}" ${letter("No.")}`), /NO|NOPERM/);
  // Dovecot ends a session that wants its open folder deleted, also where it refuses.
  await reader.command("UNSELECT");
  await assert.rejects(reader.command(`DELETE "${shared}"`), /NO/);
  await assert.rejects(reader.command(`SETACL "${shared}" ${bob} lrswipkxtea`), /NO/);

  await owner.command(`SETACL ${name} ${bob} lrsi`);
  const writer = await rawImap(host, bob, t);
  await writer.command(`APPEND "${shared}" ${letter("Yes.")}`);
  assert.match(await owner.command("NOOP"), /^\* 2 EXISTS$/m);

  // Nobody else sees it, nor anything else of the owner's.
  const other = await rawImap(host, carol, t);
  assert.deepEqual(folders(await other.command('LIST "" "*"')), []);
  await assert.rejects(other.command(`SELECT "${shared}"`));
  await assert.rejects(writer.command(`SELECT "Shared/${ann}/INBOX"`));

  await owner.command(`DELETEACL ${name} ${bob}`);
  const late = await rawImap(host, bob, t);
  assert.equal(folders(await late.command('LIST "" "*"')).includes(shared), false);
  await assert.rejects(late.command(`SELECT "${shared}"`));
  await owner.command(`DELETE ${name}`);
});
