import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { outgoing } from "../../check/items/outgoing.ts";
import { callOtherSide, type OtherSide, otherSideAt } from "../../check/otherside.ts";
import { type Peer, startPeer } from "../../local/peer/server.ts";
import type { DkimSelector } from "../../plan/dkim.ts";
import { settingsWith } from "../options/settings.ts";
import { type DnsWorld, startDnsWorld } from "./dnsworld.ts";
import { authority, hostname, lines, smtp, target, withPorts } from "./fixtures.ts";

// A host that takes ann's mail, signs it and hands it to the other side, which judges it: all of it for real.
const trusted = authority();
const rsa = newKey("rsa");
const ed25519 = newKey("ed25519");

let folder: string;
let world: DnsWorld;
let peer: Peer;
let otherSide: OtherSide;

function newKey(type: "rsa" | "ed25519") {
  const { privateKey } = generateKeyPairSync(type as "rsa", { modulusLength: 2048 });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const published = (type === "rsa" ? spki : spki.subarray(-32)).toString("base64");
  return { pem: privateKey.export({ type: "pkcs8", format: "pem" }) as string, published };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "mailhost-outgoing-"));
  world = await startDnsWorld({
    "example.org": {
      lines: [
        "mail A 127.0.0.1",
        "@ MX 10 mail",
        '@ TXT "v=spf1 mx -all"',
        '_dmarc TXT "v=DMARC1; p=quarantine"',
        `r._domainkey TXT "v=DKIM1; k=rsa; p=${rsa.published.slice(0, 200)}" "${rsa.published.slice(200)}"`,
        // The selector that the plan gives the RSA key, and the domain of SES's envelope senders.
        `20261121r._domainkey TXT "v=DKIM1; k=rsa; p=${rsa.published.slice(0, 200)}" "${rsa.published.slice(200)}"`,
        'bounce TXT "v=spf1 ip4:127.0.0.1 -all"',
        `e._domainkey TXT "v=DKIM1; k=ed25519; p=${ed25519.published}"`,
      ],
    },
    "127.in-addr.arpa": { lines: [`1.0.0 PTR ${hostname}.`] },
  });
  const api = join(folder, "peer.sock");
  peer = await startPeer({
    domain: "example.net",
    hostname: "mx.example.net",
    address: "127.0.0.1",
    resolver: world.resolver,
    api,
    state: folder,
    port: 0,
  });
  otherSide = await otherSideAt(api);
});

