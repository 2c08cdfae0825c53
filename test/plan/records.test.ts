import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dkimSelectors } from "../../plan/dkim.ts";
import { recordContent } from "../../plan/facts.ts";
import { dnsRecords } from "../../plan/records.ts";
import type { DnsRecord, Facts } from "../../plan/types.ts";
import { parseSettings } from "../../settings/parse.ts";
import type { Settings } from "../../settings/types.ts";

function settingsOf(domains: Record<string, object>, keys: object = {}): Settings {
  const base = {
    hostname: "mail.example.org",
    owner: "ann@elsewhere.example",
    ssh: { from: "203.0.113.7/32" },
    // Its records are told in test/options/.
    clientSetup: false,
    mtaSts: false,
    tlsReports: false,
    dane: false,
    caa: false,
  };
  return parseSettings({ ...base, ...keys, domains }, {});
}

/** Each record on one line, as in a zone file, with the zone it lies in. */
function lines(settings: Settings, today: string): string[] {
  const facts: Facts = {
    publicIpv4: "198.51.100.1",
    publicIpv6: "2001:db8::1",
    publicKeys: Object.fromEntries(
      dkimSelectors(settings, {}).map(({ name, algorithm }) => [name, `KEY-${algorithm}`]),
    ),
  };
  return dnsRecords(settings, today).map((record) => line(record, facts));
}

function line(record: DnsRecord, facts: Facts): string {
  const { zone, name, ttl, type, priority } = record;
  const parts = [`[${zone}]`, name, ttl, type, priority, recordContent(record, facts)];
  return parts.filter((part) => part !== undefined).join(" ");
}

const one = settingsOf({ "example.org": { since: "2026-11-21" } });

/** Every feature of a record at once. */
const three = settingsOf(
  {
    "example.org": {
      since: "2026-11-21",
      dmarc: { policy: "reject", reportsTo: "x+dmarc!@elsewhere.example" },
    },
    "example.com": { since: "2026-11-01", dmarc: { reportsTo: "dmarc@example.org" } },
    "lists.example.org": {
      since: "2025-01-01",
      zone: "example.org",
      dmarc: { policy: "none", reportsTo: "dmarc@example.com" },
    },
  },
  { hostname: "mx.hosting.example", network: { ipv6: true } },
);

describe("the whole list", () => {
  it("of one new domain", () => {
    assert.deepEqual(lines(one, "2026-11-21"), [
      "[example.org] mail.example.org 300 A 198.51.100.1",
      "[example.org] mail.example.org 300 TXT v=spf1 a -all",
      "[example.org] 20261121r._domainkey.mail.example.org 300 TXT v=DKIM1; h=sha256; k=rsa; p=KEY-rsa",
      "[example.org] 20261121e._domainkey.mail.example.org 300 TXT v=DKIM1; h=sha256; k=ed25519; p=KEY-ed25519",
      "[example.org] _dmarc.mail.example.org 300 TXT v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:dmarc@example.org",
      "[example.org] example.org 300 MX 10 mail.example.org",
      "[example.org] example.org 300 TXT v=spf1 mx -all",
      "[example.org] 20261121r._domainkey.example.org 300 TXT v=DKIM1; h=sha256; k=rsa; p=KEY-rsa",
      "[example.org] 20261121e._domainkey.example.org 300 TXT v=DKIM1; h=sha256; k=ed25519; p=KEY-ed25519",
      "[example.org] _dmarc.example.org 300 TXT v=DMARC1; p=quarantine; adkim=s; aspf=s; rua=mailto:dmarc@example.org",
    ]);
  });

  it("of three domains of several ages, in two zones, and a host in a third", () => {
    assert.deepEqual(lines(three, "2026-11-25"), [
      "[hosting.example] mx.hosting.example 300 A 198.51.100.1",
      "[hosting.example] mx.hosting.example 300 AAAA 2001:db8::1",
      "[hosting.example] mx.hosting.example 300 TXT v=spf1 a -all",
      "[hosting.example] 20261121r._domainkey.mx.hosting.example 300 TXT v=DKIM1; h=sha256; k=rsa; p=KEY-rsa",
      "[hosting.example] 20261121e._domainkey.mx.hosting.example 300 TXT v=DKIM1; h=sha256; k=ed25519; p=KEY-ed25519",
      "[hosting.example] _dmarc.mx.hosting.example 300 TXT v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:x+dmarc%21@elsewhere.example",
      "[example.org] example.org 300 MX 10 mx.hosting.example",
      "[example.org] example.org 300 TXT v=spf1 mx -all",
      "[example.org] 20261121r._domainkey.example.org 300 TXT v=DKIM1; h=sha256; k=rsa; p=KEY-rsa",
      "[example.org] 20261121e._domainkey.example.org 300 TXT v=DKIM1; h=sha256; k=ed25519; p=KEY-ed25519",
      "[example.org] _dmarc.example.org 300 TXT v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:x+dmarc%21@elsewhere.example",
      "[example.com] example.com 3600 MX 10 mx.hosting.example",
      "[example.com] example.com 3600 TXT v=spf1 mx -all",
      "[example.com] 20261101r._domainkey.example.com 3600 TXT v=DKIM1; h=sha256; k=rsa; p=KEY-rsa",
      "[example.com] 20261101e._domainkey.example.com 3600 TXT v=DKIM1; h=sha256; k=ed25519; p=KEY-ed25519",
      "[example.com] _dmarc.example.com 3600 TXT v=DMARC1; p=quarantine; adkim=s; aspf=s; rua=mailto:dmarc@example.org",
      "[example.org] lists.example.org 3600 MX 10 mx.hosting.example",
      "[example.org] lists.example.org 3600 TXT v=spf1 mx -all",
      "[example.org] 20250101r._domainkey.lists.example.org 3600 TXT v=DKIM1; h=sha256; k=rsa; p=KEY-rsa",
      "[example.org] 20250101e._domainkey.lists.example.org 3600 TXT v=DKIM1; h=sha256; k=ed25519; p=KEY-ed25519",
      "[example.org] _dmarc.lists.example.org 3600 TXT v=DMARC1; p=none; adkim=s; aspf=s; rua=mailto:dmarc@example.com",
      "[example.org] example.com._report._dmarc.example.org 3600 TXT v=DMARC1",
      "[example.com] lists.example.org._report._dmarc.example.com 3600 TXT v=DMARC1",
    ]);
  });
});

