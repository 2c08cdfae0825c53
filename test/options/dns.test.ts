import assert from "node:assert/strict";
import { it } from "node:test";
import { dnsProviderOf } from "../../plan/dnsProvider.ts";
import { delegationOf, nameserver } from "../../plan/nameserver.ts";
import { makePlan } from "../../plan/plan.ts";
import { contradictingRecords } from "../../plan/refusals.ts";
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
    /mailhost:dns\.provider: is unknown; write cloudflare or route53 or rfc2136 or host or byHand/,
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

const host = (choice: object, more: Readonly<Record<string, unknown>> = {}) =>
  plan({ dns: { provider: "host", host: { secondaries: {}, ...choice } }, ...more });
const secondaries = { "ns2.example.net": { addresses: ["192.0.2.53"] } };

it("dns: where the host serves its zones, its name as a nameserver has its address", () => {
  const added = (choice: object) => {
    const before = new Set(
      plan({ dns: { provider: "byHand" } }).records.map(({ type, name }) => `${type} ${name}`),
    );
    return host(choice, { network: { ipv6: true } })
      .records.map(({ type, name }) => `${type} ${name}`)
      .filter((key) => !before.has(key) && key !== "AAAA mail.example.org");
  };
  assert.deepEqual(added({ secondaries }), ["A ns1.example.org", "AAAA ns1.example.org"]);
  assert.deepEqual(added({ name: "dns.example.org" }), ["A dns.example.org", "AAAA dns.example.org"]);
  assert.deepEqual(added({ name: "mail.example.org" }), []);
  assert.deepEqual(host({}).signedZones, []);
});

it("dns: one nameserver alone is refused, unless somebody says that he wants it", () => {
  assert.throws(
    () => plan({ dns: { provider: "host" } }),
    /mailhost:dns\.host: is missing; write the zones' secondary nameservers .*\(RFC 2182\)/,
  );
  assert.doesNotThrow(() => host({}));
  assert.throws(() => plan({ dns: { host: { secondaries } } }), /mailhost:dns\.host: keeps no zone/);
});

it("dns: what does not fit the host's own zones is a mistake at its place", () => {
  const records = (...lines: readonly string[]) => ({ records: { "example.org": lines } });
  for (const [choice, message] of [
    [{ name: "ns1.example.net" }, /dns\.host\.name: is not in example\.org, the zone of the host's name/],
    [{ name: "example.org" }, /dns\.host\.name: is a mail domain/],
    [{ secondaries: { "ns1.example.org": secondaries["ns2.example.net"] } }, /is this host itself/],
    [
      { secondaries: { "ns2.example.org": secondaries["ns2.example.net"] } },
      /secondaries\.ns2\.example\.org: lies in a zone of this host, which has no address for it/,
    ],
    [{ secondaries: { "ns2.example.net": { addresses: [] } } }, /addresses: is empty/],
    [{ secondaries: { "ns2.example.net": { addresses: ["ns2"] } } }, /addresses\[0\]: is no IP address/],
    [
      {
        secondaries: {
          "ns2.example.net": {
            addresses: ["192.0.2.53"],
            key: { name: "k.example", secret: "c2VjcmV0IG9mIGEga2V5" },
          },
          "ns3.example.net": { addresses: ["192.0.2.54"], key: { name: "k.example" } },
        },
      },
      /secondaries\.ns2\.example\.net\.key: has the name of another key/,
    ],
    [{ records: { "example.net": [] } }, /records\.example\.net: is no zone that this host keeps/],
    [records("www A"), /records\.example\.org\[0\]: is no record; write a line of a zone file/],
    [records("$INCLUDE /etc/shadow"), /is no record/],
    [records("www 60 A 192.0.2.1\nx A 192.0.2.1"), /is no record/],
    [records("@ SOA a b 1 2 3 4 5"), /is no record/],
    [records("www.example.net. A 192.0.2.80"), /has a name outside of example\.org/],
    [records("@ NS ns9.example.net."), /is a nameserver of the zone itself; write it under secondaries/],
  ] as const)
    assert.throws(() => host(choice), message, JSON.stringify(choice));
  assert.doesNotThrow(() =>
    host({
      secondaries: { "ns2.example.org": secondaries["ns2.example.net"] },
      ...records(
        "ns2 A 192.0.2.53",
        '@ TXT "v=x; (a) \\" b"',
        "*.shop 60 IN CNAME www",
        "sub NS ns.example.net.",
      ),
    }),
  );
  const nested = { ...domains, "shop.example.org": { since: "2026-11-21" } };
  assert.throws(
    () => host({}, { domains: nested }),
    /keeps both example\.org and shop\.example\.org below it, .* write `zone: example\.org`/,
  );
});

it("dns: a record of the owner's that contradicts the mail host's own is refused before anything is made", () => {
  const against = (...lines: readonly string[]) =>
    contradictingRecords(host({ records: { "example.org": lines } }).settings, new Date("2026-11-21")).map(
      ({ path, message }) => [path.at(-1), /of its own, (.*);/.exec(message)?.[1]],
    );
  assert.deepEqual(
    against(
      "www A 192.0.2.80",
      "mail A 192.0.2.80",
      '@ TXT "some-site-verification=1"',
      '@ TXT "v=spf1 -all"',
      "@ MX 5 mx.example.net.",
      "@ A 192.0.2.80",
      '20261121r._domainkey TXT "v=DKIM1; p="',
      "mail NS ns.example.net.",
      "@ CNAME www.example.net.",
      "sub NS ns.example.net.",
    ),
    [
      [1, "A mail.example.org"],
      [3, "TXT example.org"],
      [4, "MX example.org"],
      [6, "TXT 20261121r._domainkey.example.org"],
      [7, "A mail.example.org"],
      [8, "MX example.org"],
    ],
  );
});

it("dns: the registry is told where the world finds a secondary, which may ask from elsewhere", () => {
  const own = nameserver(
    host({
      secondaries: { "ns2.example.org": { addresses: ["192.0.2.53"] }, ...secondaries },
      records: { "example.org": ["ns2 A 198.51.100.53", "ns2 3600 IN AAAA 2001:db8::53"] },
    }).settings,
  );
  assert.deepEqual(delegationOf(own ?? assert.fail(), "example.org", ["203.0.113.9"]), [
    { name: "ns1.example.org", glue: ["203.0.113.9"] },
    { name: "ns2.example.org", glue: ["198.51.100.53", "2001:db8::53"] },
    { name: "ns2.example.net", glue: [] },
  ]);
});

it("dns: the secret of a secondary's key is one in a stack file, too", () => {
  const key = { secret: "c2VjcmV0IG9mIGEga2V5" };
  const raw = { dns: { host: { secondaries: { "ns2.example.net": { addresses: ["192.0.2.53"], key } } } } };
  assert.deepEqual(plainSecrets(raw), [["dns", "host", "secondaries", "ns2.example.net", "key", "secret"]]);
});

it("dns: an SPF record that is to stand together with somebody else's wants another keeper than Route 53", () => {
  const merging = { "example.org": { ...domains["example.org"], spf: "merge" } };
  assert.throws(
    () => settingsWith({ domains: merging, dns: { zones: { "example.org": "route53" } } }),
    /mailhost:dns\.zones\.example\.org: is route53, .* domains\.example\.org\.spf is to merge; keep the zone by hand/,
  );
  assert.throws(
    () =>
      settingsWith({
        domains: merging,
        dns: { zones: { "example.org": "host" }, host: { secondaries: {} } },
      }),
    /mailhost:dns\.zones\.example\.org: is host, in whose zones nobody else writes, .* take that spf out/,
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
