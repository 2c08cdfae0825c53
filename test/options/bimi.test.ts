import assert from "node:assert/strict";
import { it } from "node:test";
import { dnsRecords } from "../../plan/records.ts";
import { pageHost, webPages } from "../../plan/web.ts";
import { logo } from "./logo.ts";
import { settingsWith } from "./settings.ts";

const domains = (more: object) => ({
  "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, ...more },
});

function published(keys: Readonly<Record<string, unknown>>, ramps = {}) {
  const settings = settingsWith({ clientSetup: false, mtaSts: false, ...keys });
  return {
    records: dnsRecords(settings, "2026-11-21", {}, ramps).filter(({ name }) => name.includes("_bimi")),
    pages: webPages(settings, ramps),
  };
}

it("bimi: off by default, and no trace of it", () => {
  assert.deepEqual(published({}), { records: [], pages: [] });
});

it("bimi: the Worker shows the logo to the letter, and the record leads there", () => {
  const { records, pages } = published({ bimi: { "example.org": { logo } } });
  const [{ zone, name, type, content } = assert.fail(), ...more] = records;
  assert.deepEqual(more, []);
  assert.deepEqual([zone, name, type], ["example.org", "default._bimi.example.org", "TXT"]);
  assert.equal(content, "v=BIMI1; l=https://bimi.example.org/logo.svg");
  assert.deepEqual(pages, [
    {
      zone: "example.org",
      host: "bimi.example.org",
      path: "/logo.svg",
      method: "GET",
      headers: { "content-type": "image/svg+xml" },
      content: { text: logo },
    },
  ]);
  // The record waits for its page.
  assert.equal(pageHost(name), "bimi.example.org");
});

it("bimi: a logo elsewhere needs no Worker, and a certificate is named", () => {
  const brand = { url: "https://www.example.org/logo.svg", certificate: "https://www.example.org/logo.pem" };
  const { records, pages } = published({ bimi: { "example.org": brand }, dns: { provider: "byHand" } });
  assert.deepEqual(pages, []);
  assert.deepEqual(
    records.map(({ content }) => content),
    ["v=BIMI1; l=https://www.example.org/logo.svg; a=https://www.example.org/logo.pem"],
  );
});

it("bimi: where DMARC ramps, the record comes when the policy keeps others out", () => {
  const keys = { bimi: { "example.org": { logo } }, domains: domains({ dmarc: "ramp" }) };
  assert.deepEqual(published(keys).records, []);
  assert.equal(published(keys).pages.length, 1);
  const at = { "_dmarc.example.org": { policy: "quarantine", since: "2026-11-01T00:00:00.000Z", why: "x" } };
  assert.equal(published(keys, at).records.length, 1);
});

it("bimi: what cannot be shown is refused with what to write", () => {
  const refuse = (brand: object, message: RegExp, more: object = {}) =>
    assert.throws(() => settingsWith({ bimi: { "example.org": brand }, ...more }), message);
  refuse({ logo }, /mailhost:bimi.*wants a DMARC policy.*write `dmarc: quarantine`/, {
    domains: domains({ dmarc: "none" }),
  });
  refuse({ logo }, /zone example\.org is not at Cloudflare.*write its url instead/, {
    dns: { provider: "byHand" },
  });
  refuse({}, /write one of logo and url/);
  refuse({ logo, url: "https://example.org/a.svg" }, /write one of logo and url/);
  refuse({ url: "http://example.org/a.svg" }, /is not an https URL/);
  refuse({ url: "https://example.org/a;b.svg" }, /a semicolon %3B/);
  refuse({ logo: logo.replace("tiny-ps", "tiny") }, /write baseProfile="tiny-ps"/);
  assert.throws(
    () => settingsWith({ bimi: { "example.net": { logo } } }),
    /mailhost:bimi.*example\.net.*is no mail domain of this host/,
  );
  assert.throws(() => settingsWith({ vmc: {} }), /mailhost:vmc: is not a setting; write bimi/);
});
