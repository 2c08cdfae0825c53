import assert from "node:assert/strict";
import { it } from "node:test";
import { mtaStsRecord } from "../../plan/mtaSts.ts";
import { makePlan } from "../../plan/plan.ts";
import type { Ramps } from "../../plan/ramp.ts";
import { dmarcTakenBack, ramped, rampOf, weighCommand } from "../../plan/ramps.ts";
import { quoteTxt } from "../../plan/txt.ts";
import { webPages } from "../../plan/web.ts";
import { settingsWith } from "../options/settings.ts";
import { question, rampSettings } from "./ramping.ts";

const now = new Date("2027-01-20T12:00:00Z");
const seconds = (text: string) => Date.parse(text) / 1000;
const both = rampSettings({ mtaSts: "ramp" });
const climbed: Ramps = {
  "_dmarc.example.org": {
    policy: "quarantine",
    since: "2026-12-05T09:00:00.000Z",
    why: "413 messages, 2 reporters, 1 failed",
  },
  "_mta-sts": {
    policy: "enforce",
    since: "2026-12-06T09:00:00.000Z",
    why: "30 sessions, 2 reporters, 0 failed",
  },
};
const told = (ramps: Ramps) =>
  makePlan(both, { today: "2026-12-20", rotation: {}, ramps })
    .records.filter(({ name }) => /^(_dmarc|_mta-sts)\.example\.org$/.test(name))
    .map(({ content, why }) => [content, why]);

it("a ramp begins mildly, and its records then say since when they are stricter, and why", () => {
  assert.deepEqual(told({}), [
    [
      "v=DMARC1; p=none; adkim=s; aspf=s; rua=mailto:dmarc@example.org",
      "DMARC: what to do with mail that only claims to be from this domain",
    ],
    [
      mtaStsRecord("testing", both),
      "MTA-STS: says that there is a policy, and by its id when it has changed",
    ],
  ]);
  assert.deepEqual(told(climbed), [
    [
      "v=DMARC1; p=quarantine; adkim=s; aspf=s; rua=mailto:dmarc@example.org",
      "DMARC: quarantine since 2026-12-05: 413 messages, 2 reporters, 1 failed",
    ],
    [mtaStsRecord("enforce", both), "MTA-STS: enforce since 2026-12-06: 30 sessions, 2 reporters, 0 failed"],
  ]);
  const [page] = webPages(both, climbed).filter(({ host }) => host === "mta-sts.example.org");
  assert.match(
    page && "text" in page.content ? page.content.text : "",
    /^mode: enforce$.*^max_age: 2592000$/ms,
  );
});

it("what the stack file names is what is published, whatever a ramp had come to", () => {
  const pinned = rampSettings({
    owner: "ann@elsewhere.example",
    domains: { "example.org": { since: "2026-11-21", dmarc: "none" } },
    mtaSts: "testing",
  });
  const { records } = makePlan(pinned, { today: "2026-12-20", rotation: {}, ramps: climbed });
  const [dmarc, sts] = ["_dmarc.example.org", "_mta-sts.example.org"].map(
    (name) => records.find((record) => record.name === name) ?? assert.fail(),
  );
  assert.match(String(dmarc?.content), /p=none;/);
  assert.equal(sts?.content, mtaStsRecord("testing", pinned));
  assert.deepEqual(ramped(pinned, climbed, new Map(), now, { silence: "nobody asks" }), []);
  assert.equal(weighCommand(pinned, climbed, now, []), undefined);
});

it("the host is asked about the time since the last step, and never about more than a month", () => {
  assert.deepEqual(question(both, climbed, new Date("2026-12-20T12:00:00Z"), ["198.51.100.1"]), {
    addresses: ["198.51.100.1"],
    dmarc: { "example.org": { since: seconds("2026-12-05T09:00:00Z"), relayed: false } },
    tls: { since: seconds("2026-12-06T09:00:00Z") },
  });
  const later = question(both, climbed, new Date("2027-12-20T12:00:00Z"));
  assert.equal(later.dmarc["example.org"]?.since, seconds("2027-11-20T12:00:00Z"));
  assert.equal(later.tls.since, seconds("2027-11-20T12:00:00Z"));
  const relayed = rampSettings({
    relay: { host: "smtp.example.net", username: "me", password: "x", spf: [] },
  });
  assert.equal(question(relayed, {}, now).dmarc["example.org"]?.relayed, true);
});