after(async () => {
  await peer?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Faults {
  readonly keys?: readonly { readonly selector: string; readonly pem: string }[];
  readonly helo?: string;
  readonly tls?: "none";
  readonly envelopeFrom?: string;
  /** Whether it came by Amazon SES: another Message-ID, and the key of the domain by its selector. */
  readonly bySes?: boolean;
}

const both = [
  { selector: "r", pem: rsa.pem },
  { selector: "e", pem: ed25519.pem },
];

async function said(faults: Faults = {}): Promise<string[]> {
  const host = await smtp({
    ...trusted.issue(hostname),
    secure: true,
    disabledCommands: [],
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    onData(stream, session, done) {
      (async () => {
        const parts: Buffer[] = [];
        for await (const part of stream) {
          parts.push(part as Buffer);
        }
        const raw = Buffer.concat(parts);
        const text = raw
          .toString()
          .replace(/^Message-ID: .*$/m, (line) => (faults.bySes ? "Message-ID: <0107@amazonses.com>" : line));
        const signatureData = (faults.keys ?? both).map(({ selector, pem }) => ({
          signingDomain: "example.org",
          selector,
          privateKey: createPrivateKey(pem).export({ type: "pkcs8", format: "pem" }) as string,
        }));
        const options = { signingDomain: "example.org", selector: "", privateKey: "", signatureData };
        const { signatures } = await dkimSign(text, options);
        // The peer's own delivery is a proper SMTP client; told to sign nothing, it carries what it is given.
        await callOtherSide(join(folder, "peer.sock"), "/send", {
          method: "POST",
          body: {
            from: faults.envelopeFrom ?? session.user,
            to: session.envelope.rcptTo[0]?.address,
            raw: signatures + text,
            sign: false,
            helo: faults.helo ?? hostname,
            tls: faults.tls ?? "require",
            host: "127.0.0.1",
            port: peer.port,
          },
        });
      })().then(() => done(), done);
    },
  });
  const key = (selector: string, algorithm: DkimSelector["algorithm"]): DkimSelector => ({
    domain: "example.org",
    selector,
    algorithm,
    state: "signing",
    name: `${selector}._domainkey.example.org`,
  });
  const facts = {
    publicIpv4: "127.0.0.1",
    publicKeys: faults.bySes
      ? { "20261121r._domainkey.example.org": rsa.published, "20261121e._domainkey.example.org": "" }
      : {
          "r._domainkey.example.org": rsa.published,
          "e._domainkey.example.org": ed25519.published,
        },
  };
  try {
    return await lines(
      outgoing,
      target({
        facts,
        ...(faults.bySes
          ? { settings: settingsWith({ relay: "ses" }) }
          : { dkim: [key("r", "rsa"), key("e", "ed25519")] }),
        otherSide,
        trustedCas: [trusted.ca],
        bundles: withPorts({ submissions: host.port }),
        credentials: { "ann@example.org": "ann's own" },
      }),
    );
  } finally {
    await host.close();
  }
}

test("signed by both keys from the right address: all pass", async () => {
  assert.deepEqual(await said(), [
    "right: mail of example.org is judged SPF pass, DKIM r pass, DKIM e pass, DMARC pass, by example.net",
    "right: example.net sees mail of example.org come from mail.example.org [127.0.0.1], PTR mail.example.org",
    "right: mail of example.org travels encrypted (TLS 1.3)",
  ]);
});

test("through Amazon SES: its own Message-ID, the RSA key alone, and the way that it takes", async () => {
  const keys = [{ selector: "20261121r", pem: rsa.pem }];
  const found = await said({ keys, bySes: true, envelopeFrom: "x@bounce.example.org" });
  assert.deepEqual(found.slice(0, 2), [
    "right: mail of example.org is judged SPF pass, DKIM 20261121r pass, DMARC pass, by example.net",
    // It has come from the host's own address here.
    "wrong: mail of example.org reaches example.net straight from the host, not through email-smtp.eu-central-1.amazonaws.com",
  ]);
});

test("a signature that is missing, or made with another key, is wrong", async () => {
  const [alone] = await said({ keys: both.slice(0, 1) });
  assert.equal(
    alone,
    "wrong: mail of example.org is judged SPF pass, DKIM r pass, DKIM e missing, DMARC pass, by example.net",
  );
  const [forged = ""] = await said({
    keys: [
      { selector: "r", pem: newKey("rsa").pem },
      { selector: "e", pem: ed25519.pem },
    ],
  });
  assert.match(forged, /^wrong: .*DKIM r fail \(.*\), DKIM e pass, DMARC pass/);
  const [none] = await said({ keys: [] });
  assert.match(none ?? "", /^wrong: .*DKIM r missing, DKIM e missing/);
});

test("another envelope sender fails SPF; another HELO and no encryption are seen", async () => {
  const found = await said({ envelopeFrom: "x@example.net", helo: "localhost.example.org", tls: "none" });
  assert.match(
    found[0] ?? "",
    /^wrong: mail of example\.org is judged SPF none, DKIM r pass, DKIM e pass, DMARC pass/,
  );
  assert.match(
    found[1] ?? "",
    /^wrong: example\.net sees mail of example\.org come from localhost\.example\.org/,
  );
  assert.equal(found[2], "wrong: mail of example.org reached example.net unencrypted");
});

test("domains without a known password are said not to be looked at", async () => {
  assert.deepEqual(await lines(outgoing, target({ credentials: {} })), [
    "not looked at: mail of example.org, out and in: no password of a mailbox there is known to the stack",
  ]);
});
