import assert from "node:assert/strict";
import { test } from "node:test";
import { mailhost, onHost, up, withStack } from "../mailhost.ts";
import { noneIsFound, secrets } from "../secrets.ts";

/** The hash that an owner brought from an old host, in the environment as docs/deploying.md says. */
const brought = `$6$mailhosttests$${"brought.from.an.old.host".padEnd(86, "x")}`;

/** What stands in the way makes the step fail that has the hashes on its standard input. */
async function failingStep(): Promise<string> {
  const users = "/etc/dovecot/users";
  await onHost(`mv ${users} ${users}.away && mkdir -p ${users}/in-the-way`);
  const failed = await mailhost([
    ...["pulumi", "up", "--yes", "--skip-preview"],
    ...["--replace", "**::host-accounts-secrets"],
  ]);
  await onHost(`rm -r ${users} && mv ${users}.away ${users}`);
  const said = failed.stdout + failed.stderr;
  assert.notEqual(failed.code, 0);
  assert.match(said, /host-accounts-secrets/);
  return said;
}

test("no password, key or hash in state, backups, history, logs, output or process lists", async () => {
  process.env.OLD_HASH = brought;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
  const old = { passwordHash: "${OLD_HASH}" };
  await withStack(
    (stack) =>
      stack.setIn(["config", "mailhost:domains", "example.org", "mailboxes", "old"], stack.createNode(old)),
    async () => {
      await up();
      await noneIsFound(new Map([...(await secrets()), ["the owner's hash", brought]]), failingStep);
    },
  );
  await up();
});

test("keys and configuration with secrets are unreadable to others", async () => {
  const found = await onHost(
    "find -L /etc/dovecot/users /etc/rspamd /srv/tls /etc/ssh /etc/postfix -type f \\( -name '*key' -o -name '*.pem' -o -name users -o -name 'mailboxes*' \\) -printf '%m %p\\n'",
  );
  const files = found
    .trim()
    .split("\n")
    .filter((line) => !/fullchain\.pem$|cert.*\.pem$/.test(line));
  for (const path of ["/etc/dovecot/users", "/srv/tls/privkey.pem", "/etc/ssh/ssh_host_ed25519_key"])
    assert.ok(
      files.some((line) => line.endsWith(` ${path}`)),
      path,
    );
  assert.deepEqual(
    files.filter((line) => !/^\d*0 /.test(line)),
    [],
  );
});
