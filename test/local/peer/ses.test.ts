import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { createTransport } from "nodemailer";
import { resolverAt } from "../../../check/judge.ts";
import { callOtherSide, type OtherSide, otherSideAt } from "../../../check/otherside.ts";
import { type Peer, startPeer } from "../../../local/peer/server.ts";
import { Ses } from "../../../local/peer/ses.ts";
import type { SesAccount } from "../../../local/types.ts";
import { type DnsWorld, startDnsWorld } from "../../check/dnsworld.ts";

const address = "127.0.0.1";
const region = "eu-central-1";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
const published = createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64");
const arn = (name: string) => `arn:aws:ses:${region}:123456789012:identity/${name}`;

let folder: string;
let world: DnsWorld;
let peer: Peer;
let side: OtherSide;
let ses: Ses;

const text = (value: string) => (value.match(/.{1,250}/g) ?? []).map((part) => `"${part}"`).join(" ");

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "mailhost-ses-"));
  // Its own key has to be in the DNS, so it is made before the DNS.
  const amazon = new Ses(folder, { address, region }, resolverAt("127.0.0.1:1"), [0, 0]).records();
  world = await startDnsWorld({
    "example.net": { lines: ["@ MX 10 mx", `mx A ${address}`] },
    "example.org": {
      lines: [
        '@ TXT "v=spf1 -all"',
        `sel._domainkey TXT ${text(`v=DKIM1; k=rsa; p=${published}`)}`,
        '_dmarc TXT "v=DMARC1; p=reject; adkim=s; aspf=r"',
        'bounce TXT "v=spf1 include:amazonses.com -all"',
      ],
    },
    "amazonses.com": {
      lines: amazon
        .filter(({ name, type }) => name.endsWith("amazonses.com") && type !== "A")
        .map(({ name, type, rdata }) => `${name}. ${type} ${rdata}`),
    },
  });
  const resolver = world.resolver;
  peer = await startPeer({
    ...{ domain: "example.net", hostname: "mx.example.net", address, resolver },
    ...{ api: join(folder, "peer.sock"), state: join(folder, "peer"), port: 0 },
  });
  side = await otherSideAt(join(folder, "peer.sock"));
  ses = new Ses(folder, { address, region }, resolverAt(resolver), [22_587, 22_465], peer.port);
  await ses.open();
});

