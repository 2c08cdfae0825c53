import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { sealMessage } from "mailauth";
import { eventually } from "../../eventually.ts";
import { unexplained } from "../logs.ts";
import { count, imap, mailHost, otherSide, received, submit, unique } from "../mail.ts";
import { askAnew, cloudFolder, cloudInfo, onHost, publish, publishAs } from "../mailhost.ts";
import { answer, queueIsEmpty, waiting } from "../sending.ts";

const host = await mailHost();
const peer = await otherSide();

for (const port of [465, 587] as const) {
  test(`a message by ${port} is pass, pass, pass at the other side, signed with both keys`, async () => {
    const { messageId } = await submit(host, { from: "ann@example.org", to: "zoe@example.net", port });
    const received = await peer.waitFor(messageId, 30);
    assert.ok(received, "it did not come");
    assert.equal(received.verdict.spf.result, "pass");
    assert.equal(received.verdict.dmarc.result, "pass");
    assert.deepEqual(
      received.verdict.dkim
        .map(({ result, algorithm, domain, aligned }) => ({ result, algorithm, domain, aligned }))
        .sort((a, b) => a.algorithm.localeCompare(b.algorithm)),
      [
        { result: "pass", algorithm: "ed25519-sha256", domain: "example.org", aligned: true },
        { result: "pass", algorithm: "rsa-sha256", domain: "example.org", aligned: true },
      ],
    );
    assert.equal(received.client.helo, "mail.example.org");
    assert.deepEqual(received.client.ptr, ["mail.example.org"]);
    assert.match(received.tls?.version ?? "", /^TLSv1\.[23]$/);
  });
}

test("each domain signs as itself", async () => {
  const { messageId } = await submit(host, { from: "carol@example.com", to: "zoe@example.net" });
  const received = await peer.waitFor(messageId, 30);
  assert.deepEqual(
    received?.verdict.dkim.map(({ result, domain }) => [result, domain]),
    [
      ["pass", "example.com"],
      ["pass", "example.com"],
    ],
  );
});

const arrived: [inbox: string, subject: string][] = [];
for (const [to, inbox] of [
  ["ann@example.org", "ann@example.org"],
  ["Ann@Example.ORG", "ann@example.org"],
  ["ann+news@example.org", "ann@example.org"],
  ["sales@example.org", "bob@example.org"],
  ["sales+march@example.org", "bob@example.org"],
  ["info@example.org", "ann@example.org"],
  ["info@example.org", "bob@example.org"],
  ["postmaster@example.org", "ann@example.org"],
  ["abuse@example.com", "ann@example.org"],
  ["carol@example.com", "carol@example.com"],
  ["carol+tag@example.com", "carol@example.com"],
  ["anything.at.all@example.com", "carol@example.com"],
  ["postmaster@mail.example.org", "ann@example.org"],
] as const) {
  test(`mail for ${to} reaches ${inbox}`, async () => {
    const subject = unique(`to ${to}`);
    const sent = await peer.send({ from: "zoe@example.net", to, subject });
    assert.ok(sent.accepted, sent.response);
    assert.equal(await count(host, inbox, subject), 1);
    arrived.push([inbox, subject]);
  });
}

test("each of these came once", async () => {
  await eventually("the queue is empty", 30, async () => (await waiting()) === 0);
  for (const [inbox, subject] of arrived)
    assert.equal(await count(host, inbox, subject, { seconds: 0 }), 1, subject);
});

test("mail for root, as cron sends it, reaches the owner", async () => {
  const subject = unique("cron");
  await onHost(`printf 'Subject: ${subject}\\n\\nbody\\n' | sendmail root`);
  assert.equal(await count(host, "ann@example.org", subject), 1);
});

