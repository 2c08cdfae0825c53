/** Mail programs that set themselves up: what they find in the DNS and on the web really leads into the mailbox. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, describe, test } from "node:test";
import { createTransport } from "nodemailer";
import { connectImap } from "../../../check/imap.ts";
import { openpgpBinary } from "../../../settings/openpgp.ts";
import { logo } from "../../options/logo.ts";
import { annsKey } from "../../options/openpgpKey.ts";
import { imap, type MailHost, mailHost, submit } from "../mail.ts";
import { keepInStack, onHost, previewSteps, up } from "../mailhost.ts";
import { pop3LogIn } from "../pop3.ts";
import { readConfig, type Server } from "../thunderbird.ts";
import { addressOf, childrenOf, parseXml, python, textOf, web, worldResolver } from "../web.ts";

/** mailauth, which judges for receivers, in as far as it is used here. */
const { bimi } = createRequire(import.meta.url)("mailauth/lib/bimi/index.js") as {
  readonly bimi: (asked: {
    readonly dmarc: object;
    readonly headers: object;
    readonly resolver: (name: string, type: "TXT") => Promise<unknown>;
  }) => Promise<{ readonly status: { readonly result: string }; readonly location: string }>;
};

const people = { "example.org": "ann@example.org", "example.com": "carol@example.com" } as const;
const domains = Object.entries(people);

let host: MailHost;
before(async () => {
  host = await mailHost();
});

/** Logs in with what a file said, and with the password that the person has. */
async function logIn(server: Pick<Server, "type" | "hostname" | "port" | "login">): Promise<void> {
  const address = await addressOf(server.hostname);
  const door = { address, port: server.port, name: server.hostname, roots: host.roots };
  const password = host.credentials[server.login] ?? "";
  if (server.type === "pop3") return await pop3LogIn(door, server.login, password);
  const client = await connectImap(door, { address: server.login, password });
  await client.mailboxOpen("INBOX");
  await client.logout();
}

async function send(server: Server): Promise<void> {
  const transport = createTransport({
    host: await addressOf(server.hostname),
    port: server.port,
    secure: server.security === "TLS",
    requireTLS: server.security === "STARTTLS",
    auth: { user: server.login, pass: host.credentials[server.login] ?? "" },
    tls: { servername: server.hostname, ca: [...host.roots] },
  });
  try {
    assert.equal(await transport.verify(), true);
  } finally {
    transport.close();
  }
}

describe("Thunderbird", () => {
  for (const [domain, person] of domains) {
    test(`${person}: each way that its file names leads in, or out`, async () => {
      const { status, body } = await web(
        `https://autoconfig.${domain}/mail/config-v1.1.xml?emailaddress=${encodeURIComponent(person)}`,
      );
      assert.equal(status, 200);
      const { incoming, outgoing } = await readConfig(body, person);
      assert.deepEqual(
        [...incoming, ...outgoing].map(({ type, port, security }) => `${type} ${port} ${security}`),
        ["imap 993 TLS", "pop3 995 TLS", "smtp 465 TLS", "smtp 587 STARTTLS"],
      );
      for (const server of incoming) await logIn(server);
      for (const server of outgoing) await send(server);
    });
  }
});

test("Outlook: its question is answered for who asks, in its own namespaces", async () => {
  for (const [domain, person] of domains) {
    const question = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>${person}</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
  </Request>
</Autodiscover>`;
    const url = `https://autodiscover.${domain}/autodiscover/autodiscover.xml`;
    const { status, headers, body } = await web(url, { body: question });
    assert.equal(status, 200);
    assert.match(String(headers["content-type"]), /^text\/xml/);
    const root = parseXml(body);
    assert.equal(root.space, "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006");
    const [response = assert.fail()] = childrenOf(root, "Response");
    assert.equal(
      response.space,
      "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a",
    );
    const [account = assert.fail()] = childrenOf(response, "Account");
    assert.deepEqual([textOf(account, "AccountType"), textOf(account, "Action")], ["email", "settings"]);
    const protocols = childrenOf(account, "Protocol").map((each) => ({
      type: textOf(each, "Type").toLowerCase(),
      hostname: textOf(each, "Server"),
      port: Number(textOf(each, "Port")),
      login: textOf(each, "LoginName"),
      security: textOf(each, "Encryption") === "SSL" ? ("TLS" as const) : ("none" as const),
    }));
    assert.deepEqual(
      protocols.map(({ type, port }) => `${type} ${port}`),
      ["imap 993", "pop3 995", "smtp 465"],
    );
    for (const server of protocols) await (server.type === "smtp" ? send(server) : logIn(server));
  }
  // How it comes there without a certificate of the domain's own.
  const plain = await web("http://autodiscover.example.org/autodiscover/autodiscover.xml");
  assert.deepEqual(
    [plain.status, plain.headers.location],
    [302, "https://autodiscover.example.org/autodiscover/autodiscover.xml"],
  );
});

