import assert from "node:assert/strict";
import { it } from "node:test";
import { recordContent } from "../../plan/facts.ts";
import { makePlan } from "../../plan/plan.ts";
import { settingsWith } from "./settings.ts";

const acmeAccount = "https://acme-v02.api.letsencrypt.org/acme/acct/1";

function planned(keys: Readonly<Record<string, unknown>>): string[] {
  const plan = makePlan(settingsWith(keys), { today: "2026-11-21", rotation: {}, ramps: {} });
  const isCaa = ({ type }: { readonly type: string }) => type === "CAA";
  assert.deepEqual(plan.caa, plan.records.filter(isCaa));
  assert.ok(![...plan.first, ...plan.inbound].some(isCaa), "they come when the account is known");
  return plan.caa.map(
    (record) => `${record.name} ${recordContent(record, { publicIpv4: "", publicKeys: {}, acmeAccount })}`,
  );
}

it("caa: off there are no such records, nor where the authority's name is not known", () => {
  assert.deepEqual(planned({ caa: false }), []);
  assert.deepEqual(planned({ acme: { directory: "https://acme.example/dir" } }), []);
});

it("caa: by default the host's name is for its own account at Let's Encrypt, by way of port 80", () => {
  const held = (name: string, identity = "letsencrypt.org") => [
    `${name} 0 issue "${identity}; validationmethods=http-01; accounturi=${acmeAccount}"`,
    `${name} 0 issuewild ";"`,
  ];
  assert.deepEqual(planned({}), held("mail.example.org"));
  assert.deepEqual(
    planned({ acme: { directory: "https://acme-staging-v02.api.letsencrypt.org/directory" } }),
    held("mail.example.org"),
  );
  assert.deepEqual(planned({ web: { names: ["webmail.example.org"] } }), [
    ...held("mail.example.org"),
    ...held("webmail.example.org"),
  ]);
  assert.deepEqual(
    planned({ acme: { directory: "https://acme.example/dir", caaIdentity: "CA.example" } }),
    held("mail.example.org", "ca.example"),
  );
});
