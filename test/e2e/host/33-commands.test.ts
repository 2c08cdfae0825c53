/** The command line, as somebody uses it who never opens the stack file: a mailbox comes, is used, gets another password, and goes. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { count, imap, mailHost, submit } from "../mail.ts";
import {
  checkout,
  keepStackText,
  mailhost,
  onHost,
  stackOutput,
  stackText,
  succeed,
  typed,
} from "../mailhost.ts";

const address = "dora@example.org";
const cli = (...words: readonly string[]) => succeed(["mailhost", ...words]);
const password = async () =>
  ((await stackOutput()).credentials as Readonly<Record<string, string>>)[address] ??
  assert.fail("no password");

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
  assert.match(stdout, /^Pulumi\.dev\.yaml: adds the mailbox dora@example\.org\n[\s\S]*^\+ {9}dora: \{\}$/m);
  assert.equal(stackText(), before.replace("        bob: {}\n", "        bob: {}\n        dora: {}\n"));
  const host = await mailHost();
  await (await imap(host, address)).logout();
  await submit(host, { from: address, to: "ann@example.org", subject: "from dora" });
  await submit(host, { from: "ann@example.org", to: address, subject: "to dora" });
  assert.equal(await count(host, address, "to dora"), 1);
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