test("an Apple device: the profile is a property list with one account, which works", async () => {
  const { status, headers, body } = await web(
    "https://autoconfig.example.org/mail.mobileconfig?address=ann%40example.org",
  );
  assert.equal(status, 200);
  assert.match(String(headers["content-type"]), /^application\/x-apple-aspen-config/);
  const profile = python<{
    PayloadType: string;
    PayloadUUID: string;
    PayloadContent: readonly Readonly<Record<string, string | number | boolean>>[];
  }>("import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))", body);
  assert.equal(profile.PayloadType, "Configuration");
  const [account = assert.fail(), ...more] = profile.PayloadContent;
  assert.equal(more.length, 0);
  const { PayloadUUID, ...said } = account;
  assert.notEqual(PayloadUUID, profile.PayloadUUID);
  assert.equal(said.PayloadType, "com.apple.mail.managed");
  assert.equal(said.EmailAccountType, "EmailTypeIMAP");
  assert.equal(said.EmailAddress, "ann@example.org");
  assert.deepEqual([said.IncomingMailServerUseSSL, said.OutgoingMailServerUseSSL], [true, true]);
  // An absent password is asked for on the device.
  assert.equal("IncomingPassword" in said || "OutgoingPassword" in said, false);
  await logIn({
    type: "imap",
    hostname: String(said.IncomingMailServerHostName),
    port: Number(said.IncomingMailServerPortNumber),
    login: String(said.IncomingMailServerUsername),
  });
  await send({
    type: "smtp",
    hostname: String(said.OutgoingMailServerHostName),
    port: Number(said.OutgoingMailServerPortNumber),
    login: String(said.OutgoingMailServerUsername),
    security: "TLS",
  });
});

test("a program that asks the DNS finds what there is, and that there is nothing without TLS", async () => {
  const resolver = worldResolver();
  const services = async (domain: string) =>
    await Promise.all(
      ["imaps", "submissions", "submission", "imap", "pop3", "pop3s"].map(async (service) => {
        const found = await resolver.resolveSrv(`_${service}._tcp.${domain}`);
        return [service, ...found.map(({ name, port, priority }) => `${priority} ${name}:${port}`)].join(" ");
      }),
    );
  for (const [domain, person] of domains) {
    assert.deepEqual(await services(domain), [
      "imaps 0 mail.example.org:993",
      "submissions 0 mail.example.org:465",
      "submission 10 mail.example.org:587",
      "imap 0 :0",
      "pop3 0 :0",
      "pop3s 10 mail.example.org:995",
    ]);
    await logIn({ type: "imap", hostname: "mail.example.org", port: 993, login: person });
  }
});

test("the page for people says what is so", async () => {
  const { setupPages, clientSettings } = host as unknown as {
    setupPages: Record<string, string>;
    clientSettings: { incoming: { host: string; port: number }; outgoing: { host: string; port: number } };
  };
  assert.deepEqual(Object.keys(setupPages).toSorted(), Object.keys(people).toSorted());
  for (const [domain, url] of Object.entries(setupPages)) {
    const { status, headers, body } = await web(url);
    assert.equal(status, 200, domain);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
    const values = [...body.toString().matchAll(/<dd>(.*?)<\/dd>/g)].map(([, value]) => value);
    const { incoming, outgoing } = clientSettings;
    assert.deepEqual(values, [
      ...[incoming.host, String(incoming.port), "SSL/TLS"],
      ...[incoming.host, "995", "SSL/TLS"],
      ...[outgoing.host, String(outgoing.port), "SSL/TLS"],
    ]);
  }
});