it("the host's reports too need the other domain's word", () => {
  const settings = settingsOf({ "example.org": { since: "2026-11-21" } }, { hostname: "mx.hosting.example" });
  assert(
    lines(settings, "2026-11-21").includes(
      "[example.org] mx.hosting.example._report._dmarc.example.org 300 TXT v=DMARC1",
    ),
  );
});

it("records live 300 seconds for 14 days, 3600 after, and 300 before the day", () => {
  const ttlOn = (today: string) => [...new Set(dnsRecords(one, today).map(({ ttl }) => ttl))];
  assert.deepEqual(ttlOn("2026-11-01"), [300]);
  assert.deepEqual(ttlOn("2026-12-04"), [300]);
  assert.deepEqual(ttlOn("2026-12-05"), [3600]);
});

it("a domain's own address records are not among them", () => {
  const names = three.domains.map(({ name }) => name);
  const addresses = dnsRecords(three, "2026-11-21").filter(({ type }) => type === "A" || type === "AAAA");
  assert.deepEqual(
    addresses.map(({ name }) => name).filter((name) => names.includes(name)),
    [],
  );
});

it("each record has a reason that fits into Cloudflare's comment of 100 characters", () => {
  for (const { why } of dnsRecords(three, "2026-11-21")) {
    assert(why.length > 20 && why.length <= 83, `${why.length}: ${why}`);
  }
});

it("no two records have one name, type and content, and each lies in its zone", () => {
  const all = lines(three, "2026-11-21");
  assert.equal(new Set(all).size, all.length);
  for (const { zone, name } of dnsRecords(three, "2026-11-21"))
    assert(name === zone || name.endsWith(`.${zone}`));
});

it("a domain more or less changes no other record", () => {
  const more = settingsOf({ "a.example": { since: "2020-01-01" }, "example.org": { since: "2026-11-21" } });
  const after = lines(more, "2026-11-21");
  assert.deepEqual(
    after.filter((text) => !text.includes("a.example")),
    lines(one, "2026-11-21"),
  );
});

it("a fact that is missing is an error, never a record with a hole in it", () => {
  const facts: Facts = { publicIpv4: "198.51.100.1", publicKeys: {} };
  const publish = (type: string, part: string) => {
    const found = dnsRecords(three, "2026-11-21").find(
      (record) => record.type === type && record.name.includes(part),
    );
    assert(found);
    recordContent(found, facts);
  };
  assert.throws(() => publish("AAAA", "mx"), /publicIpv6 is not known/);
  assert.throws(() => publish("TXT", "_domainkey.example.com"), /_domainkey\.example\.com is not known/);
});

it("what needs no fact is plain text, so that the first preview shows it", () => {
  const needing = dnsRecords(three, "2026-11-21").filter(({ content }) => typeof content !== "string");
  for (const { name, type } of needing)
    assert(type === "A" || type === "AAAA" || name.includes("._domainkey."), name);
});
