import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Properties, Secret, UNKNOWN } from "../../../local/providers/framework.ts";
import { provider } from "../../../local/providers/tls/provider.ts";
import { connect, type ProviderClient } from "./client.ts";

const KEY = "tls:index/privateKey:PrivateKey";

let client: ProviderClient;
let folder: string;
before(async () => {
  client = await connect(provider);
  folder = mkdtempSync(join(tmpdir(), "tls-test-"));
});
after(() => {
  client.close();
  rmSync(folder, { recursive: true });
});

/** What OpenSSL or OpenSSH says; their failure is the test's. */
function judge(command: string, args: string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", input });
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

function secretText(value: Properties[string]): string {
  assert.ok(value instanceof Secret, "a private key is a secret");
  return String(value.value);
}

const KINDS: { inputs: Properties; ssh: boolean; header: string }[] = [
  { inputs: { algorithm: "ED25519" }, ssh: true, header: "BEGIN PRIVATE KEY" },
  { inputs: { algorithm: "RSA" }, ssh: true, header: "BEGIN RSA PRIVATE KEY" },
  { inputs: { algorithm: "RSA", rsaBits: 3072 }, ssh: true, header: "BEGIN RSA PRIVATE KEY" },
  { inputs: { algorithm: "ECDSA" }, ssh: false, header: "BEGIN EC PRIVATE KEY" },
  { inputs: { algorithm: "ECDSA", ecdsaCurve: "P256" }, ssh: true, header: "BEGIN EC PRIVATE KEY" },
  { inputs: { algorithm: "ECDSA", ecdsaCurve: "P384" }, ssh: true, header: "BEGIN EC PRIVATE KEY" },
  { inputs: { algorithm: "ECDSA", ecdsaCurve: "P521" }, ssh: true, header: "BEGIN EC PRIVATE KEY" },
];

for (const { inputs, ssh, header } of KINDS) {
  const title = Object.values(inputs).join(" ");
  test(`${title}: OpenSSL and OpenSSH read the key, and agree about its public half`, async () => {
    const { id, properties } = await client.create(KEY, inputs);
    assert.match(id, /^[0-9a-f]{40}$/);
    const pem = secretText(properties.privateKeyPem);
    const pkcs8 = secretText(properties.privateKeyPemPkcs8);
    assert.match(pem, new RegExp(`^-----${header}-----\n`));
    assert.match(pkcs8, /^-----BEGIN PRIVATE KEY-----\n/);
    for (const each of [pem, pkcs8]) {
      assert.equal(judge("openssl", ["pkey", "-pubout"], each), properties.publicKeyPem);
    }
    const openssh = secretText(properties.privateKeyOpenssh);
    if (!ssh) {
      assert.equal(openssh, "");
      assert.equal(properties.publicKeyOpenssh, "");
      assert.equal(properties.publicKeyFingerprintSha256, "");
      return;
    }
    const file = join(folder, id);
    writeFileSync(file, openssh, { mode: 0o600 });
    const [algorithm, blob] = judge("ssh-keygen", ["-y", "-f", file]).trim().split(" ");
    assert.equal(`${algorithm} ${blob}\n`, properties.publicKeyOpenssh);
    writeFileSync(`${file}.pub`, String(properties.publicKeyOpenssh));
    const fingerprint = (hash: string) =>
      judge("ssh-keygen", ["-l", "-E", hash, "-f", `${file}.pub`]).split(" ")[1];
    assert.equal(fingerprint("sha256"), properties.publicKeyFingerprintSha256);
    assert.equal(fingerprint("md5"), `MD5:${properties.publicKeyFingerprintMd5}`);
  });
}

test("OpenSSH reads every one of many keys, whatever their leading bytes", async () => {
  for (let round = 0; round < 20; round++) {
    const { id, properties } = await client.create(KEY, { algorithm: "ECDSA", ecdsaCurve: "P521" });
    const file = join(folder, id);
    writeFileSync(file, secretText(properties.privateKeyOpenssh), { mode: 0o600 });
    const [, blob] = judge("ssh-keygen", ["-y", "-f", file]).trim().split(" ");
    assert.equal(blob, String(properties.publicKeyOpenssh).trim().split(" ")[1]);
  }
});

test("every change replaces, and a refresh changes nothing", async () => {
  const inputs = { algorithm: "RSA" };
  assert.deepEqual((await client.diff(KEY, inputs, { algorithm: "ED25519", rsaBits: 4096 })).changes, {
    algorithm: "update-replace",
    rsaBits: "add-replace",
  });
  const { id, properties } = await client.create(KEY, { algorithm: "ED25519" });
  const read = await client.read(KEY, id, properties, { algorithm: "ED25519" });
  assert.deepEqual(read.properties, properties);
  assert.deepEqual(read.inputs, { algorithm: "ED25519" });
});

test("a preview knows no key", async () => {
  const { properties } = await client.create(KEY, { algorithm: "RSA" }, { preview: true });
  assert.equal(properties.publicKeyOpenssh, UNKNOWN);
  assert.equal(properties.privateKeyPem, UNKNOWN);
});

test("another algorithm is refused", async () => {
  const { failures } = await client.check(KEY, { algorithm: "DSA" });
  assert.match(
    failures[0]?.reason ?? "",
    /expected algorithm to be one of \["RSA", "ECDSA", "ED25519"\], got DSA/,
  );
});
