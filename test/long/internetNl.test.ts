/**
 * The rules of Internet.nl's mail test (https://internet.nl/test-mail/), each a test, for a domain on default settings. The
 * connection is judged by testssl, DANE by Postfix, signatures by the validating resolver.
 *
 * What cannot be here: RPKI, and IPv6, of which the small internet has none.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { cloudInfo, onHost } from "../e2e/mailhost.ts";
import { ownCloud } from "./own-cloud.ts";

const domain = "example.org";
const mx = "mail.example.org";
/** What testssl finds at port 25, by its own names. */
const found = new Map<string, { readonly severity: string; readonly finding: string }>();

ownCloud(undefined, async () => {
  await onHost(
    "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends testssl.sh bsdextrautils dnsutils",
  );
  await onHost("cat >/root/issuer.pem", cloudInfo().issuerCa);
});

const dig = (...question: readonly string[]) => onHost(`dig +noall +answer +comments ${question.join(" ")}`);
const txt = async (name: string) =>
  [...(await dig(name, "TXT")).matchAll(/\sTXT\s+(.*)$/gm)].map(([, text = ""]) =>
    [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part).join(""),
  );

/** Signed, and found right by the resolver: the answer has its AD flag (RFC 4035 section 3.2.3). */
async function isSigned(...question: readonly string[]): Promise<void> {
  const answer = await dig("+dnssec", ...question);
  assert.match(answer, /status: NOERROR/);
  assert.match(answer, /flags: qr rd ra ad;/);
  assert.match(answer, /\sRRSIG\s/);
}

/** @param names testssl's; each has to be there, so that a name that it no longer has is noticed */
function nothingBad(...names: readonly string[]): void {
  for (const name of names) {
    const { severity, finding } = found.get(name) ?? assert.fail(`testssl says nothing of ${name}`);
    assert.match(severity, /^(OK|INFO|LOW)$/, `${name}: ${finding}`);
  }
}

describe("signed domain names (DNSSEC)", () => {
  test("the address's domain is signed, and its signatures are right", () => isSigned(domain, "MX"));
  test("the mail server's name is signed, and its signatures are right", () => isSigned(mx, "A"));
});

describe("authenticity marks against phishing", () => {
  test("DMARC: there is one record", async () => {
    const records = await txt(`_dmarc.${domain}`);
    assert.equal(records.filter((record) => record.startsWith("v=DMARC1;")).length, 1);
  });
  test("DMARC: its policy is quarantine or reject", async () => {
    assert.match((await txt(`_dmarc.${domain}`)).join(), /;\s*p=(quarantine|reject)\b/);
  });
  test("DKIM: the domain has keys (RFC 2308: an empty name is no missing one)", async () => {
    assert.match(await dig(`_domainkey.${domain}`, "TXT"), /status: NOERROR/);
  });
  test("SPF: there is one record", async () => {
    assert.equal((await txt(domain)).filter((record) => /^v=spf1( |$)/.test(record)).length, 1);
  });
  test("SPF: it ends with -all or ~all", async () => {
    assert.match((await txt(domain)).join("\n"), /^v=spf1 .*[-~]all$/m);
  });
});

describe("secure mail server connection", () => {
  before(async () => {
    await onHost(
      `cd /root && testssl --quiet --color 0 --warnings off --ip one --add-ca /root/issuer.pem --jsonfile 25.json --starttls smtp ${mx}:25 >/dev/null 2>&1 || true`,
    );
    for (const { id, ...rest } of JSON.parse(await onHost("cat /root/25.json")) as readonly {
      id: string;
      severity: string;
      finding: string;
    }[])
      found.set(id, rest);
  });

  test("STARTTLS is offered", async () => {
    assert.match(await onHost(`posttls-finger -t 20 -l may ${mx} 2>&1`), /TLS connection established/);
  });
  test("TLS version: 1.2 and 1.3, and none before", () => {
    nothingBad("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3");
    assert.match(found.get("TLS1_3")?.finding ?? "", /offered/);
  });
  test("ciphers: none that is weak", () => {
    nothingBad(
      ...["cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT", "cipherlist_LOW"],
      ...["cipherlist_3DES_IDEA", "RC4", "cipherlist_STRONG_FS"],
    );
  });
  test("cipher order: the server's, or none but good ones", () => nothingBad("cipher_order"));
  test("key exchange: curves and groups that are strong", () => nothingBad("FS", "FS_ECDHE_curves"));
  test("hash function for the key exchange: SHA-256 or better", () => {
    assert.doesNotMatch(found.get("FS_TLS12_sig_algs")?.finding ?? assert.fail(), /SHA1|MD5/i);
  });
  test("no TLS compression", () => nothingBad("CRIME_TLS"));
  test("secure renegotiation, and none that a client begins", () =>
    nothingBad("secure_renego", "secure_client_renego"));
  test("no 0-RTT", async () => {
    const said = await onHost(
      `(sleep 2; echo QUIT) | openssl s_client -connect ${mx}:25 -starttls smtp -tls1_3 2>/dev/null`,
    );
    assert.match(said, /^ +Max Early Data: 0$/m);
    assert.doesNotMatch(said, /Max Early Data: [1-9]/);
  });
  test("extended master secret (RFC 7627)", () => {
    assert.match(found.get("TLS_extensions")?.finding ?? assert.fail(), /extended master secret/);
  });
  test("certificate: key and signature are strong", () =>
    nothingBad("cert_keySize", "cert_signatureAlgorithm"));
  test("certificate: its chain is whole, and it is for the server's name", () =>
    nothingBad("cert_chain_of_trust", "cert_trust"));
  test("CAA: the certificate's authorities are named", async () => {
    assert.match(await dig(mx, "CAA"), /\sCAA\s+0 issue "acme\.example\.net;/);
  });
  test("DANE: there are TLSA records, signed", () => isSigned(`_25._tcp.${mx}`, "TLSA"));
  test("DANE: they fit the certificate", async () => {
    assert.match(
      await onHost(`posttls-finger -t 20 -c -l dane-only -L summary ${domain} 2>&1`),
      /Verified TLS connection/,
    );
  });
  test("DANE: two of them, so that a key can be changed over", async () => {
    const records = (await dig(`_25._tcp.${mx}`, "TLSA")).match(/\sTLSA\s+3 1 1 /g);
    assert.equal(records?.length, 2);
  });
});
