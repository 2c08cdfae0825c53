import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { it } from "node:test";
import { dkimSelectors } from "../../plan/dkim.ts";
import { asksForMail, dnsRecords } from "../../plan/records.ts";
import { sesDomains, sesPolicy, sesPrivateKey } from "../../plan/ses.ts";
import { settingsWith } from "../options/settings.ts";

it("a key for SES is the DER of the PEM in base64, without a line break", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const text = sesPrivateKey(pem);
  // API reference, "DkimSigningAttributes".
  assert.match(text, /^[a-zA-Z0-9+/]+={0,2}$/);
  const back = createPrivateKey({ key: Buffer.from(text, "base64"), format: "der", type: "pkcs8" });
  assert.ok(back.equals(privateKey));
  for (const wrong of [pem.replaceAll("PRIVATE", "RSA PRIVATE"), "", text])
    assert.throws(() => sesPrivateKey(wrong), /no PKCS#8 PEM/);
});

function sesOf(keys: Readonly<Record<string, unknown>>) {
  const settings = settingsWith(keys);
  return sesDomains(settings, dkimSelectors(settings, {}));
}

it("a domain's identity has the RSA key that its record publishes", () => {
  assert.deepEqual(sesOf({}), []);
  assert.deepEqual(sesOf({ relay: "ses" }), [
    {
      domain: "example.org",
      mailFrom: "bounce.example.org",
      dkim: {
        domain: "example.org",
        selector: "20261121r",
        algorithm: "rsa",
        state: "signing",
        name: "20261121r._domainkey.example.org",
      },
    },
  ]);
});

it("the login may send as these identities, and nothing else", () => {
  assert.deepEqual(JSON.parse(sesPolicy(["arn:one", "arn:two"])), {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "ses:SendRawEmail", Resource: ["arn:one", "arn:two"] }],
  });
});

it("the MX of SES's bounces is published before the host is there, those of the domains after it", () => {
  const settings = settingsWith({ relay: "ses" });
  const mx = dnsRecords(settings, "2026-11-21").filter(({ type }) => type === "MX");
  assert.deepEqual(
    mx.map((record) => [record.name, asksForMail(settings, record)]),
    [
      ["example.org", true],
      ["bounce.example.org", false],
    ],
  );
});
