import assert from "node:assert/strict";
import { it } from "node:test";
import { bundleDocument, secretsDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { dnsRecords } from "../../plan/records.ts";
import { settingsWith } from "./settings.ts";

const password = "pass:word-of-the-relay";
const written = {
  host: "smtp.relay.example.net",
  username: "customer",
  password,
  spf: ["include:spf.relay.example.net", "ip4:192.0.2.7"],
};
const with_ = (keys: Readonly<Record<string, unknown>>) => settingsWith({ relay: { ...written, ...keys } });
const text = (settings: ReturnType<typeof settingsWith>, path: string) =>
  hostBundles(settings)
    .flatMap(({ files }) => files)
    .find((file) => file.path === path)?.content ?? "";
const spf = (settings: ReturnType<typeof settingsWith>) =>
  dnsRecords(settings, "2026-11-21")
    .filter(({ content }) => String(content).startsWith("v=spf1"))
    .map(({ name, content }) => `${name} ${content}`);

it("relay: off it is absent", () => {
  const settings = settingsWith({});
  assert.equal(
    hostBundles(settings).some(({ name }) => name === "relay"),
    false,
  );
  for (const file of ["main.cf", "master.cf", "sender-transports"])
    assert.doesNotMatch(text(settings, `/etc/postfix/${file}`), /relay-login|smarthost|default_transport = /);
  assert.deepEqual(spf(settings), ["mail.example.org v=spf1 a -all", "example.org v=spf1 mx -all"]);
});

it("relay: on, everything for the world goes to it, after a login over TLS that proves its name", () => {
  const settings = with_({});
  assert.match(
    text(settings, "/etc/postfix/main.cf"),
    /^default_transport = smarthost:\[smtp\.relay\.example\.net\]:587$/m,
  );
  const master = text(settings, "/etc/postfix/master.cf");
  assert.match(master, /^smarthost unix[\s\S]*?_level=secure\n[\s\S]*?password_maps=lmdb:\S+relay-login$/m);
  assert.doesNotMatch(master, /wrappermode=yes\n {2}-o smtp_sasl|CAfile/);
  assert.match(text(with_({ port: 465 }), "/etc/postfix/master.cf"), /-o smtp_tls_wrappermode=yes/);
  assert.deepEqual(spf(settings), [
    "mail.example.org v=spf1 a include:spf.relay.example.net ip4:192.0.2.7 -all",
    "example.org v=spf1 mx include:spf.relay.example.net ip4:192.0.2.7 -all",
  ]);
});

it("relay: the password is in one secret file, readable for root alone, and nowhere else", () => {
  const bundles = hostBundles(with_({}));
  for (const bundle of bundles) assert.ok(!bundleDocument(bundle).includes(password), bundle.name);
  const own = bundles.find(({ name }) => name === "relay") ?? assert.fail();
  const document = secretsDocument(own, { dkimPrivateKeys: {}, passwordHashes: {}, generated: {} }) ?? "";
  assert.match(document, /^=== \/etc\/postfix\/relay-login root:root 0600$/m);
  assert.ok(document.includes(`[smtp.relay.example.net]:587 customer:${password}\n`));
});

it("relay: for some domains alone, bounces and the others go straight", () => {
  const settings = with_({ domains: ["example.org"] });
  assert.doesNotMatch(text(settings, "/etc/postfix/main.cf"), /^default_transport/m);
  const [first, second] = text(settings, "/etc/postfix/sender-transports")
    .split("\n")
    .filter((line) => line.startsWith("/"));
  assert.equal(first, "/@(example\\.org)$/  smarthost:[smtp.relay.example.net]:587");
  assert.match(second ?? "", /mail\\\.example\\\.org\|.*DUNNO$/);
  assert.equal(spf(settings)[0], "mail.example.org v=spf1 a -all");
});

it("relay: `use: false` has the records, and sends straight", () => {
  const settings = with_({ use: false });
  assert.deepEqual(spf(settings), spf(with_({})));
  for (const file of ["main.cf", "master.cf"])
    assert.equal(text(settings, `/etc/postfix/${file}`), text(settingsWith({}), `/etc/postfix/${file}`));
});

it("relay: what is missing or cannot be is said, and never with the password", () => {
  for (const [relay, message] of [
    [{ username: "customer" }, /relay\.host: is missing/],
    [
      { host: "smtp.relay.example.net" },
      /relay\.username: is missing[\s\S]*relay\.password: is missing[\s\S]*relay\.spf: is missing/,
    ],
    [{ ...written, domains: ["example.com"] }, /relay\.domains.*: is no mail domain of this host/],
    [{ ...written, password: "two words" }, /relay\.password: has a blank/],
    [{ ...written, username: "a:b" }, /relay\.username: has a blank, a colon/],
    [{ ...written, spf: ["all"] }, /relay\.spf.*: is no mechanism/],
    [{ ...written, host: "[192.0.2.1]" }, /relay\.host: is not a host name/],
    [{ ...written, port: 0 }, /relay\.port/],
    [{ ...written, caCertificate: "x" }, /relay\.caCertificate: is not a certificate/],
  ] as const) {
    assert.throws(
      () => settingsWith({ relay }),
      (error: Error) => message.test(error.message) && !/two words|pass:word/.test(error.message),
      String(message),
    );
  }
});