test("what the machine itself sends is signed too", async () => {
  const subject = unique("machine");
  await onHost(`printf 'Subject: ${subject}\\nTo: zoe@example.net\\n\\nbody\\n' | sendmail zoe@example.net`);
  const since = new Date(Date.now() - 60_000).toISOString();
  let found: Awaited<ReturnType<typeof peer.messages>>[number] | undefined;
  for (let attempt = 0; attempt < 60 && found === undefined; attempt += 1) {
    found = (await peer.messages({ to: "zoe@example.net", since })).find(
      (message) => message.subject === subject,
    );
    if (found === undefined) await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.ok(found, "it did not come");
  assert.equal(found.verdict.dmarc.result, "pass");
  assert.ok(found.verdict.dkim.every(({ result }) => result === "pass") && found.verdict.dkim.length === 2);
});

test("a bounce is signed, and passes at who gets it", async () => {
  const subject = unique("bounced");
  const since = new Date().toISOString();
  await answer({ mode: "reject", to: "gone@example.net" });
  try {
    // As forwarded mail would come: of somebody else's sender, who is to hear of it.
    await onHost(`printf 'Subject: ${subject}\\n\\nbody\\n' | sendmail -f zoe@example.net gone@example.net`);
    await eventually("the bounce is there", 30, async () => {
      const found = (await peer.messages({ to: "zoe@example.net", since })).filter(
        ({ envelope }) => envelope.from === "",
      );
      assert.equal(found.length, 1);
      assert.match(found[0]?.from ?? "", /MAILER-DAEMON@mail\.example\.org/);
      assert.deepEqual(
        found.map(({ verdict }) => [
          ...verdict.dkim.map(({ result, domain }) => `${result} ${domain}`),
          verdict.dmarc.result,
        ]),
        [["pass mail.example.org", "pass mail.example.org", "pass"]],
      );
      return true;
    });
  } finally {
    await answer({ mode: "accept" });
  }
});

test("what another server has sealed (ARC, RFC 8617) is verified, and a broken seal is seen", async () => {
  const key = readFileSync(join(cloudFolder, "peer/keys/dkim-rsa.pem"), "utf8");
  const resultOf = async (break_: boolean) => {
    const subject = unique("sealed");
    const raw = [
      "From: zoe@example.net",
      "To: bob@example.org",
      `Subject: ${subject}`,
      `Date: ${new Date().toUTCString()}`,
      `Message-ID: <${crypto.randomUUID()}@example.net>`,
      "",
      "Words.",
      "",
    ].join("\r\n");
    const seal = await sealMessage(Buffer.from(raw), {
      signingDomain: "example.net",
      selector: "rsa1",
      privateKey: key,
      authResults: "example.net; spf=pass smtp.mailfrom=zoe@example.net",
      cv: "none",
    });
    const sealed = `${seal}${break_ ? raw.replace("Words.", "Other words.") : raw}`;
    const sent = await peer.send({
      from: "zoe@example.net",
      to: "bob@example.org",
      raw: sealed,
      sign: false,
    });
    assert.ok(sent.accepted, sent.response);
    const source = await received(host, "bob@example.org", subject);
    // What is kept here gets no seal of ours.
    assert.deepEqual(source.match(/^ARC-Seal: i=\d/gim), ["ARC-Seal: i=1"]);
    return /^\s*arc=(\w+)/m.exec(source)?.[1] ?? source.slice(0, source.indexOf("\r\n\r\n"));
  };
  assert.equal(await resultOf(false), "pass");
  assert.equal(await resultOf(true), "reject");
});

test("the host's own resolver validates, and a server's TLSA record (DANE, RFC 7672) is obeyed", async () => {
  // AD is set in the question and in the answer (RFC 6840 section 5.7): a resolver that does not validate never sets it.
  const ask = `python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10)
name = b''.join(bytes([len(p)]) + p for p in b'example.net'.split(b'.')) + bytes(1)
s.sendto(bytes.fromhex('123401200001000000000000') + name + bytes.fromhex('00060001'), ('127.0.0.1', 53))
answer = s.recv(4096)
print('AD' if answer[3] & 32 else 'no AD', answer[3] & 15)"`;
  assert.equal((await onHost(ask)).trim(), "AD 0");
  const certificate = new X509Certificate(readFileSync(join(cloudFolder, "peer/keys/mx.example.net.crt")));
  const digest = createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  // A name of its own: to the other side's there may be a connection left from before.
  await publish("careful.example.net", cloudInfo().peer.address);
  const says = async (...rdata: readonly string[]) => {
    await publishAs("TLSA", "_25._tcp.careful.example.net", ...rdata);
    await askAnew("example.net");
  };
  try {
    await says(`3 1 1 ${"00".repeat(32)}`);
    const { messageId } = await submit(host, { from: "ann@example.org", to: "zoe@careful.example.net" });
    await eventually("it is put off", 30, async () =>
      /Server certificate not verified/.test(await onHost("postqueue -j")),
    );
    await says(`3 1 1 ${digest}`);
    // Postfix keeps the record in mind for its five seconds.
    await queueIsEmpty(30);
    assert.ok(await peer.waitFor(messageId, 5), "it did not come");
    assert.match(
      await onHost("journalctl --sync; journalctl -q -o cat -u postfix -n 50"),
      /Verified TLS connection established to careful\.example\.net/,
    );
  } finally {
    await says();
  }
});

test("whoever gets an alias's mail may send as it, nobody else may", async () => {
  for (const [login, from] of [
    ["bob@example.org", "sales@example.org"],
    ["ann@example.org", "info@example.org"],
    ["bob@example.org", "info@example.org"],
    ["carol@example.com", "whatever@example.com"],
  ] as const) {
    const { messageId } = await submit(host, { login, from, to: "zoe@example.net" });
    assert.equal((await peer.waitFor(messageId, 30))?.verdict.dmarc.result, "pass", `${login} as ${from}`);
  }
  for (const [login, from, headerFrom] of [
    ["carol@example.com", "sales@example.org", "sales@example.org"],
    ["bob@example.org", "ann@example.org", "ann@example.org"],
    ["bob@example.org", "someone@example.net", "someone@example.net"],
    ["bob@example.org", "bob@example.org", "ann@example.org"],
  ] as const) {
    const forged = submit(host, { login, from, headerFrom, to: "zoe@example.net" });
    await assert.rejects(forged, /55[0-9]/, `${login} as ${from}, From ${headerFrom}`);
  }
});

test("SMTP smuggling: a bare line feed ends no message", async () => {
  const socket = connect(25, host.publicIp);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) return undefined;
      // The last line of a reply has a space after its code (RFC 5321 section 4.2.1).
      if (/^\d{3} /.test(value)) return value.slice(0, 3);
    }
  };
  assert.equal(await reply(), "220");
  for (const [command, code] of [
    ["EHLO client.example", "250"],
    ["MAIL FROM:<>", "250"],
    ["RCPT TO:<bob@example.org>", "250"],
    ["DATA", "354"],
  ]) {
    socket.write(`${command}\r\n`);
    assert.equal(await reply(), code, command);
  }
  // A server that took `<LF>.<LF>` for the end would answer each of the commands after it (CVE-2023-51764).
  socket.write("Subject: outer\r\n\r\nouter\n.\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nNOOP\r\n.\r\n");
  const replies = [await reply()];
  socket.write("QUIT\r\n");
  for (let next = await reply(); next !== undefined; next = await reply()) replies.push(next);
  assert.equal(replies.length, 2, replies.join(" "));
  assert.equal(replies[1], "221");
});