test("an OpenPGP program finds the key of who is written to, and no key of others", async () => {
  const directory = "https://openpgpkey.example.org/.well-known/openpgpkey/example.org";
  assert.equal((await web(`${directory}/policy`)).status, 200);
  // The names as `gpg --with-wkd-hash` prints them; the address is asked for beside it.
  const ann = await web(`${directory}/hu/qtgmukx58ikag7nqwxsqupgad8cozzzn?l=ann`);
  assert.equal(ann.status, 200);
  assert.equal(ann.headers["content-type"], "application/octet-stream");
  assert.deepEqual(ann.body, openpgpBinary(annsKey));
  const stranger = await web(`${directory}/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=joe.doe`);
  assert.equal(stranger.status, 404);
});

test("a receiver finds the domain's logo, by mailauth's word, and takes it", async () => {
  const resolver = worldResolver();
  const found = await bimi({
    dmarc: {
      status: { result: "pass", header: { from: "example.org", d: "example.org" } },
      domain: "example.org",
      policy: "quarantine",
      alignment: { dkim: { result: "example.org" } },
    },
    headers: { parsed: [] },
    resolver: (name, type) => resolver.resolve(name, type),
  });
  assert.deepEqual([found.status.result, found.location], ["pass", "https://bimi.example.org/logo.svg"]);
  const { status, headers, body } = await web(found.location);
  assert.deepEqual([status, headers["content-type"]], [200, "image/svg+xml"]);
  assert.equal(body.toString(), logo);
});

test("app passwords: one for each device, named in the log, void alone", async () => {
  const address = "ann@example.org";
  const works = async (password: string): Promise<boolean> => {
    try {
      await (await imap(host, address, password)).logout();
      return true;
    } catch (error) {
      assert.match(
        String((error as { responseText?: string }).responseText ?? error),
        /Authentication failed/,
      );
      return false;
    }
  };
  const { credentials } = host;
  const phone = credentials[`${address}/phone`] ?? assert.fail("no password for the phone");
  const laptop = credentials[`${address}/laptop`] ?? assert.fail("no password for the laptop");
  const own = credentials[address] ?? "";
  assert.equal(new Set([phone, laptop, own]).size, 3);
  const since = (await onHost("date +%s")).trim();
  assert.deepEqual([await works(phone), await works(laptop), await works(own)], [true, true, true]);
  assert.equal(await works(`${phone}x`), false);
  const log = await onHost(`journalctl --sync; journalctl -u dovecot --since @${since} -o cat`);
  const logins = log.split("\n").filter((line) => line.includes(`Logged in: user=<${address}>`));
  assert.deepEqual(
    // Another one may be of the second in which this began.
    logins.slice(-3).map((line) => /device=(\w+)/.exec(line)?.[1]),
    ["phone", "laptop", undefined],
  );
  // Sending, too, and as this mailbox alone.
  const letter = { from: address, to: address, subject: "from the phone" };
  const withPhone = { ...host, credentials: { [address]: phone } };
  await submit(withPhone, letter);
  await assert.rejects(
    submit(withPhone, { ...letter, from: "bob@example.org", login: address }),
    /553|5\.7\.1/,
  );

  keepInStack((stack) =>
    stack.setIn(
      ["config", "mailhost:domains", "example.org", "mailboxes", "ann", "appPasswords"],
      stack.createNode(["laptop"]),
    ),
  );
  const steps = (await previewSteps()).map(({ op, name }) => `${op} ${name}`);
  assert.deepEqual(steps.filter((step) => !step.includes("mailhost-dev")).sort(), [
    `delete accounts-${address}/phone`,
    "update host-accounts-secrets",
    // Which knows who may log in, and with how many passwords.
    "update host-daily-check-secrets",
    // As many password files are asked as somebody has passwords at most.
    "update host-dovecot-files",
  ]);
  await up();
  assert.deepEqual([await works(phone), await works(laptop)], [false, true]);
});
