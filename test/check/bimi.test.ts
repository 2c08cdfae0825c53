import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bimi } from "../../check/items/bimi.ts";
import { dnsRecords } from "../../plan/records.ts";
import { logo } from "../options/logo.ts";
import { settingsWith } from "../options/settings.ts";
import { type DnsWorld, startDnsWorld } from "./dnsworld.ts";
import { authority, lines, target } from "./fixtures.ts";

// A web server at a loopback address that is nobody else's, which shows a logo and its certificate.
const address = "127.91.25.3";
const trusted = authority();
const shown = new Map<string, string>();
const server = createServer(trusted.issue("www.example.org"), ({ url = "" }, response) => {
  const text = shown.get(url);
  response.writeHead(text === undefined ? 404 : 200).end(text);
});

let world: DnsWorld;
before(async () => {
  world = await startDnsWorld({
    "example.org": { lines: [`www A ${address}`, '_dmarc TXT "v=DMARC1; p=reject; sp=none"'] },
    "strict.test": { lines: ['_dmarc TXT "v=DMARC1; p=quarantine"'] },
    "part.test": { lines: ['_dmarc TXT "v=DMARC1; p=quarantine; pct=20"'] },
    "none.test": { lines: [] },
  });
  await once(server.listen(443, address), "listening");
});
after(async () => {
  await new Promise((resolve) => server.close(resolve));
  await world?.close();
});

/** A certificate of openssl's, whose EKU and names nothing here has made up. */
function certificate(
  options: { readonly usage?: string; readonly name?: string; readonly days?: number } = {},
): string {
  const { usage = "1.3.6.1.5.5.7.3.31", name = "example.org", days = 90 } = options;
  const folder = mkdtempSync(join(tmpdir(), "mailhost-bimi-"));
  try {
    writeFileSync(
      join(folder, "mark.conf"),
      `[req]\ndistinguished_name=dn\nx509_extensions=mark\n[dn]\n[mark]\nextendedKeyUsage=${usage}\nsubjectAltName=DNS:${name}\n`,
    );
    const args = `req -x509 -newkey ed25519 -nodes -subj /CN=Example -days ${days} -config mark.conf -keyout key.pem -out mark.pem`;
    execFileSync("openssl", args.split(" "), { cwd: folder, stdio: "pipe" });
    return readFileSync(join(folder, "mark.pem"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function said(keys: Readonly<Record<string, unknown>>): Promise<string[]> {
  const settings = settingsWith(keys);
  const records = dnsRecords(settings, "2026-11-21").map((record) => ({ ...record, content: "" }));
  return await lines(bimi, target({ settings, records, resolver: world.resolver, trustedCas: [trusted.ca] }));
}

const elsewhere = { url: "https://www.example.org/logo.svg" };
const certified = { ...elsewhere, certificate: "https://www.example.org/logo.pem" };

test("bimi: where there is no logo there is nothing to say, and none is published before its time", async () => {
  assert.deepEqual(await said({}), []);
  const domains = { "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, dmarc: "ramp" } };
  assert.deepEqual(await said({ bimi: { "example.org": { logo } }, domains }), [
    "right: the logo of example.org is published when its DMARC policy has come to quarantine",
  ]);
});

test("bimi: a logo of the Worker's, one elsewhere, and one with a certificate are right", async () => {
  shown.set("/logo.svg", logo).set("/logo.pem", certificate());
  for (const brand of [{ logo }, elsewhere])
    assert.deepEqual(await said({ bimi: { "example.org": brand } }), [
      "right: the logo of example.org can be shown, by those that want no certificate",
    ]);
  assert.deepEqual(await said({ bimi: { "example.org": certified } }), [
    "right: the logo of example.org can be shown",
  ]);
});

test("bimi: a logo that is gone, or is none of the kind", async () => {
  shown.clear();
  assert.deepEqual(await said({ bimi: { "example.org": elsewhere } }), [
    "wrong: https://www.example.org/logo.svg is not to be seen: the answer is 404",
  ]);
  shown.set("/logo.svg", logo.replace("tiny-ps", "full"));
  assert.deepEqual(await said({ bimi: { "example.org": elsewhere } }), [
    'wrong: the logo at https://www.example.org/logo.svg has baseProfile="full" in its first tag',
  ]);
  assert.deepEqual(await said({ bimi: { "example.org": { url: "https://gone.example.org/logo.svg" } } }), [
    "wrong: https://gone.example.org/logo.svg is not to be seen: its name has no address (NXDOMAIN)",
  ]);
});

test("bimi: a certificate that is none, is another's, is no mark certificate, or ends", async () => {
  shown.set("/logo.svg", logo);
  const where = "wrong: the logo's certificate at https://www.example.org/logo.pem";
  for (const [pem, line] of [
    ["PEM", `${where} is none (PEM)`],
    [certificate({ usage: "serverAuth" }), `${where} is not one for logos (VMC or CMC)`],
    [certificate({ name: "example.net" }), `${where} is for example.net, not for example.org`],
    [certificate({ days: 20 }), /ends in (19|20) days$/],
  ] as const) {
    shown.set("/logo.pem", pem);
    const [found = "", ...more] = await said({ bimi: { "example.org": certified } });
    assert.deepEqual(more, []);
    if (typeof line === "string") assert.equal(found, line);
    else assert.match(found, line);
  }
});

test("bimi: the domain above has a say, with all that it says", async () => {
  const below = async (zone: string) => {
    const name = `shop.${zone}`;
    const domains = { [name]: { since: "2026-11-21", zone, mailboxes: { ann: {} } } };
    const keys = { domains, bimi: { [name]: { logo } }, owner: `ann@${name}`, hostname: `mail.${zone}` };
    return (await said(keys)).join();
  };
  assert.match(await below("strict.test"), /^right: /);
  assert.match(
    await below("example.org"),
    /^wrong: .* is shown by nobody: example\.org says "v=DMARC1; p=reject; sp=none"$/,
  );
  assert.match(await below("part.test"), /pct=20"$/);
  assert.match(await below("none.test"), /^wrong: .*none\.test has no DMARC record$/);
});