after(async () => {
  await ses?.close();
  await peer?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const known: SesAccount = {
  region,
  sandbox: false,
  identities: [
    {
      name: "example.org",
      arn: arn("example.org"),
      verified: true,
      selector: "sel",
      privateKey: key,
      mailFrom: "bounce.example.org",
      withoutMailFrom: "amazon",
    },
  ],
  logins: [
    {
      username: "AKIAEXAMPLE",
      password: "the derived password",
      userArn: "arn:aws:iam::123456789012:user/mailhost/ses",
      maySendAs: [arn("example.org")],
    },
  ],
};
const identity = (changes: object) => ({
  ...known,
  identities: known.identities.map((one) => ({ ...one, ...changes })),
});

beforeEach(async () => {
  ses.tell(known);
  await callOtherSide(join(folder, "peer.sock"), "/messages", { method: "DELETE" });
  await callOtherSide(join(folder, "peer.sock"), "/answer", { method: "POST", body: { mode: "accept" } });
});

interface Mail {
  readonly from?: string;
  readonly sender?: string;
  readonly to?: string;
  readonly headers?: string;
  readonly password?: string;
  readonly secure?: boolean;
}

/** What SES says to a message. */
async function send(mail: Mail = {}): Promise<string> {
  const { from = "ann@example.org", to = "bob@example.net", secure = false } = mail;
  const transport = createTransport({
    host: address,
    port: secure ? 22_465 : 22_587,
    secure,
    requireTLS: true,
    auth: { user: "AKIAEXAMPLE", pass: mail.password ?? "the derived password" },
    tls: { servername: ses.access.host, ca: [ses.access.authority] },
  });
  try {
    const raw = `${mail.headers ?? ""}From: Ann <${from}>\r\nTo: <${to}>\r\nSubject: Hello\r\nMessage-ID: <mine@example.org>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nWords.\r\n`;
    return (await transport.sendMail({ envelope: { from: mail.sender ?? from, to }, raw })).response;
  } catch (error) {
    return (error as Error).message;
  } finally {
    transport.close();
  }
}

test("it signs with the customer's key, and sends from its own envelope sender", async () => {
  for (const secure of [false, true]) assert.match(await send({ secure }), /^250 Ok 0107[0-9a-f-]+-000000$/);
  const [got] = await side.messages({ to: "bob@example.net" });
  assert.match(got?.envelope.from ?? "", /^0107[0-9a-f-]+-000000@bounce\.example\.org$/);
  assert.equal(got?.client.helo, "a1-1.smtp-out.eu-central-1.amazonses.com");
  const { spf, dkim, dmarc } = got?.verdict ?? assert.fail();
  assert.deepEqual(
    [spf.result, spf.domain, dmarc.result, dmarc.domain],
    ["pass", "bounce.example.org", "pass", "example.org"],
  );
  assert.deepEqual(
    dkim.map(({ result, domain, selector, aligned }) => [result, domain, selector, aligned]),
    [
      ["pass", "example.org", "sel", true],
      ["pass", "amazonses.com", "local", false],
    ],
  );
  // "Amazon SES header fields": Date and Message-ID are its own.
  assert.match(got?.messageId ?? "", /^0107.*@eu-central-1\.amazonses\.com$/);
  const raw = await rawOf(got?.id ?? "");
  assert.doesNotMatch(raw, /2024|mine@example/);
});

test("while its MX is not found, Amazon's envelope sender serves, or nothing", async () => {
  ses.tell(identity({ mailFrom: undefined }));
  assert.match(await send(), /^250/);
  const [got] = await side.messages({ to: "bob@example.net" });
  assert.match(got?.envelope.from ?? "", /@eu-central-1\.amazonses\.com$/);
  assert.equal(got?.verdict.dmarc.result, "pass");
  ses.tell(identity({ mailFrom: undefined, withoutMailFrom: "refuse" }));
  assert.match(await send(), /554 Message rejected: MAIL FROM domain is not verified/);
});

test("who is not verified is refused, by any of the names that a message has", async () => {
  const rejected = (who: string) =>
    new RegExp(
      `554 Message rejected: Email address is not verified\\. The following identities failed the check in region EU-CENTRAL-1: ${who}$`,
    );
  assert.match(await send({ from: "eve@example.com" }), rejected("eve@example.com"));
  assert.match(await send({ sender: "eve@example.com" }), rejected("eve@example.com"));
  assert.match(await send({ headers: "Sender: <eve@example.com>\r\n" }), rejected("eve@example.com"));
  ses.tell(identity({ verified: false }));
  assert.match(await send(), rejected("ann@example.org"));
  ses.tell({ ...known, sandbox: true });
  assert.match(await send(), rejected("bob@example.net"));
  assert.equal((await side.messages()).length, 0);
});

test("a signature that is there already is one too many", async () => {
  assert.match(
    await send({ headers: "DKIM-Signature: v=1; d=example.org\r\n" }),
    /554 Transaction failed: Duplicate header 'DKIM-Signature'\.$/,
  );
  assert.match(
    await send({ headers: "Subject: Twice\r\n" }),
    /554 Transaction failed: Duplicate header 'Subject'\.$/,
  );
});

test("a login is worth what its policies say", async () => {
  ses.tell({ ...known, logins: known.logins.map((login) => ({ ...login, maySendAs: [] })) });
  assert.match(
    await send(),
    /554 Access denied: User `arn:aws:iam::123456789012:user\/mailhost\/ses' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-central-1:123456789012:identity\/example\.org'$/,
  );
  assert.match(await send({ password: "another" }), /535 Authentication Credentials Invalid$/);
  ses.tell({ ...known, logins: [] });
  assert.match(await send(), /535 Authentication Credentials Invalid$/);
});

test("bounces have no sender, and SES takes none", async () => {
  assert.match(await send({ sender: "" }), /501 Invalid MAIL FROM address provided$/);
});

test("what the receiver puts off is put off; of what it refuses the sender hears", async () => {
  const answer = (body: object) =>
    callOtherSide(join(folder, "peer.sock"), "/answer", { method: "POST", body });
  await answer({ mode: "defer" });
  assert.match(await send(), /451 Temporary service failure/);
  // The bounce goes to the sender's MX, which is the other side here; it takes mail of its own domain only.
  ses.tell(identity({ name: "example.net", arn: arn("example.org") }));
  await answer({ mode: "reject", to: "bob@example.net" });
  assert.match(await send({ from: "ann@example.net" }), /^250 Ok/);
  const [bounce] = await side.messages({ to: "ann@example.net" });
  assert.equal(bounce?.envelope.from, "");
  assert.equal(bounce?.from, "MAILER-DAEMON@amazonses.com");
  assert.match(bounce?.text ?? "", /bob@example\.net: 550/);
});

test("what it was told it knows after a restart, and nobody else reads it", async () => {
  const file = join(folder, "ses", "account.json");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), { account: known });
  assert.throws(() => ses.tell({ ...known, region: "us-east-1" }), /SES in eu-central-1/);
});

async function rawOf(id: string): Promise<string> {
  const socketPath = join(folder, "peer.sock");
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: `/messages/${id}/raw` }, (response) => {
      let raw = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        raw += part;
      });
      response.on("end", () => resolve(raw));
    });
    call.on("error", reject);
    call.end();
  });
}
