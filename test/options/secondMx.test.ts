import assert from "node:assert/strict";
import { it } from "node:test";
import { dnsRecords } from "../../plan/records.ts";
import { settingsWith } from "./settings.ts";

const ofDomain = (keys: Readonly<Record<string, unknown>>) =>
  dnsRecords(settingsWith(keys), "2026-11-21")
    .filter(
      ({ name, type, content }) => name === "example.org" && (type === "MX" || /spf1/.test(String(content))),
    )
    .map(({ type, priority, content }) => [type, priority, content]);

it("secondMx: off it is absent", () => {
  assert.deepEqual(ofDomain({}), [
    ["MX", 10, "mail.example.org"],
    ["TXT", undefined, "v=spf1 mx -all"],
  ]);
});

it("secondMx: on, each comes after this host, and may not send in the domain's name", () => {
  assert.deepEqual(ofDomain({ secondMx: ["mx2.example.net", "mx3.example.net"] }), [
    ["MX", 10, "mail.example.org"],
    ["MX", 20, "mx2.example.net"],
    ["MX", 30, "mx3.example.net"],
    ["TXT", undefined, "v=spf1 a:mail.example.org -all"],
  ]);
});

it("secondMx: what cannot be is said", () => {
  for (const [secondMx, message] of [
    [["mail.example.org"], /secondMx\[0\]: is this host itself/],
    [["mx2.example.net", "MX2.example.net"], /secondMx\[1\]: is named twice/],
    [["192.0.2.1"], /secondMx\[0\]: is not a host name/],
  ] as const)
    assert.throws(() => settingsWith({ secondMx }), message);
});
