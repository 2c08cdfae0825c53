import assert from "node:assert/strict";
import { it } from "node:test";
import { dnsRecords } from "../../plan/records.ts";
import { routes } from "../../settings/routes.ts";
import { settingsWith } from "./settings.ts";

const lines = (keys: Readonly<Record<string, unknown>>) =>
  dnsRecords(settingsWith(keys), "2026-11-21")
    .filter(({ name }) => name.startsWith("_smtp._tls."))
    .map(({ zone, name, type, content }) => [zone, name, type, content].join(" "));

it("tlsReports: off they are absent", () => {
  assert.deepEqual(lines({ tlsReports: false }), []);
});

it("tlsReports: by default each domain asks for them, to an address that is there", () => {
  assert.deepEqual(lines({}), [
    "example.org _smtp._tls.example.org TXT v=TLSRPTv1; rua=mailto:tls-reports@example.org",
  ]);
});

it("tlsReports: the address is there with them, and not without", () => {
  const takes = (keys: Readonly<Record<string, unknown>>) =>
    routes(settingsWith(keys)).some(({ address }) => address === "tls-reports@example.org");
  assert.deepEqual([takes({}), takes({ tlsReports: false })], [true, false]);
});
