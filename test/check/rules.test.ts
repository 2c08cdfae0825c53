import assert from "node:assert/strict";
import { test } from "node:test";
import type { SMTPServerOptions } from "smtp-server";
import type { Item } from "../../check/host.ts";
import { auth } from "../../check/items/auth.ts";
import { gtube } from "../../check/items/gtube.ts";
import { manners } from "../../check/items/manners.ts";
import { recipients } from "../../check/items/recipients.ts";
import { senders } from "../../check/items/senders.ts";
import { authority, lines, parrot, refusal, smtp, target, withPorts } from "./fixtures.ts";

const trusted = authority();
const good = trusted.issue("mail.example.org");
const known = ["ann", "bob", "info", "postmaster", "abuse", "dmarc", "tls-reports"].map(
  (name) => `${name}@example.org`,
);

/** Runs an item against servers with these options, by the plan's names of their ports. */
async function said(item: Item, servers: Record<string, SMTPServerOptions>): Promise<string[]> {
  const running = await Promise.all(
    Object.entries(servers).map(
      async ([name, options]) => [name, await smtp({ ...good, ...options })] as const,
    ),
  );
  try {
    const ports = Object.fromEntries(running.map(([name, server]) => [name, server.port]));
    return await lines(item, target({ bundles: withPorts(ports), trustedCas: [trusted.ca] }));
  } finally {
    await Promise.all(running.map(([, server]) => server.close()));
  }
}

