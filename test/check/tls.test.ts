import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import sshpk from "sshpk";
import { tls } from "../../check/items/tls.ts";
import { authority, lines, smtp, type TestServer, target, withPorts } from "./fixtures.ts";

const trusted = authority();
const good = trusted.issue("mail.example.org");

async function imaps(options: TlsOptions): Promise<TestServer> {
  const server = createServer({ ...good, ...options }, (socket) => socket.on("error", () => undefined));
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function said(name: "imaps" | "smtp", server: TestServer): Promise<string[]> {
  try {
    const found = await lines(
      tls,
      target({ bundles: withPorts({ [name]: server.port }), trustedCas: [trusted.ca] }),
    );
    return found.map((line) => line.replace(String(server.port), "N"));
  } finally {
    await server.close();
  }
}

const fine =
  /^right: port N \((imaps|smtp)\): TLS 1\.3, nothing older than TLS 1\.2; certificate for mail\.example\.org from authority\.test, 8[89] days left$/;

test("TLS 1.3 with a trusted certificate is right, at once and after STARTTLS", async () => {
  const [implicit, ...rest] = await said("imaps", await imaps({}));
  assert.match(implicit ?? "", fine);
  assert.deepEqual(rest, []);
  assert.match((await said("smtp", await smtp(good)))[0] ?? "", fine);
});

test("a self-signed certificate, another's name, an unknown authority are wrong", async () => {
  const stranger = authority("stranger.test").issue("mail.example.org");
  assert.deepEqual(await said("imaps", await imaps(stranger)), [
    "wrong: port N (imaps): the certificate comes without its intermediate one, or from an unknown authority",
  ]);
  const alone = sshpk.createSelfSignedCertificate(
    sshpk.identityForHost("mail.example.org"),
    sshpk.parsePrivateKey(good.key),
  );
  assert.deepEqual(await said("imaps", await imaps({ key: good.key, cert: alone.toString("pem") })), [
    "wrong: port N (imaps): the certificate is self-signed, as before the first real one",
  ]);
  assert.deepEqual(await said("imaps", await imaps(trusted.issue("www.example.org"))), [
    "wrong: port N (imaps): the certificate is not for mail.example.org",
  ]);
});

test("expired or soon to expire is wrong", async () => {
  assert.deepEqual(
    await said("imaps", await imaps(trusted.issue("mail.example.org", { past: 90, future: -1 }))),
    ["wrong: port N (imaps): the certificate has expired"],
  );
  assert.deepEqual(
    await said("smtp", await smtp(trusted.issue("mail.example.org", { past: 80, future: 10.5 }))),
    ["wrong: port N (smtp): the certificate has only 10 days left"],
  );
});

test("TLS 1.1 is wrong, by either way in", async () => {
  const old: TlsOptions = { minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" };
  assert.deepEqual(await said("imaps", await imaps(old)), [
    "wrong: port N (imaps): accepts TLS 1.1, which is broken",
  ]);
  assert.deepEqual(await said("smtp", await smtp({ ...good, ...old })), [
    "wrong: port N (smtp): accepts TLS 1.1, which is broken",
  ]);
});

test("no STARTTLS, and nobody there, are wrong", async () => {
  const [line = ""] = await said("smtp", await smtp({ ...good, disabledCommands: ["STARTTLS", "AUTH"] }));
  assert.match(line, /^wrong: port N \(smtp\): no encryption: STARTTLS was answered/);
  const closed = await imaps({});
  await closed.close();
  const [gone = ""] = await said("imaps", { port: closed.port, close: async () => undefined });
  assert.match(gone, /^wrong: port N \(imaps\): no encryption: .* refused$/);
});
