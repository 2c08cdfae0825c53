import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { it } from "node:test";
import { dkimSelectors } from "../../../plan/dkim.ts";
import { rspamd } from "../../../plan/services/rspamd.ts";
import { noSecrets } from "../../noSecrets.ts";
import { sampleSettings } from "./sample.ts";

const settings = sampleSettings();
const bundle = rspamd(settings, {});
const file = (path: string) => bundle.files.find((candidate) => candidate.path === path)?.content ?? "";
const keys = Object.fromEntries(
  dkimSelectors(settings, {}).map(({ name, algorithm }) => [
    name,
    algorithm === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey
      : generateKeyPairSync("ed25519").privateKey,
  ]),
);
const secrets = {
  ...noSecrets,
  dkimPrivateKeys: Object.fromEntries(
    Object.entries(keys).map(([name, key]) => [name, `${key.export({ type: "pkcs8", format: "pem" })}`]),
  ),
};

it("every domain and the host's own name is signed for with both keys", () => {
  assert.match(
    file("/etc/rspamd/local.d/dkim_signing.conf"),
    new RegExp(
      [
        "domain {",
        '  "example.org" {',
        "    selectors \\[",
        '      { selector = "20261120r", path = "/etc/rspamd/dkim/20261120r._domainkey.example.org.key" },',
        '      { selector = "20261120e", path = "/etc/rspamd/dkim/20261120e._domainkey.example.org.key" },',
        "    \\]",
        "  }",
        '  "example.com" {',
      ].join("\n"),
    ),
  );
  assert.match(file("/etc/rspamd/local.d/dkim_signing.conf"), /^ {2}"mail\.example\.org" {$/m);
});

it("what is passed on is sealed with the RSA key", () => {
  assert.match(
    file("/etc/rspamd/local.d/arc.conf"),
    /^ {2}"example\.com" { selector = "20261121r", path = ".*20261121r._domainkey.example.com.key" }$/m,
  );
});

it("each key that the configuration names is a file that only root and rspamd read", () => {
  const named = new Set(
    [...file("/etc/rspamd/local.d/dkim_signing.conf").matchAll(/path = "(.*?)"/g)].map((match) => match[1]),
  );
  assert.deepEqual(new Set(bundle.secretFiles.map(({ path }) => path)), named);
  for (const { owner, group, mode } of bundle.secretFiles)
    assert.deepEqual([owner, group, mode], ["root", "_rspamd", "0640"]);
});

it("an RSA key stays PEM, an Ed25519 one is its bare seed, as rspamd wants it", () => {
  for (const { path, content } of bundle.secretFiles) {
    const name = path.replace(/^.*\/|\.key$/g, "");
    const text = content(secrets);
    const key = text.startsWith("-----")
      ? createPrivateKey(text)
      : createPrivateKey({
          // RFC 8410 section 10.3: what comes before the seed is the same in every key.
          key: Buffer.concat([
            Buffer.from("302e020100300506032b657004220420", "hex"),
            Buffer.from(text.trim(), "base64"),
          ]),
          format: "der",
          type: "pkcs8",
        });
    assert.equal(key.asymmetricKeyType, /^\d+e\./.test(name) ? "ed25519" : "rsa");
    assert.deepEqual(
      createPublicKey(key).export({ type: "spki", format: "der" }),
      createPublicKey(keys[name] as typeof key).export({ type: "spki", format: "der" }),
    );
  }
});

it("a key that is missing is named", () => {
  assert.throws(
    () => bundle.secretFiles[0]?.content(noSecrets),
    /no private key for 20261120r\._domainkey\.example\.org/,
  );
});

it("only where addresses lead elsewhere is there a list of them", () => {
  const path = "/etc/rspamd/lua.local.d/forwarded-spam.lua";
  assert.match(file(path), /^local PASSED_ON = {\n {2}\['away@example.org'\] = true,\n}$/m);
  const domains = settings.domains.map((domain) => ({ ...domain, aliases: [] }));
  assert.equal(
    rspamd({ ...settings, domains }, {}).files.find((candidate) => candidate.path === path),
    undefined,
  );
});
