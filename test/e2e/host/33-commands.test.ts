/** The command line, as somebody uses it who never opens the stack file: a mailbox comes, is used, gets another password, and goes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Message } from "../../../cli/messages/messages.ts";
import type { Waiting } from "../../../cli/queueLines.ts";
import { eventually } from "../../eventually.ts";
import { line } from "../../terminal.ts";
import { count, imap, mailHost, otherSide, submit } from "../mail.ts";
import {
  answered,
  checkout,
  going,
  keepStackText,
  mailhost,
  onHost,
  stackOutput,
  stackText,
  succeed,
  typed,
} from "../mailhost.ts";
import { answer, waiting } from "../sending.ts";

const address = "dora@example.org";
const cli = (...words: readonly string[]) => succeed(["mailhost", ...words]);
const password = async () =>
  ((await stackOutput()).credentials as Readonly<Record<string, string>>)[address] ??
  assert.fail("no password");

test("at a terminal, a change is told in words before it is asked for; who says no has touched nothing", () => {
  const before = stackText();
  const { code, shown } = answered(
    ["mailbox", "add", address],
    ["Write Pulumi.dev.yaml, and bring it up? [y] both, [f] the file alone, [N] neither: ", line("")],
  );
  assert.equal(code, 1, shown);
  assert.match(shown, /^\+ {9}dora: \{\}$[\s\S]*^dev: [\s\S]*^What happens\n- .*dora@example\.org/m);
  assert.match(shown, /Nothing was touched\.\s*$/);
  assert.equal(stackText(), before);
});

test("a mailbox is added by a command: one line of the file, one up, and its login works", async () => {
  const before = stackText();
  const shown = await cli("mailbox", "add", address, "--dry-run", "--json");
  const { preview, written } = JSON.parse(shown.stdout) as {
    preview: readonly { op: string; name: string }[];
    written: boolean;
  };
  assert.equal(written, false);
  assert.equal(stackText(), before);
  const steps = preview
    .map(({ op, name }) => `${op} ${name}`)
    .filter((step) => !step.endsWith(" mailhost-dev"));
  assert.deepEqual(steps.toSorted(), [`create accounts-${address}`, "update host-accounts-secrets"]);

  const { stdout } = await cli("mailbox", "add", address, "--yes");
  assert.match(stdout, /^Its password, .*: npx mailhost password dora@example\.org$/m);
  assert.match(stdout, /^Pulumi\.dev\.yaml: adds the mailbox dora@example\.org\n[\s\S]*^\+ {9}dora: \{\}$/m);
  assert.equal(stackText(), before.replace("        bob: {}\n", "        bob: {}\n        dora: {}\n"));
  const host = await mailHost();
  await (await imap(host, address)).logout();
  await submit(host, { from: address, to: "ann@example.org", subject: "from dora" });
  await submit(host, { from: "ann@example.org", to: address, subject: "to dora" });
  assert.equal(await count(host, address, "to dora"), 1);
});

test("its password is shown at a terminal, or where that was asked for, and nowhere else", async () => {
  const secret = await password();
  const hidden = await cli("password", address);
  assert.doesNotMatch(hidden.stdout + hidden.stderr, new RegExp(secret));
  const told = JSON.parse((await cli("password", address, "--show", "--json")).stdout) as {
    password: string;
    incoming: { host: string };
  };
  assert.deepEqual([told.password, told.incoming.host], [secret, "mail.example.org"]);
  assert.match(answered(["password", address]).shown, new RegExp(`^password +${secret}$`, "m"));
});

test("what becomes of a message is followed in a line as it comes, and told whole by its id", async () => {
  const host = await mailHost();
  const follow = going(["logs", "--follow", "--mailbox", address, "--since", "now"]);
  let id = "";
  try {
    // Only what comes after the follower has come is its news.
    await eventually("the line comes", 30, async () => {
      const { messageId } = await submit(host, { from: address, to: "ann@example.org", subject: "followed" });
      id = messageId;
      return await eventually("it", 5, () =>
        /^.* dora@example\.org → ann@example\.org: in INBOX .*$/m.test(follow.said()),
      );
    });
  } finally {
    assert.equal(await follow.interrupt(), 0);
  }
  assert.match(
    follow.said(),
    /\(spam score 0 of 15: no spam; login dora@example\.org at 203\.0\.113\.1; \w+\)$/m,
  );
  const { stdout } = await cli("trace", id);
  assert.match(stdout, /^\S+ {2}dora@example\.org has logged in at 203\.0\.113\.1, and sends it$/m);
  assert.match(stdout, /^So: ann@example\.org: in INBOX\.$/m);
  const logged = JSON.parse((await cli("logs", "--mailbox", address, "--json")).stdout) as readonly Message[];
  assert.ok(logged.some(({ messageId, isOver }) => `<${messageId}>` === id && isOver));
  const nothing = await mailhost(["mailhost", "trace", "nobody@example.net"]);
  assert.deepEqual([nothing.code, nothing.stdout], [1, ""]);
});

test("what waits is shown with its reason, tried again at a word, and deleted only by another", async () => {
  const host = await mailHost();
  const isWaiting = (count: number) =>
    eventually(`${count} wait`, 20, async () => (await waiting()) === count);
  const shown = async () => JSON.parse((await cli("queue", "--json")).stdout) as readonly Waiting[];
  await answer({ mode: "defer", to: "later@example.net" });
  try {
    const { messageId } = await submit(host, { from: address, to: "later@example.net", subject: "late" });
    const [late = assert.fail()] = await eventually("it waits", 20, async () => {
      const all = (await shown()).filter(({ nextTry }) => nextTry !== undefined);
      return all.length === 1 && all;
    });
    assert.equal(late.from, address);
    assert.ok(Date.parse(late.nextTry ?? "") > Date.parse(late.since));
    assert.deepEqual(
      late.recipients.map(({ to, why }) => [to, /said: 450 /.test(why ?? "")]),
      [["later@example.net", true]],
    );
    const refused = await mailhost(["mailhost", "queue", "remove", late.queueId]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /add: --yes/);
    const asked = answered(["queue", "remove", late.queueId], ["Delete it for good? [y/N] ", line("n")]);
    assert.equal(asked.code, 1, asked.shown);
    assert.equal(await waiting(), 1);

    await answer({ mode: "accept" });
    await cli("queue", "retry", late.queueId);
    assert.ok(await (await otherSide()).waitFor(messageId, 30), "it did not come");
    await isWaiting(0);

    await answer({ mode: "defer", to: "later@example.net" });
    const { response } = await submit(host, {
      from: address,
      to: "later@example.net",
      subject: "never",
    });
    const never = /queued as (\w+)/.exec(response)?.[1] ?? assert.fail(response);
    await isWaiting(1);
    assert.match((await cli("queue", "remove", never, "--yes")).stdout, / is removed\.$/m);
    assert.equal(await waiting(), 0);
    assert.match((await cli("trace", never)).stdout, /^So: later@example\.net: deleted while it waited/m);
  } finally {
    await answer({ mode: "accept" });
  }
});

test("who leaves takes the mail along as a tar that others read, with all that a new host wants to know", async () => {
  const folder = mkdtempSync(join(tmpdir(), "leave-"));
  try {
    const { stdout } = await cli("leave", "--to", folder);
    assert.match(stdout, /^dora@example\.org: \d+ messages?, /m);
    assert.match(stdout, /Nothing was taken away by this command\.$/m);
    execFileSync("tar", ["-C", folder, "-xf", join(folder, "mail/example.org/dora.tar")]);
    const inbox = readdirSync(join(folder, "Maildir/new")).map((name) =>
      readFileSync(join(folder, "Maildir/new", name), "utf8"),
    );
    const seen = readdirSync(join(folder, "Maildir/cur")).map((name) =>
      readFileSync(join(folder, "Maildir/cur", name), "utf8"),
    );
    assert.equal([...inbox, ...seen].filter((message) => /^Subject: to dora$/m.test(message)).length, 1);
    assert.match(readFileSync(join(folder, "mailboxes.csv"), "utf8"), /^dora@example\.org,,no,$/m);
    assert.match(readFileSync(join(folder, "aliases.csv"), "utf8"), /^sales@example\.org,bob@example\.org$/m);
    assert.match(
      readFileSync(join(folder, "dns/example.org.zone"), "utf8"),
      /^@ \d+ IN MX 10 mail\.example\.org\.$/m,
    );
    const again = await mailhost(["mailhost", "leave", "--to", folder, "--no-mail"]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /has something in it/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("it gets another generated password, then one of somebody's choice, which is nowhere in the open", async () => {
  const first = await password();
  await cli("mailbox", "passwd", address, "--yes");
  const second = await password();
  assert.notEqual(second, first);
  const host = await mailHost();
  await (await imap(host, address, second)).logout();
  await assert.rejects(imap(host, address, first), /cannot log in/);

  const chosen = "correct horse battery";
  await succeed(["mailhost", "mailbox", "passwd", address, "--ask", "--yes"], { input: `${chosen}\n` });
  assert.match(stackText(), /^ {8}dora:\n {10}passwordHash: \{ secure: "?v1:[^\s"]+"? \}$/m);
  await (await imap(host, address, chosen)).logout();
  await assert.rejects(imap(host, address, second), /cannot log in/);
  // Pulumi's history has a copy of the file.
  assert.doesNotMatch(await typed("grep -rl 'correct horse' . --include='Pulumi.*' || true"), /./);
  const listed = JSON.parse((await cli("mailbox", "list", "--json")).stdout) as readonly {
    address: string;
    password: string;
  }[];
  assert.equal(listed.find((one) => one.address === address)?.password, "of its own");
});

test("where a stack is in several files, the preview is of what would stand in them, and nothing is written", async () => {
  const part = join(checkout, "more.mailboxes.yaml");
  const before = stackText();
  const more =
    "config: { mailhost:domains: { example.com: { mailboxes: { gert: { suspended: true } } } } }\n";
  writeFileSync(part, more);
  try {
    keepStackText(before.replace("config:\n", "config:\n  mailhost:parts: more.mailboxes.yaml\n"));
    const { stdout } = await cli("mailbox", "add", "frida@example.com", "--dry-run", "--json");
    const { file, preview } = JSON.parse(stdout) as {
      file: string;
      preview: readonly { op: string; name: string }[];
    };
    assert.equal(file, "more.mailboxes.yaml");
    assert.deepEqual(preview.flatMap(({ op, name }) => (op === "create" ? [name] : [])).toSorted(), [
      "accounts-frida@example.com",
      "accounts-gert@example.com",
    ]);
    assert.equal(readFileSync(part, "utf8"), more);
  } finally {
    keepStackText(before);
    rmSync(part);
  }
});

test("it is suspended and resumed, and an alias leads to it", async () => {
  const host = await mailHost();
  await cli("mailbox", "suspend", address, "--file-only");
  await cli("alias", "add", "post@example.org", address, "--yes");
  await assert.rejects(imap(host, address, "correct horse battery"), /cannot log in/);
  await submit(host, { from: "ann@example.org", to: "post@example.org", subject: "by the alias" });
  // While an alias leads to it, it cannot go: nothing is written.
  const before = stackText();
  const refused = await mailhost(["mailhost", "mailbox", "remove", address, "--yes", "--confirm", address]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /mailhost:domains\.example\.org\.aliases\.post/);
  assert.equal(stackText(), before);
  await cli("alias", "remove", "post@example.org", "--file-only");
  await cli("mailbox", "resume", address, "--yes");
  assert.equal(await count(host, address, "by the alias", { password: "correct horse battery" }), 1);
});

test("with mail in it, it goes only where it is named again; a file that is open is left alone", async () => {
  const before = stackText();
  const refused = await mailhost(["mailhost", "mailbox", "remove", address, "--yes"]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /The host has \d+ messages of dora@example\.org\. .* add: --confirm dora@example\.org/,
  );
  assert.equal(stackText(), before);

  const swap = join(checkout, ".Pulumi.dev.yaml.kate-swp");
  writeFileSync(swap, "");
  const busy = await mailhost(["mailhost", "mailbox", "remove", address, "--yes", "--confirm", address]);
  assert.equal(busy.code, 3, busy.stderr);
  assert.equal(stackText(), before);
  await typed(`rm '${swap}'`);

  await cli("mailbox", "remove", address, "--yes", "--confirm", address);
  await assert.rejects(imap(await mailHost(), address, "correct horse battery"), /cannot log in/);
  assert.match(await onHost("/usr/local/lib/mailhost/removed"), /dora@example\.org/);
  await onHost("/usr/local/lib/mailhost/removed --delete dora@example.org");
  assert.doesNotMatch(stackText(), /dora/);
  keepStackText(stackText());
});
