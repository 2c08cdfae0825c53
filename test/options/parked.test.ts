import assert from "node:assert/strict";
import { it } from "node:test";
import { asksForMail, dnsRecords } from "../../plan/records.ts";
import { settingsWith } from "./settings.ts";

const lines = (keys: Readonly<Record<string, unknown>>) =>
  dnsRecords(settingsWith(keys), "2026-11-21")
    .filter(({ name }) => name.endsWith("old.example") || name.endsWith("shop.example.org"))
    .map(({ zone, name, type, priority, content }) => [zone, name, type, priority, content].join(" "));

it("parked: without any there is no record of them", () => {
  assert.deepEqual(lines({}), []);
});

it("parked: such a domain says in every way that nobody sends or takes mail", () => {
  assert.deepEqual(lines({ parked: { "Old.example": {} } }), [
    "old.example old.example MX 0 .",
    "old.example old.example TXT  v=spf1 -all",
    "old.example *._domainkey.old.example TXT  v=DKIM1; p=",
    "old.example _dmarc.old.example TXT  v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s",
  ]);
  const inside = lines({ parked: { "shop.example.org": { zone: "example.org" } } });
  assert.equal(inside[0], "example.org shop.example.org MX 0 .");
});

it("parked: it waits for nobody, and what has mail cannot be parked", () => {
  const settings = settingsWith({ parked: { "old.example": {} } });
  const records = dnsRecords(settings, "2026-11-21").filter(({ name }) => name === "old.example");
  assert.ok(records.length === 2 && records.every((record) => !asksForMail(settings, record)));
  for (const parked of [
    { "example.org": {} },
    { "mail.example.org": { zone: "example.org" } },
    { "old.example": { zone: "example.org" } },
    { "no domain": {} },
  ])
    assert.throws(() => settingsWith({ parked }), /mailhost:parked/);
});

it("a name of webmail has an address, and says that it has no mail", () => {
  const records = dnsRecords(
    settingsWith({ web: { names: ["webmail.example.org"] }, caa: false }),
    "2026-11-21",
  )
    .filter(({ name }) => name === "webmail.example.org")
    .map(({ type, content }) => (typeof content === "string" ? `${type} ${content}` : type));
  assert.deepEqual(records, ["A", "MX .", "TXT v=spf1 -all"]);
});