for (const [what, order, code] of [
  ["an unknown recipient", { to: "nobody-of-that-name@example.org" }, 550],
  ["a recipient elsewhere", { to: "someone@elsewhere.example", host: host.publicIp }, 554],
  ["an unknown name at the host itself", { to: "someone@mail.example.org" }, 550],
] as const) {
  test(`${what} is refused with ${code}`, async () => {
    const sent = await peer.send({ from: "zoe@example.net", ...order });
    assert.equal(sent.accepted, false);
    assert.equal(sent.code, code, sent.response);
  });
}

test("GTUBE is refused", async () => {
  const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
  const refused = await peer.send({ from: "zoe@example.net", to: "bob@example.org", text: gtube });
  assert.equal(refused.accepted, false);
  assert.equal(Math.floor(refused.code / 100), 5, refused.response);
});

test("a sender forged to be one of ours goes to Junk", async () => {
  const subject = unique("forged");
  const sent = await peer.send({ from: "ann@example.org", to: "bob@example.org", sign: false, subject });
  assert.ok(sent.accepted, sent.response);
  assert.equal(await count(host, "bob@example.org", subject, { folder: "Junk" }), 1);
  assert.equal(await count(host, "bob@example.org", subject, { expected: 0, seconds: 0 }), 0);
});

test("folders are there with their uses, and subscribed", async () => {
  const client = await imap(host, "carol@example.com");
  const uses = (await client.list())
    .map(
      ({ path, specialUse, subscribed }) =>
        `${path} ${specialUse ?? ""}${subscribed ? "" : ", not subscribed"}`,
    )
    .sort();
  await client.logout();
  assert.deepEqual(uses, [
    "Archive \\Archive",
    "Drafts \\Drafts",
    "INBOX \\Inbox",
    "Junk \\Junk",
    "Sent \\Sent",
    "Trash \\Trash",
  ]);
});

