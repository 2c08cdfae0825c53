import assert from "node:assert/strict";
import { it } from "node:test";
import { bundleDocument, secretsDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { dnsRecords } from "../../plan/records.ts";
import { noSecrets } from "../noSecrets.ts";
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
  const document = secretsDocument(own, noSecrets) ?? "";
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

const second = { since: "2026-11-21", mailboxes: { carol: {} } };
const both = { "example.org": { since: "2026-11-21", mailboxes: { ann: {} } }, "example.com": second };
const records = (settings: ReturnType<typeof settingsWith>) =>
  Object.fromEntries(
    dnsRecords(settings, "2026-11-21")
      .filter(({ name, type }) => /^(bounce|_dmarc)\./.test(name) || (type === "TXT" && !name.includes("_")))
      .map(({ name, type, priority, content }) => [
        `${name} ${type}`,
        priority ? `${priority} ${content}` : String(content).replace(/;[^;]*$/, ""),
      ]),
  );

it("relay: `ses` is all that there is to say", () => {
  const settings = settingsWith({ relay: "ses", domains: both });
  assert.deepEqual(settings.options.relay, settingsWith({ relay: { host: "ses" } }).options.relay);
  const master = text(settings, "/etc/postfix/master.cf");
  assert.match(
    master,
    /^smarthost unix[\s\S]*?header_checks=pcre:\S+ses-headers\n.*_reply_filter=pcre:\S+ses-replies$/m,
  );
  assert.doesNotMatch(master, /CAfile|wrappermode=yes\n {2}-o smtp_sasl/);
  // Not everything: SES takes neither bounces nor what somebody else wrote.
  assert.doesNotMatch(text(settings, "/etc/postfix/main.cf"), /^default_transport/m);
  const [first, next] = text(settings, "/etc/postfix/sender-transports")
    .split("\n")
    .filter((line) => line.startsWith("/"));
  const to = "smarthost:[email-smtp.eu-central-1.amazonaws.com]:587";
  assert.equal(first, `/@(example\\.org|example\\.com)$/  ${to}`);
  assert.match(next ?? "", /mail\\\.example\\\.org.*DUNNO$/);
  assert.deepEqual(records(settings), {
    "mail.example.org TXT": "v=spf1 a -all",
    "_dmarc.mail.example.org TXT": "v=DMARC1; p=reject; adkim=s; aspf=s",
    "example.org TXT": "v=spf1 mx -all",
    "_dmarc.example.org TXT": "v=DMARC1; p=quarantine; adkim=s; aspf=r",
    "bounce.example.org MX": "10 feedback-smtp.eu-central-1.amazonses.com",
    "bounce.example.org TXT": "v=spf1 include:amazonses.com -all",
    "example.com TXT": "v=spf1 mx -all",
    "_dmarc.example.com TXT": "v=DMARC1; p=quarantine; adkim=s; aspf=r",
    "bounce.example.com MX": "10 feedback-smtp.eu-central-1.amazonses.com",
    "bounce.example.com TXT": "v=spf1 include:amazonses.com -all",
  });
});

it("relay: SES for one domain leaves the other's records and mail alone; `use: false` has the records", () => {
  const relay = { host: "ses", domains: ["example.com"], port: 465 };
  const settings = settingsWith({ relay, domains: both });
  assert.match(
    text(settings, "/etc/postfix/sender-transports"),
    /^\/@\(example\\\.com\)\$\/ {2}smarthost:\[.*\]:465$/m,
  );
  assert.match(
    text(settings, "/etc/postfix/master.cf"),
    /^smarthost unix[\s\S]*?wrappermode=yes\n {2}-o smtp_sasl/m,
  );
  const found = records(settings);
  assert.equal(found["_dmarc.example.org TXT"], "v=DMARC1; p=quarantine; adkim=s; aspf=s");
  assert.equal(found["bounce.example.org MX"], undefined);
  assert.equal(found["_dmarc.example.com TXT"], "v=DMARC1; p=quarantine; adkim=s; aspf=r");
  const prepared = settingsWith({ relay: { ...relay, use: false }, domains: both });
  assert.deepEqual(records(prepared), found);
  assert.equal(text(prepared, "/etc/postfix/master.cf"), text(settingsWith({}), "/etc/postfix/master.cf"));
});

it("relay: the login at SES is the program's, and in the secret file alone", () => {
  const own =
    hostBundles(settingsWith({ relay: "ses" })).find(({ name }) => name === "relay") ?? assert.fail();
  const ses = { username: "AKIAEXAMPLE", password: "BPo+/w==" };
  const document = secretsDocument(own, { ...noSecrets, ses }) ?? "";
  assert.ok(
    document.includes("[email-smtp.eu-central-1.amazonaws.com]:587 AKIAEXAMPLE:BPo+/w==\n"),
    document,
  );
  assert.deepEqual(own.secretFiles[0]?.needs, ["ses"]);
});

it("relay: what SES cannot be told is said", () => {
  for (const [keys, message] of [
    [{ relay: "sess" }, /relay: is a text where a text or a mapping belongs|relay: is/],
    [
      { relay: { host: "ses", username: "u", spf: [] } },
      /relay\.username: is made by the program[\s\S]*relay\.spf: is made/,
    ],
    [
      { relay: { host: "ses", port: 25 } },
      /relay\.port: is none that Amazon SES answers at; write 465 or 587 or 2587/,
    ],
    [{ relay: { host: "ses", domains: ["example.com"] } }, /relay\.domains.*: is no mail domain/],
    [
      { relay: "ses", domains: { ...both, "bounce.example.org": { ...second, zone: "example.org" } } },
      /relay: sends for example\.org in the name of bounce\.example\.org, which is in use/,
    ],
    [{ relay: { hosts: "ses" } }, /relay\.hosts: is not a setting; write host/],
  ] as const) {
    assert.throws(
      () => settingsWith(keys),
      (error: Error) => message.test(error.message),
      String(message),
    );
  }
});
