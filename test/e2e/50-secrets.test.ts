import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cloudFolder, mailhost, onHost, stackOutput, succeed } from "./mailhost.ts";

/** Everything that must be nowhere in plain text, by what it is. */
async function secrets(): Promise<ReadonlyMap<string, string>> {
  const { credentials, ssh } = (await stackOutput()) as {
    credentials: Record<string, string>;
    ssh: { privateKey: string };
  };
  const middle = (pem: string) =>
    pem
      .trim()
      .split("\n")
      .slice(1, -1)
      .find((line) => line.length > 40) ?? "";
  const found = new Map(Object.entries(credentials));
  found.set("login key", ssh.privateKey.trim().split("\n").at(-3) ?? "");
  found.set("host key", (await onHost("tail -n 3 /etc/ssh/ssh_host_ed25519_key | head -n 1")).trim());
  const users = (await onHost("cat /etc/dovecot/users"))
    .trim()
    .split("\n")
    .filter((line) => line.includes("{"));
  for (const line of users)
    found.set(`hash of ${line.split(":")[0]}`, line.split(":")[1]?.replace(/^\{[^}]*\}/, "") ?? "");
  const dkim = await onHost(
    "cat $(find /etc/rspamd /var/lib/rspamd -name '*domainkey*' -o -name '*.key' | xargs -r ls -d | head -n 1)",
  );
  found.set("DKIM key", dkim.includes("BEGIN") ? middle(dkim) : dkim.trim());
  for (const [what, value] of found)
    assert.ok(value.length >= 20, `${what} could not be read, so nothing would be proven`);
  return found;
}

function* textsBelow(folder: string): Generator<readonly [string, string]> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield [path, readFileSync(path, "latin1")];
  }
}

test("no password, key or hash in state, backups, history, logs, output or process lists", async () => {
  const all = await secrets();
  const found: string[] = [];
  const look = (where: string, text: string) => {
    for (const [what, value] of all)
      if (text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1)))
        found.push(`${what} in ${where}`);
  };
  for (const [path, text] of textsBelow(join(cloudFolder, "pulumi"))) look(path, text);
  for (const part of ["aws", "cloudflare"])
    for (const [path, text] of textsBelow(join(cloudFolder, part))) look(path, text);
  look("daemon.log", readFileSync(join(cloudFolder, "daemon.log"), "latin1"));
  for (const args of [
    ["preview"],
    ["preview", "--diff"],
    ["preview", "--json"],
    ["up", "--yes", "--skip-preview"],
    ["stack", "output", "--json"],
    ["stack", "export"],
  ]) {
    const ran = await succeed(["pulumi", ...args]);
    look(`pulumi ${args.join(" ")}`, ran.stdout + ran.stderr);
  }
  look("check", (await mailhost(["check", "--json"])).stdout);
  look("the host's journal", await onHost("journalctl -q --no-pager"));
  look("the host's process list", await onHost("ps -eo args"));
  look(
    "the host's readable files",
    await onHost(
      "find / -xdev -type f -perm -o=r -size -1000k \\( -path '/etc/*' -o -path '/var/lib/*' -o -path '/var/log/*' -o -path '/run/*' \\) -exec cat {} + 2>/dev/null | tr -d '\\000'",
    ),
  );
  assert.deepEqual(found, []);
});

test("keys and configuration with secrets are unreadable to others", async () => {
  const open = await onHost(
    "find /etc/dovecot/users /etc/rspamd /srv/tls /etc/ssh /etc/postfix -type f \\( -name '*key' -o -name '*.pem' -o -name users -o -name 'mailboxes*' \\) -perm /o=r",
  );
  const left = open
    .trim()
    .split("\n")
    .filter((path) => path !== "" && !/fullchain\.pem$|cert.*\.pem$/.test(path));
  assert.deepEqual(left, []);
});
