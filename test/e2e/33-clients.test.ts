/** Mail programs that set themselves up: what they find in the DNS and on the web really leads into the mailbox. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { createTransport } from "nodemailer";
import type { Document } from "yaml";
import { connectImap } from "../../check/imap.ts";
import { cloudflare, zoneId } from "./cloudflare.ts";
import { changesSince, footprint } from "./footprint.ts";
import { imap, type MailHost, mailHost, submit } from "./mail.ts";
import { eventually, mailhost, onHost, previewSteps, up, withStack } from "./mailhost.ts";
import { readConfig, type Server } from "./thunderbird.ts";
import { addressOf, childrenOf, parseXml, python, textOf, web, worldResolver } from "./web.ts";

const people = { "example.org": "ann@example.org", "example.com": "carol@example.com" } as const;
const domains = Object.entries(people);

let host: MailHost;
before(async () => {
  host = await mailHost();
});

/** Logs in with what a file said, and with the password that the person has. */
async function logIn(server: Pick<Server, "hostname" | "port" | "login">): Promise<void> {
  const address = await addressOf(server.hostname);
  const client = await connectImap(
    { address, port: server.port, name: server.hostname, roots: host.roots },
    { address: server.login, password: host.credentials[server.login] ?? "" },
  );
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
      const { incoming, outgoing } = readConfig(body, person);
      assert.deepEqual(
        [...incoming, ...outgoing].map(({ type, port, security }) => `${type} ${port} ${security}`),
        ["imap 993 TLS", "smtp 465 TLS", "smtp 587 STARTTLS"],
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
      type: textOf(each, "Type"),
      hostname: textOf(each, "Server"),
      port: Number(textOf(each, "Port")),
      login: textOf(each, "LoginName"),
      security: textOf(each, "Encryption") === "SSL" ? ("TLS" as const) : ("none" as const),
    }));
    assert.deepEqual(
      protocols.map(({ type, port }) => `${type} ${port}`),
      ["IMAP 993", "SMTP 465"],
    );
    for (const server of protocols) await (server.type === "IMAP" ? logIn(server) : send(server));
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
      "pop3s 0 :0",
    ]);
    await logIn({ hostname: "mail.example.org", port: 993, login: person });
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
      ...[outgoing.host, String(outgoing.port), "SSL/TLS"],
    ]);
  }
});

test("off and on again: names and records go and come; a name that leads elsewhere is refused", async () => {
  const resolver = worldResolver();
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:clientSetup"], false),
    async () => {
      await up();
      for (const name of ["autoconfig.example.org", "autodiscover.example.com"])
        await assert.rejects(resolver.resolve4(name), { code: "ENOTFOUND" });
      await assert.rejects(resolver.resolveSrv("_imaps._tcp.example.org"), /ENOTFOUND|ENODATA/);
      assert.deepEqual(await previewSteps(), []);
    },
  );
  const place = { type: "CNAME", name: "autoconfig.example.com", content: "old.example.net", ttl: 300 };
  const zone = await zoneId("example.com");
  const { id } = await cloudflare<{ id: string }>("POST", `/zones/${zone}/dns_records`, place);
  const refused = await mailhost(["pulumi", "preview"]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stdout, /autoconfig\.example\.com CNAME old\.example\.net/);
  await cloudflare("DELETE", `/zones/${zone}/dns_records/${id}`);
  await up();
  const { status } = await web("https://autoconfig.example.com/");
  assert.equal(status, 200);
  assert.deepEqual(await previewSteps(), []);
});

test("app passwords: one for each device, named in the log, void alone", async () => {
  const address = "ann@example.org";
  const devices = (names: readonly string[]) => (stack: Document) =>
    stack.setIn(
      ["config", "mailhost:domains", "example.org", "mailboxes", "ann", "appPasswords"],
      stack.createNode(names),
    );
  const before = await footprint();
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
  let phone = "";
  let laptop = "";
  await withStack(devices(["phone", "laptop"]), async () => {
    await up();
    const { credentials } = await mailHost();
    phone = credentials[`${address}/phone`] ?? assert.fail("no password for the phone");
    laptop = credentials[`${address}/laptop`] ?? assert.fail("no password for the laptop");
    const own = credentials[address] ?? "";
    assert.equal(new Set([phone, laptop, own]).size, 3);
    const since = (await onHost("date +%s")).trim();
    assert.deepEqual([await works(phone), await works(laptop), await works(own)], [true, true, true]);
    assert.equal(await works(`${phone}x`), false);
    const log = await onHost(`journalctl -u dovecot --since @${since} -o cat`);
    const logins = log.split("\n").filter((line) => line.includes(`Logged in: user=<${address}>`));
    assert.deepEqual(
      logins.map((line) => /device=(\w+)/.exec(line)?.[1]),
      ["phone", "laptop", undefined],
    );
    // Sending, too, and as this mailbox alone.
    const letter = { from: address, to: address, subject: "from the phone" };
    const withPhone = { ...host, credentials: { [address]: phone } };
    // Dovecot has just read its new configuration; whom it told 454 meanwhile tries again, as mail programs do.
    await eventually(
      "the phone may send",
      30,
      async () => (await submit(withPhone, letter)).messageId !== "",
    );
    await assert.rejects(
      submit(withPhone, { ...letter, from: "bob@example.org", login: address }),
      /553|5\.7\.1/,
    );
    assert.deepEqual(await previewSteps(), []);
  });
  await withStack(devices(["laptop"]), async () => {
    const steps = (await previewSteps()).map(({ op, name }) => `${op} ${name}`);
    assert.ok(steps.includes(`delete accounts-${address}/phone`), steps.join(", "));
    assert.equal(
      steps.some((step) => step.includes("/laptop")),
      false,
    );
    await up();
    assert.deepEqual([await works(phone), await works(laptop)], [false, true]);
  });
  await up();
  assert.equal(await works(laptop), false);
  assert.deepEqual(await changesSince(before), { came: [], went: [] });
});