it("a ramp goes on from what is published: by a run that died, or by what the stack file said before", () => {
  const policies = (texts: readonly (readonly [string, string])[], before: Ramps = {}) =>
    ramped(both, before, new Map(texts), now, { silence: "nobody asks" }).map(({ state }) => state.policy);
  assert.deepEqual(policies([]), ["none", "testing"]);
  assert.deepEqual(
    policies([
      ["_dmarc.example.org", '"v=DMARC1; p=quarantine; adkim=s"'],
      ["_mta-sts.example.org", quoteTxt(mtaStsRecord("enforce", both))],
    ]),
    ["quarantine", "enforce"],
  );
  assert.deepEqual(policies([["_mta-sts.example.org", quoteTxt(mtaStsRecord("none", both))]]), [
    "none",
    "testing",
  ]);
  assert.deepEqual(policies([["_dmarc.example.org", '"v=DMARC1; p=none; adkim=s"']], climbed), [
    "quarantine",
    "enforce",
  ]);
});

it("who cannot be asked lets nothing move, and that is said", () => {
  const before = {
    "_dmarc.example.org": { policy: "none", since: "2026-11-21T09:00:00.000Z", why: "" },
  };
  const [dmarc] = ramped(both, before, new Map(), now, { silence: "no login" });
  assert.deepEqual(dmarc?.state, before["_dmarc.example.org"]);
  assert.equal(
    dmarc?.line,
    "example.org, DMARC: none since 2026-11-21, and not quarantine yet. What the reports say is not known: no login.",
  );
});

it("no report at all lets nothing move", () => {
  const before = { "_dmarc.example.org": { policy: "none", since: "2026-11-21T09:00:00.000Z", why: "" } };
  const [dmarc] = ramped(both, before, new Map(), now, { dmarc: {}, tls: [] });
  assert.match(
    dmarc?.line ?? "",
    /none since 2026-11-21, and not quarantine yet\. The reports tell of 0 own messages/,
  );
});

it("each record belongs to its ramp", () => {
  const of = (type: "TXT" | "MX", name: string) => rampOf({ type, name });
  assert.equal(of("TXT", "_dmarc.example.org"), "_dmarc.example.org");
  assert.equal(of("TXT", "_mta-sts.example.org"), "_mta-sts");
  assert.equal(of("TXT", "_smtp._tls.example.org"), undefined);
  assert.equal(of("MX", "_dmarc.example.org"), undefined);
});

it("a ramp that could hear of nothing is a mistake", () => {
  const domain = (more: object) => ({
    "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, ...more },
  });
  for (const keys of [
    { domains: domain({ dmarc: "ramp" }), reports: false },
    { domains: domain({ dmarc: { policy: "ramp", reportsTo: "dmarc@elsewhere.example" } }) },
    { domains: domain({ dmarc: "ramp", aliases: { dmarc: "ann" } }) },
  ])
    assert.throws(
      () => settingsWith(keys),
      /mailhost:domains\.example\.org\.dmarc: is to ramp by reports that the host does not read: they go to dmarc@/,
    );
  for (const keys of [{ reports: false }, { tlsReports: false }])
    assert.throws(
      () => settingsWith({ mtaSts: "ramp", ...keys }),
      /mailhost:mtaSts: is to ramp by reports on TLS/,
    );
});

it("a ramp begins with a record that somebody else has written", () => {
  const begins = (text: string) =>
    ramped(both, {}, new Map([["_dmarc.example.org", text]]), now, { silence: "nobody asks" })[0]?.state
      .policy;
  for (const text of [
    '"v=DMARC1; p=reject"',
    '"v=DMARC1;p=reject;rua=mailto:x@example.org"',
    "v=DMARC1; p=reject; rua=mailto:x@example.org",
    '"v=DMARC1; sp=none; " "P=Reject; adkim=s"',
  ])
    assert.equal(begins(text), "reject", text);
  assert.equal(begins('"v=spf1 -all; p=reject"'), "none");
});

it("a policy that becomes milder is told, one that becomes stricter, comes or goes is not", () => {
  const record = (domain: string, policy: string) => ({
    zone: domain,
    name: `_dmarc.${domain}`,
    type: "TXT" as const,
    ttl: 300,
    content: `v=DMARC1; p=${policy}; adkim=s; rua=mailto:dmarc@${domain}`,
    why: "A test's",
  });
  const before = [
    record("example.org", "reject"),
    record("example.com", "quarantine"),
    record("example.net", "none"),
    record("gone.example", "reject"),
    { name: "example.org", type: "TXT" as const, content: "v=spf1 mx -all" },
  ];
  const now = [
    record("example.org", "quarantine"),
    record("example.com", "none"),
    record("example.net", "reject"),
    record("new.example", "none"),
  ];
  assert.deepEqual(dmarcTakenBack(before, now), {
    "example.org": "reject to quarantine",
    "example.com": "quarantine to none",
  });
  assert.deepEqual(dmarcTakenBack([], now), {});
  assert.deepEqual(dmarcTakenBack(now, now), {});
});
