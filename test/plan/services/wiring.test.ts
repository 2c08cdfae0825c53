/** What one daemon's file says about another has to be what the other's says about itself. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../../plan/host.ts";
import { sampleSettings } from "./sample.ts";

const bundles = hostBundles(sampleSettings());
const files = new Map(
  bundles.flatMap((bundle) => bundle.files.map(({ path, content }) => [path, content] as const)),
);

function text(path: string): string {
  return files.get(path) ?? assert.fail(`no ${path}`);
}

function value(path: string, pattern: RegExp): string {
  return pattern.exec(text(path))?.[1] ?? assert.fail(`${path} has no ${pattern}`);
}

const mainCf = "/etc/postfix/main.cf";
const dovecotConf = "/etc/dovecot/dovecot.conf";

it("Postfix delivers to and asks the sockets that Dovecot opens", () => {
  for (const name of [
    value(mainCf, /^virtual_transport = lmtp:unix:(.*)$/m),
    value(mainCf, /^smtpd_sasl_path = (.*)$/m),
  ])
    assert.ok(text(dovecotConf).includes(`unix_listener /var/spool/postfix/${name} {`), name);
});

it("Postfix asks rspamd where it listens", () => {
  assert.equal(
    value(mainCf, /^smtpd_milters = inet:(.*)$/m),
    value("/etc/rspamd/local.d/worker-proxy.inc", /^bind_socket = "(.*)";$/m),
  );
});

it("rspamd finds Redis, and asks the host's own resolver", () => {
  assert.equal(
    value("/etc/rspamd/local.d/redis.conf", /^servers = "(.*)";$/m),
    value("/etc/redis/redis.conf", /^unixsocket (.*)$/m),
  );
  assert.equal(value("/etc/rspamd/local.d/options.inc", /nameserver = \["(.*)"\]/), "127.0.0.1");
});

it("what rspamd learns can be taken by Redis, once it is full: only what expires can", () => {
  assert.equal(value("/etc/redis/redis.conf", /^maxmemory-policy (.*)$/m), "volatile-ttl");
  const seconds = Number(value("/etc/rspamd/local.d/classifier-bayes.conf", /^expire = (\d+);$/m));
  assert.equal(seconds / 86_400, 100);
});

it("what rspamd marks is what Dovecot files", () => {
  assert.equal(
    value("/etc/rspamd/local.d/worker-proxy.inc", /^spam_header = "(.*)";$/m),
    value("/etc/dovecot/sieve/spam.sieve", /header :is "(.*?)"/),
  );
});

it("what Postfix takes is not too large for rspamd", () => {
  const taken = Number(value(mainCf, /^message_size_limit = (\d+)$/m));
  const scanned = Number(value("/etc/rspamd/local.d/options.inc", /^max_message = (\d+)M;$/m)) * 1024 * 1024;
  assert.ok(taken >= 50 * 1024 * 1024);
  assert.ok(scanned > taken);
});

it("Postfix and Dovecot show the certificate that the bundle tls keeps", () => {
  const chain = value(mainCf, /^smtpd_tls_chain_files = (.*)$/m).split(" ");
  assert.deepEqual(chain, [
    value(dovecotConf, /^ssl_server_key_file = (.*)$/m),
    value(dovecotConf, /^ssl_server_cert_file = (.*)$/m),
  ]);
  const made = bundles.find(({ name }) => name === "tls")?.derivations.flatMap(({ makes = [] }) => makes);
  for (const path of chain) assert.ok(made?.includes(path), path);
});

it("every table of Postfix is a file that some bundle compiles", () => {
  const compiled = bundles.flatMap(({ derivations }) => derivations.flatMap(({ makes = [] }) => makes));
  for (const [, path] of text(mainCf).matchAll(/lmdb:(\S+)/g))
    assert.ok(compiled.includes(`${path}.lmdb`), path);
});

it("doors that begin in plain text are closed: no IMAP on 143, no POP3", () => {
  assert.match(text(dovecotConf), /inet_listener imap {\n {4}port = 0\n/);
  assert.doesNotMatch(text(dovecotConf), /pop3/);
  const mail = bundles
    .filter(({ name }) => ["postfix", "dovecot"].includes(name))
    .flatMap(({ ports }) => ports);
  assert.deepEqual(
    mail.map(({ number }) => number).toSorted((a, b) => a - b),
    [25, 465, 587, 993],
  );
});

it("every bundle named in `after` stands before", () => {
  const seen = new Set<string>();
  for (const { name, after } of bundles) {
    for (const other of after) assert.ok(seen.has(other), `${name} waits for ${other}`);
    seen.add(name);
  }
});
