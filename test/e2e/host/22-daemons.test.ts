/** The mail daemons as they are deployed: what they refuse, what they do when one of them is down. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { createTransport } from "nodemailer";
import { hostBundles } from "../../../plan/host.ts";
import { settingsWith } from "../../options/settings.ts";
import { count, mailHost, otherSide, submit, unique } from "../mail.ts";
import { onHost } from "../mailhost.ts";

const host = await mailHost();
const peer = await otherSide();

/** Says these lines one by one to a server in the clear, and gives what it answered. */
function talk(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const left = [...lines, "QUIT"];
    let [all, answer] = ["", ""];
    const socket = connect(port, host.publicIp).setEncoding("latin1").setTimeout(30_000);
    socket.on("timeout", () => socket.destroy(new Error(`no answer on ${port} after ${all}`)));
    socket.on("error", failed);
    socket.on("close", () => done(all));
    socket.on("data", (text: string) => {
      all += text;
      answer += text;
      // The last line of a reply has a space after its code (RFC 5321 section 4.2.1).
      if (!/^\d{3} .*\r\n$/m.test(answer)) return;
      answer = "";
      const next = left.shift();
      if (next !== undefined) socket.write(`${next}\r\n`);
    });
  });
}

test("port 25 demands HELO, tells nothing about users, and has no AUTH", async () => {
  const said = await talk(25, [
    "MAIL FROM:<zoe@example.net>",
    "EHLO mx.example.net",
    "AUTH PLAIN AAAA",
    "VRFY ann",
  ]);
  assert.match(said, /^220 mail\.example\.org ESMTP\r\n503 /);
  assert.match(said, /^250-STARTTLS\r$/m);
  assert.doesNotMatch(said, /^250[ -](AUTH|VRFY|ETRN)/m);
  assert.match(said, /^503 5\.5\.1 Error: authentication not enabled\r$/m);
  assert.match(said, /^502 5\.5\.1 VRFY command is disabled\r$/m);
});

test("a login takes as long for a name that nobody has as for a wrong password", async () => {
  // Processor time of the daemon that compares (proc_pid_stat(5)), in hundredths of a second: nobody else's load counts.
  const refused = async (user: string, from: string) => {
    const said = await onHost(
      `spent() { echo $(($(cut -d' ' -f14,15 /proc/$(pgrep -xo auth)/stat | tr ' ' +))); }
      before=$(spent)
      doveadm auth test -x rip=${from} ${user} wrong >/dev/null 2>&1
      echo $? $(($(spent) - before))`,
    );
    const [code, spent] = said.split(" ").map(Number);
    assert.equal(code, 77, "EX_NOPERM of sysexits(3), see doveadm-auth(1)");
    return spent ?? 0;
  };
  const known = await refused("ann@example.org", "192.0.2.21");
  assert.ok(known >= 3, `a strong hash costs more than ${known}`);
  const unknown = await refused("nobody@example.org", "192.0.2.22");
  assert.ok(unknown > known / 2 && unknown < known * 2, `${unknown} beside ${known}`);
});

test("port 25 looks at the names that a sender gives, and takes what real servers say", async () => {
  const answer = async (helo: string, from: string) => {
    const said = await talk(25, [`EHLO ${helo}`, `MAIL FROM:<${from}>`, "RCPT TO:<ann@example.org>"]);
    return said.trim().split("\r\n").at(-2) ?? "";
  };
  const zoe = "zoe@example.net";
  for (const [helo, from, expected] of [
    ["laptop", zoe, /^504 5\.5\.2 <laptop>: Helo command rejected: need fully-qualified hostname$/],
    ["not!a!name.example.net", zoe, /^501 5\.5\.2 .*: Helo command rejected: Invalid name$/],
    ["mx.example.net", "zoe", /^504 5\.5\.2 <zoe>: Sender address rejected: need fully-qualified address$/],
    ["mx.example.net", "zoe@nowhere.invalid", /^450 4\.1\.8 .*: Sender address rejected: Domain not found$/],
    // Each of these has lost somebody real mail elsewhere.
    ["[192.0.2.7]", zoe, /^250 2\.1\.5 Ok$/],
    ["mail_gateway.example.net", zoe, /^250 2\.1\.5 Ok$/],
    ["no-such-host.example.net", zoe, /^250 2\.1\.5 Ok$/],
    ["mx.example.net", "", /^250 2\.1\.5 Ok$/],
  ] as const) {
    assert.match(await answer(helo, from), expected);
  }
});