test("the sender's own address and client do not travel", async () => {
  const { messageId } = await submit(host, { from: "ann@example.org", to: "bob@example.org" });
  const client = await imap(host, "bob@example.org");
  await client.mailboxOpen("INBOX");
  let headers = "";
  for (let attempt = 0; attempt < 100 && headers === ""; attempt += 1) {
    await client.noop();
    const [uid] = (await client.search({ header: { "message-id": messageId } }, { uid: true })) || [];
    if (uid === undefined) await new Promise((resolve) => setTimeout(resolve, 200));
    else
      headers = String(
        ((await client.fetchOne(String(uid), { headers: true }, { uid: true })) as { headers: Buffer })
          .headers,
      );
  }
  await client.logout();
  assert.notEqual(headers, "");
  assert.doesNotMatch(headers, /client\.invalid|203\.0\.113\.1/);
  // The log has both, in the words that `mailhost logs` and the runbooks look for.
  const taken = await onHost(
    "journalctl --sync; journalctl -q -o cat -u postfix -g 'sasl_username=ann@example.org' -n 1",
  );
  assert.match(taken, /: client=\S+\[203\.0\.113\.1\], sasl_method=PLAIN, sasl_username=ann@example\.org$/m);
  // How it came in is said all the same: TLS version and cipher; and so it is of who reads, in the log.
  assert.match(headers, /using TLSv1\.3 with cipher TLS_AES_\w+ \(\d+\/\d+ bits\)/);
  assert.match(
    await onHost(
      "journalctl --sync; journalctl -q -o cat -u dovecot -g 'Logged in: user=<bob@example.org>' -n 1",
    ),
    /TLSv1\.3 with cipher TLS_AES_\w+/,
  );
});

test("what names the sender's program goes, and bodies with attached messages stay to the byte", async () => {
  const subject = unique("private");
  const body = [
    "--part",
    "Content-Type: text/plain",
    "",
    "User-Agent: a line of the text",
    "--part",
    "Content-Type: message/rfc822",
    "",
    "Mime-Version: 1.0 (that of the message within)",
    "Received: from [192.0.2.7] by somewhere.example; Sat, 21 Nov 2026 00:00:00 +0000",
    "User-Agent: that of the message within",
    "X-Mailer: that too",
    "Subject: within",
    "",
    "Words.",
    "--part--",
    "",
  ].join("\r\n");
  const raw = [
    "Received: from [192.0.2.9] by old.example; Sat, 21 Nov 2026 00:00:00 +0000",
    "From: ann@example.org",
    "To: bob@example.org",
    `Subject: ${subject}`,
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: <${crypto.randomUUID()}@example.org>`,
    "User-Agent: Secret/1",
    "X-Mailer: Secret 2",
    "X-Originating-IP: [192.0.2.9]",
    "X-PHP-Originating-Script: 33:secret.php",
    "Mime-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=part",
    "",
    body,
  ].join("\r\n");
  await submit(host, { from: "ann@example.org", to: "bob@example.org", raw });
  assert.equal(await count(host, "bob@example.org", subject), 1);
  const client = await imap(host, "bob@example.org");
  await client.mailboxOpen("INBOX");
  const [uid] = (await client.search({ subject }, { uid: true })) || [];
  const message = (await client.fetchOne(String(uid), { source: true }, { uid: true })) || undefined;
  await client.logout();
  const [headers = "", ...rest] = String(message?.source).split("\r\n\r\n");
  assert.doesNotMatch(headers, /secret|192\.0\.2\.9|^(User-Agent|X-Mailer|X-Originating-IP):/im);
  assert.equal(rest.join("\r\n\r\n"), body);
});

test("a burst for one mailbox is in it at once: Postfix brings no more side by side than Dovecot takes", async () => {
  const subject = unique("burst");
  await onHost(
    `smtp-source -M mail.example.org -s 20 -m 200 -S '${subject}' -f ann@example.org -t bob@example.org 127.0.0.1:25 && postqueue -f`,
  );
  await eventually("all are there", 30, async () => {
    const found = await onHost(
      `doveadm search -u bob@example.org mailbox INBOX subject '${subject}' | wc -l`,
    );
    return Number(found) === 200;
  });
  assert.doesNotMatch(
    await onHost("journalctl --sync; journalctl -q -o cat -u postfix"),
    /Too many concurrent/,
  );
});

test("the logs of all daemons hold no warning since the machine was made", async () => {
  // One of ours is seen, so that nothing found means that nothing is there.
  await onHost("systemd-run -q --wait -u mailhost-probe sh -c 'echo \"<4>a warning\"'");
  // Wrong passwords are tried on purpose above.
  assert.deepEqual(await unexplained("@0", [/auth failed|authentication failed/i]), ["1 a warning"]);
});
