import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { passedOn, routes } from "../../settings/routes.ts";
import { settingsWith } from "./settings.ts";

function planned(keys: Readonly<Record<string, unknown>>) {
  const settings = settingsWith(keys);
  const files = hostBundles(settings).flatMap(({ files }) => files);
  return {
    to: Object.fromEntries(routes(settings).map(({ address, to }) => [address, to.join()])),
    config: files.find(({ path }) => path === "/etc/mailhost/reports.json")?.content ?? "",
  };
}

it("feedback: off by default, and no trace of it", () => {
  const { to, config } = planned({});
  assert.equal(to["feedback@example.org"], undefined);
  assert.ok(!("feedback" in JSON.parse(config)));
  assert.deepEqual(planned({ feedback: false }), { to, config });
});

it("feedback: off, an alias of the name that leads elsewhere is one like any other", () => {
  const aliases = { feedback: "friend@example.net", abuse: "friend@example.net" };
  const domains = { "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, aliases } };
  assert.deepEqual([...passedOn(settingsWith({ domains }))], [["feedback@example.org", true]]);
});

it("feedback: each domain has an address for complaints, which the program reads that reads the reports", () => {
  const { to, config } = planned({ feedback: true });
  assert.equal(to["feedback@example.org"], "reports@mail.example.org");
  assert.equal(JSON.parse(config).feedback, true);
});

it("feedback: nobody reads it without mailhost:reports, nor where somebody else has the name", () => {
  assert.throws(
    () => settingsWith({ feedback: true, reports: false }),
    /mailhost:feedback: wants the host to read reports; write mailhost:reports: \{\}/,
  );
  const domains = { "example.org": { since: "2026-11-21", mailboxes: { ann: {}, feedback: {} } } };
  assert.throws(
    () => settingsWith({ feedback: true, domains }),
    /mailhost:feedback: takes complaints at feedback@example\.org, which is a mailbox or an alias/,
  );
  assert.ok(settingsWith({ domains }));
  assert.throws(() => settingsWith({ arf: true }), /mailhost:arf: is not a setting; write feedback/);
});
