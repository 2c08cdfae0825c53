import assert from "node:assert/strict";
import { it } from "node:test";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
import { makePlan } from "../../plan/plan.ts";
import { plainSecrets } from "../../settings/plainSecrets.ts";
import { annsKey } from "./openpgpKey.ts";
import { settingsWith } from "./settings.ts";

const moment = { today: "2026-11-21", rotation: {}, ramps: {} };
const domains = {
  "example.org": { since: "2026-11-21", mailboxes: { ann: {} } },
  "example.com": { since: "2026-11-21" },
};
const plan = (keys: Readonly<Record<string, unknown>>) =>
  makePlan(settingsWith({ domains, ...keys }), moment);
const elsewhere = { dns: { zones: { "example.com": "byHand" } } };

it("dns: every zone is at Cloudflare, unless the stack file says otherwise", () => {
  const who = (dns: object | undefined) =>
    ["example.org", "example.com"].map((zone) =>
      dnsProviderOf(settingsWith({ domains, dns }).options.dns, zone),
    );
  assert.deepEqual(who(undefined), ["cloudflare", "cloudflare"]);
  assert.deepEqual(who(elsewhere.dns), ["cloudflare", "byHand"]);
  assert.deepEqual(who({ provider: "byHand", zones: { "example.org": "cloudflare" } }), [
    "cloudflare",
    "byHand",
  ]);
});

it("dns: elsewhere a domain has all its records but that of a policy which a Worker would serve, no page, and no key here", () => {
  const before = plan({});
  const after = plan(elsewhere);
  const keys = ({ records }: typeof before) => records.map(({ type, name }) => `${type} ${name}`);
  assert.deepEqual(
    keys(before).filter((key) => !keys(after).includes(key)),
    ["TXT _mta-sts.example.com"],
  );
  const hosts = ({ worker }: typeof before) => worker.hosts.map(({ host }) => host);
  assert.deepEqual(
    hosts(after),
    hosts(before).filter((host) => !host.endsWith("example.com")),
  );
  assert.ok(hosts(after).length > 0);
  assert.deepEqual(
    [before.signedZones, after.signedZones],
    [["example.com", "example.org"], ["example.org"]],
  );
});

it("dns: what somebody wrote and cannot have is a mistake of the stack file", () => {
  const dns = { provider: "byHand" };
  assert.throws(
    () => plan({ dns, mtaSts: "enforce" }),
    /mailhost:mtaSts: wants a Worker for its policy, .* write false/,
  );
  assert.doesNotThrow(() => plan({ ...elsewhere, mtaSts: "enforce" }));
  assert.throws(
    () => plan({ dns, openpgpKeys: { "ann@example.org": annsKey } }),
    /mailhost:openpgpKeys\.ann@example\.org: wants a Worker, and the zone example\.org is not at Cloudflare/,
  );
  assert.throws(
    () => plan({ dns: { provider: "godaddy" } }),
    /mailhost:dns\.provider: is unknown; write cloudflare or route53 or rfc2136 or byHand/,
  );
});

it("dns: a nameserver of one's own is told with a key, whose secret stays out of the file and of messages", () => {
  const server = { server: "ns1.example.net", key: "mailhost.example.net", secret: "c2VjcmV0IG9mIGEga2V5" };
  const choice = plan({ dns: { provider: "rfc2136", rfc2136: server } }).settings.options.dns;
  assert.deepEqual(choice.rfc2136, { ...server, port: 53, algorithm: "hmac-sha256" });
  assert.throws(
    () => plan({ dns: { provider: "rfc2136" } }),
    /mailhost:dns\.rfc2136: is missing; write the nameserver/,
  );
  assert.throws(() => plan({ dns: { rfc2136: server } }), /mailhost:dns\.rfc2136: keeps no zone/);
  const wrong = { provider: "rfc2136", rfc2136: { ...server, secret: "no base64, but secret" } };
  assert.throws(
    () => plan({ dns: wrong }),
    (error: Error) =>
      /dns\.rfc2136\.secret: is no secret of a key/.test(error.message) &&
      !error.message.includes("no base64"),
  );
  assert.deepEqual(plainSecrets({ dns: { rfc2136: server } }), [["dns", "rfc2136", "secret"]]);
});

it("dns: a zone that holds nothing of the stack is a slip of the pen", () => {
  assert.throws(
    () => plan({ dns: { zones: { "exmaple.com": "byHand" } } }),
    /mailhost:dns\.zones\.exmaple\.com: holds none of this stack's names; write example\.com, or take the line out/,
  );
  const parked = { "shop.old.example": { zone: "old.example" } };
  assert.doesNotThrow(() => plan({ parked, dns: { zones: { "old.example": "byHand" } } }));
});

it("dns: no policy ramps where nobody would see whether a step has been put in", () => {
  const of = (keys: object) =>
    settingsWith({
      domains: { "example.org": { since: "2026-11-21", dmarc: "ramp", mailboxes: { ann: {} } } },
      ...keys,
    });
  assert.ok(of({}));
  assert.throws(() => of({ dns: { provider: "byHand" } }), /mailhost:dns\.provider: is byHand, and .* ramps/);
});

it("dns: an SPF record that is to stand together with somebody else's wants another keeper than Route 53", () => {
  const merging = { "example.org": { ...domains["example.org"], spf: "merge" } };
  assert.throws(
    () => settingsWith({ domains: merging, dns: { zones: { "example.org": "route53" } } }),
    /mailhost:dns\.zones\.example\.org: is route53, .* domains\.example\.org\.spf is to merge; keep the zone by hand/,
  );
  const [record] = makePlan(settingsWith({ domains: merging }), moment).records.filter(({ joins }) => joins);
  assert.deepEqual(
    [record?.name, record?.content, record?.joins],
    ["example.org", "v=spf1 mx -all", { own: ["mx"] }],
  );
  const strict = { "example.org": { ...domains["example.org"], spf: { foreign: "merge", all: "~all" } } };
  const [other] = makePlan(settingsWith({ domains: strict }), moment).records.filter(({ joins }) => joins);
  assert.deepEqual([other?.content, other?.joins], ["v=spf1 mx ~all", { own: ["mx"], all: "~all" }]);
  assert.ok(plan({}).records.every(({ joins }) => joins === undefined));
});
