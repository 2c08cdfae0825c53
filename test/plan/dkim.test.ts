import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, it } from "node:test";
import { dkimSelectors, domainOfHost, publicKeyOfPem } from "../../plan/dkim.ts";
import { parseSettings } from "../../settings/parse.ts";

function settingsOf(hostname: string, domains: Record<string, string>) {
  return parseSettings(
    {
      hostname,
      owner: "ann@elsewhere.example",
      ssh: { from: "203.0.113.7/32" },
      domains: Object.fromEntries(Object.entries(domains).map(([name, since]) => [name, { since }])),
    },
    {},
  );
}

describe("selectors", () => {
  it("carry the day and the algorithm, for every domain and for the host's own name", () => {
    const settings = settingsOf("mail.example.org", {
      "example.com": "2026-01-02",
      "example.org": "2026-11-21",
    });
    assert.deepEqual(dkimSelectors(settings, {}), [
      {
        domain: "example.com",
        selector: "20260102r",
        algorithm: "rsa",
        state: "signing",
        name: "20260102r._domainkey.example.com",
      },
      {
        domain: "example.com",
        selector: "20260102e",
        algorithm: "ed25519",
        state: "signing",
        name: "20260102e._domainkey.example.com",
      },
      {
        domain: "example.org",
        selector: "20261121r",
        algorithm: "rsa",
        state: "signing",
        name: "20261121r._domainkey.example.org",
      },
      {
        domain: "example.org",
        selector: "20261121e",
        algorithm: "ed25519",
        state: "signing",
        name: "20261121e._domainkey.example.org",
      },
      {
        domain: "mail.example.org",
        selector: "20261121r",
        algorithm: "rsa",
        state: "signing",
        name: "20261121r._domainkey.mail.example.org",
      },
      {
        domain: "mail.example.org",
        selector: "20261121e",
        algorithm: "ed25519",
        state: "signing",
        name: "20261121e._domainkey.mail.example.org",
      },
    ]);
  });

  it("stay as they are when another domain comes, whatever its day and place", () => {
    const before = dkimSelectors(settingsOf("mail.example.org", { "example.org": "2026-11-21" }), {});
    const after = dkimSelectors(
      settingsOf("mail.example.org", { "a.example": "2020-01-01", "example.org": "2026-11-21" }),
      {},
    );
    for (const selector of before)
      assert(
        after.some((other) => other.name === selector.name),
        selector.name,
      );
    assert.equal(after.length, before.length + 2);
  });
});

it("the host's name stands for the closest domain it lies in, else for the first", () => {
  const domains = { "a.example": "2026-01-01", "example.org": "2026-01-01", "b.example.org": "2026-01-01" };
  assert.equal(domainOfHost(settingsOf("mail.b.example.org", domains)).name, "b.example.org");
  assert.equal(domainOfHost(settingsOf("mail.example.org", domains)).name, "example.org");
  assert.equal(domainOfHost(settingsOf("mail.host.example", domains)).name, "a.example");
});

describe("public keys", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ed25519 = generateKeyPairSync("ed25519");
  const pem = (key: { export(options: { type: "spki"; format: "pem" }): string | Buffer }) =>
    String(key.export({ type: "spki", format: "pem" }));

  it("of RSA are the whole SPKI", () => {
    const value = publicKeyOfPem(pem(rsa.publicKey), "rsa");
    const key = createPublicKey({ key: Buffer.from(value, "base64"), format: "der", type: "spki" });
    assert(verify("sha256", Buffer.from("text"), key, sign("sha256", Buffer.from("text"), rsa.privateKey)));
    assert.doesNotMatch(value, /\s/);
  });

  it("of Ed25519 are the bare 32 bytes", () => {
    const value = Buffer.from(publicKeyOfPem(pem(ed25519.publicKey), "ed25519"), "base64");
    assert.equal(value.length, 32);
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: value.toString("base64url") },
      format: "jwk",
    });
    assert(verify(null, Buffer.from("text"), key, sign(null, Buffer.from("text"), ed25519.privateKey)));
  });

  it("of the other algorithm are refused", () => {
    assert.throws(
      () => publicKeyOfPem(pem(rsa.publicKey), "ed25519"),
      /holds an rsa key, not an ed25519 one/,
    );
    assert.throws(() => publicKeyOfPem("no key", "rsa"));
  });
});