/** A host that knows its recipients. */
const port25: SMTPServerOptions = {
  onRcptTo({ address }, _session, done) {
    if (known.includes(address)) {
      done();
    } else if (address.endsWith("@example.org") && !/[%"]/.test(address)) {
      done(refusal(550, "5.1.1 User unknown"));
    } else {
      done(refusal(554, "5.7.1 Relay access denied"));
    }
  },
};

/** A host that knows its users and what is theirs. */
const submission: SMTPServerOptions = {
  secure: true,
  disabledCommands: ["VRFY"],
  onAuth: ({ username, password }, _session, done) =>
    username === "ann@example.org" && password === "ann's own"
      ? done(null, { user: username })
      : done(refusal(535, "5.7.8 Wrong")),
  onMailFrom: ({ address }, session, done) =>
    address === session.user ? done() : done(refusal(553, "5.7.1 Not owned")),
  onData(stream, session, done) {
    let text = "";
    stream.on("data", (part) => {
      text += part;
    });
    stream.on("end", () =>
      text.includes(`From: <${session.user}>`) ? done() : done(refusal(550, "5.7.1 Not your address")),
    );
  },
};

test("auth: nothing on 25, after STARTTLS on 587, inside TLS on 465", async () => {
  const right = await said(auth, {
    smtp: {},
    submission: {
      disabledCommands: ["VRFY"],
      authOptional: true,
      onRcptTo: (_address, _session, done) => done(refusal(554, "5.7.1 Access denied")),
      onConnect(session, done) {
        session.disabledCommands = ["AUTH"];
        done();
      },
      onSecure(_socket, session, done) {
        session.disabledCommands = [];
        done();
      },
    },
    submissions: submission,
  });
  assert.deepEqual(right, [
    "right: port 25 takes no passwords",
    "right: port 587 takes passwords after STARTTLS only",
    "right: port 587 takes no mail without a login",
    "right: port 465 takes passwords, inside TLS from the first byte",
    "right: port 465 takes no mail without a login",
  ]);
  const wrong = await said(auth, {
    smtp: { disabledCommands: [], allowInsecureAuth: false, authOptional: true },
    submission: { disabledCommands: [], allowInsecureAuth: true, authOptional: true },
    submissions: { secure: true, authOptional: true },
  });
  assert.deepEqual(wrong, [
    "wrong: port 25 offers a login (AUTH)",
    "wrong: port 587 offers a login (AUTH) before the connection is encrypted",
    "wrong: port 465 offers no login (AUTH)",
    'wrong: port 465 takes mail without a login: "250 Accepted"',
  ]);
  const later: SMTPServerOptions["onMailFrom"] = (_address, _session, done) =>
    done(refusal(451, "4.3.0 Later"));
  const unknown = await said(auth, {
    smtp: {},
    submissions: { secure: true, disabledCommands: ["VRFY"], authOptional: true, onMailFrom: later },
  });
  assert.equal(
    unknown[2],
    'wrong: whether port 465 takes mail without a login is unknown: "451 4.3.0 Later"',
  );
});

test("auth: a login that port 25 does not offer and takes all the same is wrong", async () => {
  const server = await parrot({ AUTH: "535 5.7.8 Wrong" });
  try {
    assert.deepEqual(await lines(auth, target({ bundles: withPorts({ smtp: server.port }) })), [
      'wrong: port 25 does not offer a login, and takes one all the same: "535 5.7.8 Wrong"',
    ]);
  } finally {
    await server.close();
  }
});

test("auth: no login after STARTTLS on 587 is wrong", async () => {
  const found = await said(auth, { smtp: {}, submission: {} });
  assert.equal(found[1], "wrong: port 587 offers no login (AUTH) after STARTTLS");
});

test("manners: VRFY off and HELO demanded, or not", async () => {
  assert.deepEqual(await said(manners, { smtp: {} }), [
    "right: VRFY is off",
    "right: HELO or EHLO is demanded",
  ]);
  const [vrfy = ""] = await said(manners, { smtp: { disabledCommands: ["AUTH"] } });
  assert.match(vrfy, /^wrong: VRFY is on: asked for ann@example\.org it says "252/);
  const easy = await parrot({});
  try {
    const [, hello] = await lines(manners, target({ bundles: withPorts({ smtp: easy.port }) }));
    assert.equal(hello, 'wrong: mail is taken without HELO or EHLO: "250 2.0.0 Fine"');
  } finally {
    await easy.close();
  }
});

test("recipients: ours are taken, unknown and foreign ones are not", async () => {
  assert.deepEqual(await said(recipients, { smtp: port25 }), [
    "right: mail for all 7 mailboxes, aliases and role addresses is taken",
    "right: mail for unknown names at example.org is refused (5.1.1)",
    "right: mail of strangers for strangers is refused, in 4 spellings",
  ]);
});

test("recipients: a refused mailbox, a catch-all by mistake, an open relay are wrong", async () => {
  const onRcptTo: SMTPServerOptions["onRcptTo"] = ({ address }, _session, done) =>
    address === "bob@example.org" ? done(refusal(451, "4.3.0 Broken table")) : done();
  const found = await said(recipients, { smtp: { onRcptTo } });
  assert.equal(found[0], 'wrong: mail for bob@example.org is refused: "451 4.3.0 Broken table"');
  assert.match(found[1] ?? "", /^wrong: mail for an unknown name at example\.org is answered "250/);
  assert.equal(
    found[2],
    'wrong: a stranger may send to someone@example.com, someone%example.com@example.org, @example.org:someone@example.com through the host (open relay): "250 Accepted"',
  );
});

test("recipients: putting off is not refusing, and is told once", async () => {
  const onMailFrom: SMTPServerOptions["onMailFrom"] = (_address, _session, done) =>
    done(refusal(451, "4.7.1 Later"));
  const found = await said(recipients, { smtp: { onMailFrom } });
  assert.deepEqual(
    found.map((line) => line.replace(/nobody-\w+/, "nobody")),
    [
      'wrong: mail for ann@example.org, bob@example.org and 5 others is refused: "451 4.7.1 Later"',
      'wrong: mail for an unknown name at example.org is answered "451 4.7.1 Later", not with a 5.1.1',
      'wrong: a stranger\'s mail for someone@example.com, someone%example.com@example.org and 2 others is put off, not refused: "451 4.7.1 Later"',
    ],
  );
});

test("recipients: refusing for another reason than that nobody is there is wrong", async () => {
  const onRcptTo: SMTPServerOptions["onRcptTo"] = ({ address }, _session, done) =>
    known.includes(address) ? done() : done(refusal(554, "5.7.1 No"));
  const found = await said(recipients, { smtp: { onRcptTo } });
  assert.match(
    found[1] ?? "",
    /^wrong: mail for an unknown name at example\.org is answered "554 5\.7\.1 No", not with a 5\.1\.1/,
  );
});

test("senders: only as what is theirs", async () => {
  assert.deepEqual(await said(senders, { submissions: submission }), [
    "right: ann@example.org cannot send with bob@example.org as envelope sender",
    "right: ann@example.org cannot write From: bob@example.org",
    "right: ann@example.org cannot send with someone@example.com as envelope sender",
    "right: ann@example.org cannot write From: someone@example.com",
  ]);
  const { onAuth } = submission;
  const found = await said(senders, {
    submissions: { secure: true, disabledCommands: [], ...(onAuth && { onAuth }) },
  });
  assert.equal(found.length, 4);
  for (const line of found) {
    assert.match(
      line,
      /^wrong: ann@example\.org may (send with|write From:) (bob@example\.org|someone@example\.com)/,
    );
  }
});

test("senders: no password is sent to a server whose certificate is not trusted", async () => {
  let asked = false;
  const { onAuth } = submission;
  const spy: SMTPServerOptions["onAuth"] = (...all) => {
    asked = true;
    onAuth?.(...all);
  };
  const stranger = authority().issue("mail.example.org");
  const [line = "", ...rest] = await said(senders, {
    submissions: { ...submission, ...stranger, onAuth: spy },
  });
  assert.match(
    line,
    /^wrong: senders: could not be looked at: the certificate is not trusted .*: no password was sent$/,
  );
  assert.deepEqual(rest, []);
  assert.equal(asked, false);
});

test("gtube: refused after the message is right, anything else is not", async () => {
  const filter: SMTPServerOptions["onData"] = (stream, _session, done) => {
    let text = "";
    stream.on("data", (part) => {
      text += part;
    });
    stream.on("end", () => (text.includes("GTUBE") ? done(refusal(554, "5.7.1 Spam")) : done()));
  };
  assert.deepEqual(await said(gtube, { smtp: { onData: filter } }), [
    'right: the spam test message (GTUBE) is refused: "554 5.7.1 Spam"',
  ]);
  const [taken = ""] = await said(gtube, { smtp: {} });
  assert.match(taken, /^wrong: the spam test message \(GTUBE\) is answered "250/);
  const onRcptTo: SMTPServerOptions["onRcptTo"] = (_address, _session, done) =>
    done(refusal(554, "5.7.1 Blocked"));
  const [early = ""] = await said(gtube, { smtp: { onRcptTo } });
  assert.match(early, /^wrong: whether spam is refused is unknown: .* at RCPT/);
});

test("senders: a stranger who writes our address is refused; one who is put off tells nothing", async () => {
  const stranger = async (code: number, text: string) => {
    const onData: SMTPServerOptions["onData"] = (stream, _session, done) => {
      stream.resume().on("end", () => done(refusal(code, text)));
    };
    return (await said(senders, { smtp: { onData }, submissions: submission })).at(-1);
  };
  assert.equal(
    await stranger(554, "5.7.1 Forged"),
    'right: a stranger cannot write From: ann@example.org: "554 5.7.1 Forged"',
  );
  assert.equal(
    await stranger(451, "4.7.1 Later"),
    'wrong: whether a stranger may write From: ann@example.org is unknown: "451 4.7.1 Later"',
  );
});
