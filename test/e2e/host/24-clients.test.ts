/** Mail programs that are not ours: swaks, and what Python's libraries make of SMTP and IMAP. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ensurePackages } from "../../../local/prerequisites.ts";
import { run } from "../../../local/run.ts";
import { count, mailHost, unique } from "../mail.ts";

const host = await mailHost();
const user = "carol@example.com";
const folder = mkdtempSync(join(tmpdir(), "mailhost-clients-"));
after(() => rmSync(folder, { recursive: true }));
before(() =>
  ensurePackages([
    { what: "python3", package: "python3", why: "is a mail program of the tests" },
    { what: "swaks", package: "swaks", why: "is a mail program of the tests" },
    {
      what: "/usr/share/perl5/Authen/SASL.pm",
      package: "libauthen-sasl-perl",
      why: "lets swaks log in",
    },
    {
      what: "/usr/share/doc/libnet-ssleay-perl/copyright",
      package: "libnet-ssleay-perl",
      why: "gives swaks TLS",
    },
  ]),
);

for (const port of [465, 587])
  test(`swaks logs in on ${port} and sends; with a wrong password it is refused`, async () => {
    const subject = unique(`swaks ${port}`);
    const file = join(folder, `swaks-${port}`);
    const swaks = (password: string) => {
      const options = [
        `server ${host.publicIp}`,
        `port ${port}`,
        port === 465 ? "tls-on-connect" : "tls",
        "auth PLAIN",
        `auth-user ${user}`,
        `auth-password ${password}`,
        "helo client.invalid",
        `from ${user}`,
        "to bob@example.org",
        `header Subject: ${subject}`,
      ];
      writeFileSync(file, options.map((option) => `--${option}\n`).join(""), { mode: 0o600 });
      return run("swaks", ["--config", file]);
    };
    assert.match(await swaks(host.credentials[user] ?? ""), /^<~ +250 2\.0\.0 Ok: queued as /m);
    assert.equal(await count(host, "bob@example.org", subject), 1);
    await assert.rejects(swaks("wrong"), /No authentication type succeeded$/);
  });

/** What the program has to know, on its standard input: a password belongs on no command line. */
const python = (what: "session" | "load", more: object = {}) =>
  run("python3", [join(import.meta.dirname, "../pythons.py"), what], {
    input: JSON.stringify({
      address: host.publicIp,
      hostname: host.hostname,
      roots: host.roots,
      user,
      password: host.credentials[user],
      ...more,
    }),
  });

test("Python's smtplib and imaplib send, find, flag and move", async () => {
  await python("session");
});

test("ten sessions do everything at random to one folder, and agree on what is left", async (t) => {
  const left = await python("load", { sessions: 10, steps: 40 });
  t.diagnostic(`${left.trim()} messages are left of 400 steps`);
});
