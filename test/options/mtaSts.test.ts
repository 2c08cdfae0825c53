import assert from "node:assert/strict";
import { it } from "node:test";
import { dnsRecords } from "../../plan/records.ts";
import { webPages } from "../../plan/web.ts";
import { settingsWith } from "./settings.ts";

function published(keys: Readonly<Record<string, unknown>>) {
  const settings = settingsWith({ clientSetup: false, ...keys });
  const records = dnsRecords(settings, "2026-11-21").filter(({ name }) => name.startsWith("_mta-sts."));
  const policies = webPages(settings, {}).map(({ host, path, content }) => [
    `https://${host}${path}`,
    "text" in content ? content.text : assert.fail(),
  ]);
  return { records, policies };
}

it("mtaSts: off it is absent", () => {
  assert.deepEqual(published({ mtaSts: false }), { records: [], policies: [] });
});

it("mtaSts: by default a policy that is tried, and a record that says so", () => {
  const { records, policies } = published({});
  assert.deepEqual(policies, [
    [
      "https://mta-sts.example.org/.well-known/mta-sts.txt",
      "version: STSv1\nmode: testing\nmx: mail.example.org\nmax_age: 86400\n",
    ],
  ]);
  const [{ zone, name, type, content } = assert.fail()] = records;
  assert.deepEqual([zone, name, type], ["example.org", "_mta-sts.example.org", "TXT"]);
  // RFC 8461 section 3.1.
  assert.match(String(content), /^v=STSv1; id=[0-9a-z]{1,32}$/);
});

it("mtaSts: each other policy has another id, and names every host that takes mail", () => {
  const ids = [{}, { mtaSts: "enforce" }, { mtaSts: "none" }, { secondMx: ["mx2.example.net"] }].map((keys) =>
    published(keys).records.map(({ content }) => content),
  );
  assert.equal(new Set(ids.flat()).size, 4);
  const [[, policy] = assert.fail()] = published({
    mtaSts: "enforce",
    secondMx: ["mx2.example.net"],
  }).policies;
  assert.equal(
    policy,
    "version: STSv1\nmode: enforce\nmx: mail.example.org\nmx: mx2.example.net\nmax_age: 2592000\n",
  );
  assert.throws(() => settingsWith({ mtaSts: "strict" }), /mailhost:mtaSts/);
  // Where the reports have let it come so far is told in test/plan/ramps.test.ts.
  assert.deepEqual(published({ mtaSts: "ramp" }), published({}));
});
