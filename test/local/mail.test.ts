import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { Command } from "commander";
import type { OtherSide, ReceivedMessage } from "../../check/otherside.ts";
import {
  addMailCommands,
  type MailContext,
  noSuchPlace,
  peer,
  read,
  receive,
  send,
} from "../../local/mail.ts";

const message: ReceivedMessage = {
  id: "1",
  at: "2026-11-21T10:20:30.456Z",
  client: { address: "198.18.7.10", ptr: ["mail.example.org"], helo: "mail.example.org" },
  tls: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" },
  envelope: { from: "ann@example.org", to: ["bob@example.net"] },
  messageId: "x@example.org",
  from: "ann@example.org",
  subject: "Hello \x1b[2J",
  text: "",
  size: 1,
  verdict: {
    spf: { result: "pass", domain: "example.org" },
    dkim: [
      {
        result: "pass",
        domain: "example.org",
        selector: "20261121r",
        algorithm: "rsa-sha256",
        aligned: true,
      },
    ],
    dmarc: { result: "pass", policy: "reject", domain: "example.org" },
    arc: { result: "none", instance: 0 },
  },
};

const aliases: Readonly<Record<string, readonly string[]>> = {
  "info@example.org": ["ann@example.org", "bob@example.org"],
  // The stack has the hash of his password alone.
  "bob@example.org": ["bob@example.org"],
  "sales@example.org": ["bob@example.org"],
};

function context(changes: Partial<OtherSide>): MailContext {
  const credentials = { "ann@example.org": "secret", "ann@example.org/phone": "other" };
  return {
    stack: async () => ({ hostname: "mail.example.org", publicIp: "127.0.0.1", credentials }),
    receivers: async (address) => aliases[address] ?? [],
    trustedCas: async () => [],
    otherSide: async () => ({
      domain: "example.net",
      waitFor: async () => undefined,
      messages: async () => [],
      send: async () => ({
        accepted: false,
        code: 550,
        response: "550 5.1.1 Unknown",
        server: "mail.example.org [198.18.7.10]",
        messageId: "",
        transcript: [],
      }),
      ...changes,
    }),
  };
}

test("peer: what came and what is thought of it; a stranger's text does not steer the terminal", async () => {
  assert.equal(
    await peer(context({ messages: async () => [message] }), { json: false }),
    [
      "2026-11-21 10:20:30  ann@example.org to bob@example.net: Hello �[2J",
      "  from mail.example.org [198.18.7.10], PTR mail.example.org, TLSv1.3 TLS_AES_256_GCM_SHA384",
      "  SPF pass, DKIM 20261121r rsa-sha256 pass, DMARC pass, ARC none",
    ].join("\n"),
  );
  assert.equal(await peer(context({}), { json: false }), "Nothing has come to example.net yet.");
});

test("receive: a refusal is an error that says what our host said", async () => {
  await assert.rejects(receive(context({}), { to: "nobody@example.org", subject: "", text: "" }), {
    message:
      "someone@example.net sent to nobody@example.org by mail.example.org [198.18.7.10]: 550 5.1.1 Unknown",
  });
});

test("receive: who got it is named, behind an alias too", async () => {
  const accepted = {
    accepted: true,
    code: 250,
    response: "250 2.0.0 Ok",
    server: "mail.example.org",
    messageId: "",
    transcript: [],
  };
  const taken = context({ send: async () => accepted });
  const said = await receive(taken, { to: "info@example.org", subject: "", text: "" });
  assert.deepEqual(said.split("\n").slice(1), [
    "Read it: npm run mail -- read ann@example.org",
    "Read it: npm run mail -- read bob@example.org",
  ]);
});

test("send: as an alias, with the login of a mailbox behind it", async () => {
  // Nobody listens there: it has come as far as the connection.
  await assert.rejects(
    send(context({}), { from: "info@example.org", to: ["a@example.net"], subject: "", text: "" }),
    /ECONNREFUSED/,
  );
});

test("send: who writes to a domain that the local cloud does not have is told which there is", async () => {
  const words =
    "There is no such place in the local cloud: write to somebody@example.net, or to a mailbox of the host's.";
  assert.deepEqual(await noSuchPlace(context({}), ["info@example.org", "bob@gmail.example"]), [words]);
  assert.deepEqual(await noSuchPlace(context({}), ["info@example.org", "Zoe@Example.NET"]), []);
});

describe("send and read: a mailbox that cannot be logged in to", () => {
  const message = { to: ["a@example.net"], subject: "", text: "" };
  const look = { folder: "INBOX", count: 1, json: false, follow: false };
  const ownerAlone =
    "The password of bob@example.org is known to its owner alone. Who knows it runs this first, and then the same again: read -rs MAILHOST_PASSWORD && export MAILHOST_PASSWORD";
  const cases: readonly [string, string][] = [
    [
      "eve@example.org",
      "There is no mailbox eve@example.org here. The stack has passwords of: ann@example.org.",
    ],
    ["ann", "ann is no whole address: write ann@example.org."],
    ["bob@example.org", ownerAlone],
  ];
  for (const [address, words] of cases)
    it(address, async () => {
      await assert.rejects(send(context({}), { ...message, from: address }), { message: words });
      await assert.rejects(read(context({}), address, look, assert.fail), { message: words });
    });

  it("an alias is sent as, and not read", async () => {
    await assert.rejects(send(context({}), { ...message, from: "sales@example.org" }), {
      message: ownerAlone,
    });
    await assert.rejects(read(context({}), "info@example.org", look, assert.fail), {
      message:
        "info@example.org is no mailbox: its mail goes to ann@example.org and bob@example.org. Write one of these.",
    });
  });

  it("unless the environment has its password", async () => {
    process.env.MAILHOST_PASSWORD = "his";
    try {
      // Nobody listens there: it has come as far as the connection.
      for (const from of ["bob@example.org", "sales@example.org", "info@example.org"])
        await assert.rejects(send(context({}), { ...message, from }), /ECONNREFUSED/);
      await assert.rejects(read(context({}), "bob@example.org", look, assert.fail), /ECONNREFUSED/);
      await assert.rejects(read(context({}), "eve@example.org", look, assert.fail), /no mailbox eve/);
    } finally {
      delete process.env.MAILHOST_PASSWORD;
    }
  });
});

test("the commands are there", () => {
  const program = new Command("mail");
  addMailCommands(program, context({}));
  assert.deepEqual(
    program.commands.map((command) => command.name()),
    ["send", "read", "receive", "peer"],
  );
});