test("port 25 has no EXPN, and hangs up on who does not wait for its answers", async () => {
  assert.match(await talk(25, ["EHLO mx.example.net", "EXPN ann"]), /^500 5\.5\.2 /m);
  const impatient = await talk(25, [
    ["EHLO mx.example.net", "MAIL FROM:<zoe@example.net>", "RCPT TO:<ann@example.org>"].join("\r\n"),
  ]).catch(({ code }: NodeJS.ErrnoException) => code ?? "");
  // What was not read yet when the server hung up can take its last words along.
  assert.match(impatient, /^554 5\.5\.0 Error: SMTP protocol synchronization\r$|^ECONNRESET$/m);
  assert.doesNotMatch(impatient, /^250 2\.1/m);
  const told =
    "journalctl --sync; journalctl -q -o cat -u 'postfix*' -g 'improper command pipelining' | wc -l";
  assert.notEqual(await onHost(told), "0");
});

test("one address has twenty connections to port 25, and is asked to come again for more", async () => {
  const sockets: Socket[] = [];
  const greeting = () =>
    new Promise<string>((done, failed) => {
      const socket = connect(25, host.publicIp).setEncoding("latin1").setTimeout(30_000);
      sockets.push(socket);
      socket.on("timeout", () => socket.destroy(new Error("no greeting")));
      socket.on("error", failed);
      socket.once("data", (text: string) => done(text.trim()));
    });
  try {
    const first = await Promise.all(Array.from({ length: 20 }, greeting));
    assert.deepEqual([...new Set(first)], ["220 mail.example.org ESMTP"]);
    assert.match(await greeting(), /^421 4\.7\.0 mail\.example\.org Error: too many connections from /);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

test("port 587 does nothing before STARTTLS", async () => {
  const said = await talk(587, ["EHLO client.invalid", "AUTH PLAIN AAAA", "MAIL FROM:<ann@example.org>"]);
  assert.doesNotMatch(said, /^250[ -]AUTH/m);
  assert.equal(said.match(/^530 5\.7\.0 Must issue a STARTTLS command first\r$/gm)?.length, 2);
});

test("keys of TLS are agreed on with ML-KEM where both can; an old sender is heard all the same", async () => {
  const doors = ["465", "993", "25 -starttls smtp", "587 -starttls smtp"];
  const agreed = await onHost(
    `for door in ${doors.map((door) => `'${door}'`).join(" ")}; do
       openssl s_client -connect 127.0.0.1:$door -groups X25519MLKEM768:X25519 </dev/null 2>/dev/null
     done | sed -n 's/^Negotiated TLS1.3 group: //p'`,
  );
  assert.deepEqual(
    agreed.trim().split("\n"),
    doors.map(() => "X25519MLKEM768"),
  );
  const old = await onHost(
    `openssl s_client -connect 127.0.0.1:25 -starttls smtp -tls1_2 -groups P-256 -brief \
       -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA </dev/null 2>&1`,
  );
  assert.match(old, /^Protocol version: TLSv1\.2$/m);
});

function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((done, failed) => {
    const socket = connectTls({
      host: host.publicIp,
      port,
      servername: host.hostname,
      ca: [...host.roots],
      ...options,
    });
    socket.setTimeout(30_000, () => socket.destroy(new Error("no handshake in 30 seconds")));
    socket.on("error", failed);
    socket.on("secureConnect", () => {
      done(`${socket.getProtocol()} ${socket.getCipher().name}`);
      socket.destroy();
    });
  });
}

for (const port of [465, 993])
  test(`port ${port} speaks TLS 1.2 and 1.3 with AEAD ciphers, and nothing older`, async () => {
    assert.match(await handshake(port, {}), /^TLSv1\.3 /);
    assert.match(await handshake(port, { maxVersion: "TLSv1.2" }), /^TLSv1\.2 .*(GCM|CHACHA20)/);
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await assert.rejects(handshake(port, old), /alert|reset|closed|unsupported/i);
    const cbc = "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA";
    await assert.rejects(handshake(port, { maxVersion: "TLSv1.2", ciphers: cbc }), /alert/i);
  });

test("a large message goes out and is delivered, one over 50 MiB is refused", async () => {
  const subject = unique("large");
  const transport = createTransport({
    host: host.publicIp,
    port: 465,
    secure: true,
    auth: { user: "ann@example.org", pass: host.credentials["ann@example.org"] ?? "" },
    tls: { servername: host.hostname, ca: [...host.roots] },
  });
  const letter = (mebibytes: number) => ({
    from: "ann@example.org",
    to: "bob@example.org",
    subject,
    attachments: [{ filename: "film", content: randomBytes(mebibytes * 1024 * 1024) }],
  });
  try {
    await transport.sendMail(letter(36));
    await assert.rejects(transport.sendMail(letter(39)), /552 5\.3\.4/);
  } finally {
    transport.close();
  }
  assert.equal(await count(host, "bob@example.org", subject, { seconds: 60 }), 1);
});

test("mail from outside in our own name goes to Junk, read", async () => {
  const subject = unique("forged");
  const sent = await peer.send({ from: "boss@example.org", to: "bob@example.org", sign: false, subject });
  assert.ok(sent.accepted, sent.response);
  assert.equal(await count(host, "bob@example.org", subject, { folder: "Junk" }), 1);
});

test("mail against its domain's DMARC policy of reject is refused", async () => {
  // Neither signed nor from the domain's own address by SPF: the HELO name and the envelope are somebody else's.
  const sent = await peer.send({
    from: `zoe@${peer.domain}`,
    envelopeFrom: "ann@example.org",
    to: "bob@example.org",
    sign: false,
  });
  assert.equal(Math.floor(sent.code / 100), 5, sent.response);
});

/** Runs the body while a service is stopped. */
async function without(service: string, body: () => Promise<void>): Promise<void> {
  await onHost(`systemctl stop ${service}`);
  try {
    await body();
  } finally {
    await onHost(`systemctl start ${service}`);
  }
}

test("without rspamd nothing comes in and nothing goes out: both are asked to try again", async () => {
  await without("rspamd", async () => {
    const sent = await peer.send({ from: `zoe@${peer.domain}`, to: "bob@example.org" });
    assert.equal(Math.floor(sent.code / 100), 4, sent.response);
    await assert.rejects(submit(host, { from: "ann@example.org", to: "bob@example.org" }), /\b4\d\d\b/);
  });
});

test("without DNS a message is neither accepted nor refused, with or without a sender", async () => {
  await without("unbound", async () => {
    for (const envelopeFrom of [`zoe@${peer.domain}`, ""]) {
      const sent = await peer.send({ from: `zoe@${peer.domain}`, envelopeFrom, to: "bob@example.org" });
      assert.equal(Math.floor(sent.code / 100), 4, sent.response);
    }
  });
});

test("without Redis mail flows on", async () => {
  const subject = unique("no memory");
  await without("redis-server", async () => {
    const sent = await peer.send({ from: `zoe@${peer.domain}`, to: "bob@example.org", subject });
    assert.ok(sent.accepted, sent.response);
    assert.equal(await count(host, "bob@example.org", subject), 1);
  });
});

test("without Dovecot mail waits in the queue, and is delivered when it is back", async () => {
  const subject = unique("asleep");
  await without("dovecot", async () => {
    const sent = await peer.send({ from: `zoe@${peer.domain}`, to: "bob@example.org", subject });
    assert.ok(sent.accepted, sent.response);
  });
  await onHost("postqueue -f");
  assert.equal(await count(host, "bob@example.org", subject), 1);
});

test("mail that cannot be signed with both keys does not go out unsigned", async () => {
  const key = (await onHost("ls /etc/rspamd/dkim/*e._domainkey.example.org.key")).trim();
  await onHost(`mv ${key} ${key}.away && systemctl restart rspamd`);
  try {
    await assert.rejects(
      submit(host, { from: "ann@example.org", to: "bob@example.org" }),
      /451 4\.7\.1 This message could not be signed/,
    );
  } finally {
    await onHost(`mv ${key}.away ${key} && systemctl restart rspamd`);
  }
});

const mistakes = [
  ["a misspelt parameter", "main.cf", "s/^biff/bifff/", /main\.cf:\d+:bifff/],
  ["a line without =", "main.cf", "s/^biff =/biff/", /main\.cf, line \d+/],
  [
    "a value of the wrong kind",
    "main.cf",
    "s/^smtpd_tls_auth_only = yes/smtpd_tls_auth_only = maybe/",
    /main\.cf:\d+:smtpd_tls_auth_only = maybe/,
  ],
  [
    "a restriction that does not exist",
    "main.cf",
    "s/reject_unlisted_recipient/reject_unlistet_recipient/",
    /main\.cf:\d+:.*reject_unlistet_recipient/,
  ],
  [
    "a table of an unknown type",
    "main.cf",
    "s/mailbox_maps = lmdb/mailbox_maps = lmbd/",
    /main\.cf:\d+:.*lmbd/,
  ],
  [
    "a table that is not there",
    "main.cf",
    "s/postfix\\/domains/postfix\\/domain/",
    /main\.cf:\d+:.*domain$/m,
  ],
  [
    "a misspelt option of a service",
    "master.cf",
    "s/smtpd_helo_restrictions/smtpd_hello_restrictions/",
    /master\.cf:\d+:.*smtpd_hello/,
  ],
  ["a service with a field too few", "master.cf", "s/^pickup .*/pickup unix n/", /master\.cf: line \d+/],
  [
    "a pattern that does not parse",
    "submission-headers",
    "s/^.^Received:. /\\/^Received(:\\/ /",
    /line \d+: error/,
  ],
] as const;

/** What the check says to each mistake, made in a copy that stands in for the folder: Postfix itself sees none. */
let verdicts: Promise<readonly string[]> | undefined;
function judgeMistakes(): Promise<readonly string[]> {
  verdicts ??= (async () => {
    const judge = mistakes.map(
      ([, path, edit]) => `cp -a /run/check-test/as-deployed/. /etc/postfix/
sed -i "${edit}" /etc/postfix/${path}
/etc/postfix/check 2>&1 && echo NO COMPLAINT
echo ======`,
    );
    const script = `mkdir -p /run/check-test/copy
cp -a /etc/postfix /run/check-test/as-deployed
mount --bind /run/check-test/copy /etc/postfix
${judge.join("\n")}`;
    const said = await onHost(`trap "rm -rf /run/check-test" EXIT; unshare --mount sh -c '${script}'`);
    return said.split("======\n");
  })();
  return verdicts;
}

for (const [index, [what, , , complaint]] of mistakes.entries())
  test(`Postfix's check refuses ${what}, and says where`, async () => {
    assert.match((await judgeMistakes())[index] ?? "", complaint);
  });

test("the configuration as deployed passes every daemon's check without a word", async () => {
  const checks = new Set(hostBundles(settingsWith({})).flatMap(({ validate }) => validate));
  for (const daemon of ["postfix", "doveconf", "rspamadm", "unbound-checkconf", "nft", "sshd"])
    assert.ok(
      [...checks].some((check) => check.includes(daemon)),
      daemon,
    );
  for (const check of checks) {
    const said = await onHost(`${check} 2>&1`);
    // rspamd's own servers of fuzzy hashes are not in the small internet.
    const words = said.replaceAll(/^(address resolution for fuzzy.*|cannot read servers definition)\n/gm, "");
    assert.match(words, /^((syntax OK|unbound-checkconf: no errors in .*)\n)?$/, check);
  }
});
