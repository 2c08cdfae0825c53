import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { senderPattern } from "../../plan/trustedHosts.ts";
import { settingsWith } from "./settings.ts";

/** A certificate such as a machine makes for itself, and the fingerprint of its key as Postfix's manual has it made. */
function selfSigned(): { readonly pem: string; readonly fingerprint: string } {
  const folder = mkdtempSync(join(tmpdir(), "trusted-"));
  try {
    const openssl = (...args: readonly string[]) =>
      execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    const names = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=nas", "-nodes", "-days", "2"];
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", ...names);
    openssl("x509", "-in", "cert.pem", "-noout", "-pubkey", "-out", "public.pem");
    openssl("pkey", "-pubin", "-in", "public.pem", "-outform", "DER", "-out", "public.der");
    const digest = openssl("dgst", "-sha256", "-c", "public.der").toString().trim().split("= ").at(-1) ?? "";
    return { pem: openssl("x509", "-in", "cert.pem").toString(), fingerprint: digest.toUpperCase() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const nas = selfSigned();
const hosts = {
  printer: { networks: ["192.0.2.10/32"], senders: ["Scanner@example.org"], limit: 2 },
  nas: { certificate: nas.pem, senders: ["nas@example.org"] },
  "shop-1": { login: true, senders: ["@example.org"] },
};

function filesOf(keys: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const bundles = hostBundles(settingsWith(keys));
  const generated = { "trusted-host-shop-1": "secret" };
  return new Map(
    bundles.flatMap((bundle) => [
      ...bundle.files.map(({ path, content }) => [path, content] as const),
      ...(bundle.name === "trusted-hosts" ? bundle.secretFiles : []).map(
        ({ path, content }) =>
          [path, content({ dkimKeys: {}, passwordHashes: {}, generated } as never)] as const,
      ),
    ]),
  );
}

it("trustedHosts: off, nothing of it is anywhere", () => {
  const found = filesOf({});
  for (const [path, text] of found) {
    assert.doesNotMatch(path, /trusted/);
    if (/^\/etc\/(postfix|dovecot)\//.test(path)) assert.doesNotMatch(text, /trusted/);
  }
  assert.doesNotMatch(found.get("/etc/rspamd/local.d/settings.conf") ?? "", /TRUSTED/);
});

it("trustedHosts: each is known by what the stack file says, and held to its senders", () => {
  const found = filesOf({ trustedHosts: hosts });
  const text = (path: string) => found.get(path) ?? assert.fail(path);
  assert.match(text("/etc/postfix/trusted-networks"), /^192\.0\.2\.10\/32 trusted_printer$/m);
  assert.match(
    text("/etc/postfix/trusted-certificates"),
    new RegExp(`^${nas.fingerprint} trusted_nas$`, "m"),
  );
  assert.match(text("/etc/postfix/trusted-logins"), /^shop-1@mail\.example\.org trusted_shop_1$/m);
  assert.match(
    text("/etc/postfix/trusted-senders.printer"),
    /^\/\^scanner\(\\\+\[\^@\]\*\)\?@example\\\.org\$\/ OK$/m,
  );
  const main = text("/etc/postfix/main.cf");
  assert.match(main, /^trusted_shop_1 = check_sender_access pcre:\/etc\/postfix\/trusted-senders\.shop-1$/m);
  const master = text("/etc/postfix/master.cf");
  assert.equal(
    master.match(/smtpd_relay_restrictions=permit_sasl_authenticated,trusted_hosts,reject/g)?.length,
    2,
  );
  assert.equal(master.match(/smtpd_tls_ask_ccert=yes/g)?.length, 2);
  assert.match(
    text("/etc/dovecot/trusted-hosts"),
    /^shop-1@mail\.example\.org:\{SHA512\.HEX\}[0-9a-f]{128}::::::nologin$/m,
  );
  assert.match(text("/etc/mailhost/bans.conf"), /^never 192\.0\.2\.10\/32$/m);
});

it("trustedHosts: what is not used is not there", () => {
  const { printer } = hosts;
  const found = filesOf({ trustedHosts: { printer } });
  for (const path of [
    "/etc/postfix/trusted-certificates",
    "/etc/postfix/trusted-logins",
    "/etc/dovecot/trusted-hosts",
  ])
    assert.equal(found.has(path), false, path);
  assert.doesNotMatch(found.get("/etc/postfix/master.cf") ?? "", /ask_ccert/);
});

it("trustedHosts: a limit of its own holds where mailboxes have none", () => {
  const names = (keys: Readonly<Record<string, unknown>>) =>
    hostBundles(settingsWith({ outgoingLimit: 0, ...keys })).map(({ name }) => name);
  const { printer, nas } = hosts;
  assert.ok(names({ trustedHosts: { printer } }).includes("outgoing-limit"));
  assert.ok(!names({ trustedHosts: { nas } }).includes("outgoing-limit"));
});

it("trustedHosts: a sender's pattern takes the address, its tags, and nothing else", () => {
  const takes = (sender: string, address: string) => new RegExp(senderPattern(sender), "i").test(address);
  assert.ok(takes("a.b@example.org", "a.b@example.org"));
  assert.ok(takes("a.b@example.org", "A.B+tag@Example.org"));
  for (const other of ["aXb@example.org", "xa.b@example.org", "a.b@exampleXorg", "a.b@example.org.net", "<>"])
    assert.ok(!takes("a.b@example.org", other), other);
  assert.ok(takes("@example.org", "anybody@example.org"));
  for (const other of ["anybody@sub.example.org", "anybody@example.org.net"])
    assert.ok(!takes("@example.org", other), other);
});

it("trustedHosts: what cannot be is said", () => {
  const { printer, nas } = hosts;
  for (const [trustedHosts, message] of [
    [
      { printer: { senders: ["a@example.org"] } },
      /trustedHosts\.printer: does not say how the host is known/,
    ],
    [{ printer: { ...printer, senders: [] } }, /trustedHosts\.printer\.senders: is empty/],
    [{ printer: { ...printer, senders: ["scanner"] } }, /senders\[0\]: is no address/],
    [
      { printer: { ...printer, senders: ["a@example.net"] } },
      /senders\[0\]: is of no mail domain of this host/,
    ],
    [
      { printer: { ...printer, networks: ["192.0.2.10"] } },
      /networks\[0\]: is a single address; write 192\.0\.2\.10\/32/,
    ],
    [{ printer, other: printer }, /trustedHosts\.other\.networks\[0\]: is the network of printer/],
    [{ nas, other: nas }, /trustedHosts\.other\.senders\[0\]: is a sender of nas too/],
    [
      { nas: { ...nas, certificate: "-----BEGIN" } },
      /trustedHosts\.nas\.certificate: is not a certificate in PEM/,
    ],
    [{ "My printer": printer }, /is no name for a host/],
  ] as const)
    assert.throws(() => settingsWith({ trustedHosts }), message);
});
