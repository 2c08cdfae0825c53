/** What the program writes for a zone file is read by a real nameserver, and served as it was meant. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { ask, valuesOf } from "../../dns/client.ts";
import { recordContent } from "../../plan/facts.ts";
import { dnsRecords } from "../../plan/records.ts";
import { textsOf, zoneFile, zoneLine, zonesDocument } from "../../plan/zoneFile.ts";
import { startDnsWorld } from "../check/dnsworld.ts";
import { settingsWith } from "../options/settings.ts";

const record = {
  name: "mail.example.org",
  type: "A",
  ttl: 300,
  content: "192.0.2.25",
  why: "Its address",
} as const;

it("names are relative to the zone's, its own is @, each record comes after its reason", () => {
  const apex = {
    ...record,
    name: "example.org",
    type: "MX",
    priority: 10,
    content: "mail.example.org",
  } as const;
  assert.equal(
    zoneFile("example.org", [record, apex]),
    [
      "$ORIGIN example.org.",
      "; Its address",
      "mail 300 IN A 192.0.2.25",
      "; Its address",
      "@ 300 IN MX 10 mail.example.org.",
      "",
    ].join("\n"),
  );
  assert.equal(zoneLine(apex), "example.org. 300 IN MX 10 mail.example.org.");
});

it("who has no such host is a lone dot, and a name that is whole already stays", () => {
  const data = (content: string) =>
    zoneLine({ ...record, type: "SRV", priority: 0, content }).split(" SRV ")[1];
  assert.equal(data("0 0 ."), "0 0 0 .");
  assert.equal(data("1 993 mail.example.org"), "0 1 993 mail.example.org.");
  assert.equal(data("1 993 mail.example.org."), "0 1 993 mail.example.org.");
});

it("every record of a stack, and odd texts, are served by knot as planned", async (t) => {
  const settings = settingsWith({
    parked: { "old.example.org": { zone: "example.org" } },
    network: { ipv6: true },
  });
  const publicKeys = new Proxy(
    {},
    { get: (_, name) => (String(name).startsWith("tls") ? "AB".repeat(32) : "k".repeat(392)) },
  );
  const facts = {
    publicIpv4: "192.0.2.25",
    publicIpv6: "2001:db8::25",
    acmeAccount: "https://acme.example/1",
    publicKeys,
  };
  const planned = dnsRecords(settings, "2026-11-21").map((each) => ({
    ...each,
    content: recordContent(each, facts),
  }));
  const texts = ['with "quotes" and \\', "semicolons; and (brackets)", "ü".repeat(100), "x".repeat(600)];
  const odd = texts.map((content, index) => ({
    ...record,
    type: "TXT" as const,
    name: `odd${index}.example.org`,
    content,
  }));
  const records = [...planned, ...odd];
  const lines = zoneFile("example.org", records).split("\n");
  const world = await startDnsWorld({ "example.org": { dnssec: "unsigned", lines } });
  t.after(() => world.close());
  assert.ok(new Set(records.map(({ type }) => type)).size === 7, "every type of the plan");
  for (const { name, type, content, ...rest } of records) {
    const { answers } = await ask(world.authority, name, type, { recursion: false });
    const value = "priority" in rest ? `${rest.priority} ${content}` : content;
    assert.ok(valuesOf(answers).includes(value), `${type} ${name}: ${valuesOf(answers).join(" | ")}`);
  }
});

it("several zones are one text, in which their TXT records are found again", () => {
  const text = { ...record, zone: "example.org", type: "TXT", content: 'a "b"; c' } as const;
  const whole = zonesDocument(
    ["example.com", "example.org"],
    [text, { ...text, name: "example.org", content: "v=spf1 mx -all" }],
  );
  assert.equal(
    whole,
    [
      "=== example.com",
      "$ORIGIN example.com.",
      "=== example.org",
      "$ORIGIN example.org.",
      "; Its address",
      'mail 300 IN TXT "a \\"b\\"; c"',
      "; Its address",
      '@ 300 IN TXT "v=spf1 mx -all"',
      "=== end",
      "",
    ].join("\n"),
  );
  assert.deepEqual(textsOf(whole), [
    ["mail.example.org", '"a \\"b\\"; c"'],
    ["example.org", '"v=spf1 mx -all"'],
  ]);
});
