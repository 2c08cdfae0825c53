/** Mail programs that are not ours: swaks, mutt, and what Python's libraries make of SMTP and IMAP. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { ensurePackages } from "../../../local/prerequisites.ts";
import { run } from "../../../local/run.ts";
import { count, mailHost, unique } from "../mail.ts";
import { scratchFiles, seeing } from "../scratch.ts";

const host = await mailHost();
const user = "carol@example.com";
const path = scratchFiles();
before(() =>
  ensurePackages([
    { what: "python3", package: "python3", why: "is a mail program of the tests" },
    { what: "swaks", package: "swaks", why: "is a mail program of the tests" },
    { what: "mutt", package: "mutt", why: "is a mail program of the tests" },
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
      const config = path(`swaks-${port}`, options.map((option) => `--${option}\n`).join(""));
      return run("swaks", ["--config", config]);
    };
    assert.match(await swaks(host.credentials[user] ?? ""), /^<~ +250 2\.0\.0 Ok: queued as /m);
    assert.equal(await count(host, "bob@example.org", subject), 1);
    await assert.rejects(swaks("wrong"), /No authentication type succeeded$/);
  });

test("mutt sends, keeps a copy, and moves what it got to another folder", async () => {
  const subject = unique("mutt");
  const hosts = path("hosts", `127.0.0.1 localhost\n${host.publicIp} ${host.hostname}\n`);
  const settings = {
    from: user,
    envelope_from: "yes",
    hostname: "client.invalid",
    smtp_url: `smtps://${user}@${host.hostname}:465/`,
    smtp_pass: host.credentials[user] ?? "",
    folder: `imaps://${user}@${host.hostname}/`,
    imap_user: user,
    imap_pass: host.credentials[user] ?? "",
    spoolfile: "+INBOX",
    record: "+Sent",
    ssl_force_tls: "yes",
    certificate_file: path("roots.pem", host.roots.join("\n")),
    confirmappend: "no",
    confirmcreate: "no",
    delete: "yes",
    quit: "yes",
    move: "no",
  };
  const lines = Object.entries(settings).map(([name, value]) => `set ${name} = "${value}"\n`);
  const config = path("muttrc", lines.join(""));
  // The host's name leads to its address as it would in the world's DNS.
  const named = (command: readonly string[], input = "") =>
    seeing({ "/etc/hosts": hosts }, command, { input, env: { ...process.env, TERM: "xterm" } });
  await named(["mutt", "-F", config, "-s", subject, "--", user], "Words, and Grüße.\n");
  assert.equal(await count(host, user, subject), 1);
  assert.equal(await count(host, user, subject, { folder: "Sent" }), 1);
  const keys = path("keys", `push "l~s '${subject}'<enter><save-message>=Archive<enter><quit>"\n`);
  await named(["script", "-qec", `mutt -F ${config} -e "source ${keys}"`, "/dev/null"]);
  assert.equal(await count(host, user, subject, { folder: "Archive" }), 1);
  assert.equal(await count(host, user, subject, { expected: 0 }), 0);
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
