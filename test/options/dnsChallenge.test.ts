import assert from "node:assert/strict";
import { it } from "node:test";
import { renewal } from "../../check/items/renewal.ts";
import { fromOutside } from "../../check/outside.ts";
import { secretsDocument } from "../../plan/bundle.ts";
import { hostExits } from "../../plan/egress.ts";
import { hostPackages } from "../../plan/host.ts";
import { makePlan } from "../../plan/plan.ts";
import { plainSecrets } from "../../settings/plainSecrets.ts";
import { target } from "../check/fixtures.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const rfc2136 = { server: "ns1.example.net", key: "mailhost.example.net", secret: "c2VjcmV0IG9mIGEga2V5" };
const dns = { provider: "rfc2136", rfc2136 };
const dnsChallenge = { key: "challenge.example.net", secret: "YW5vdGhlciBrZXksIHNtYWxsZXI=" };
const on = { dns, dnsChallenge };

const plan = (keys: Readonly<Record<string, unknown>>) =>
  makePlan(settingsWith(keys), { today: "2026-11-21", rotation: {}, ramps: {} });
const certbot = (keys: Readonly<Record<string, unknown>>) =>
  plan(keys).bundles.find(({ name }) => name === "certbot") ?? assert.fail();
/** What of it a host has. */
const traces = (keys: Readonly<Record<string, unknown>>) => {
  const { bundles, caa } = plan(keys);
  const { files, secretFiles } = certbot(keys);
  const request = files.find(({ path }) => path === "/etc/mailhost/certificate.conf")?.content ?? "";
  return {
    packages: hostPackages(bundles).filter((name) => name.includes("dnspython")),
    files: [...files, ...secretFiles].map(({ path }) => path).filter((path) => path.includes("challenge")),
    port80: bundles.flatMap(({ ports }) => ports).some(({ number }) => number === 80),
    asks: /^CHALLENGE=(.*)$/m.exec(request)?.[1],
    caa: caa.flatMap(({ content }) =>
      typeof content === "string" ? [] : (/validationmethods=([\w-]+)/.exec(content.text("")) ?? []),
    )[1],
  };
};

it("dnsChallenge: off by default, no trace of it, and the certificate comes by port 80", () => {
  for (const keys of [{}, { dns }, { dns, dnsChallenge: false }])
    assert.deepEqual(traces(keys), {
      packages: [],
      files: [],
      port80: true,
      asks: undefined,
      caa: "http-01",
    });
});

it("dnsChallenge: on, port 80 stays shut, and CAA records hold the authority to the DNS", () => {
  assert.deepEqual(traces(on), {
    packages: ["python3-dnspython"],
    files: ["/usr/local/lib/mailhost/challenge", "/etc/mailhost/challenge.json"],
    port80: false,
    asks: "dns",
    caa: "dns-01",
  });
});

it("dnsChallenge: the host has the small key, in a file of root's alone, and not the one for the whole zone", () => {
  const { secretFiles } = certbot(on);
  const [file = assert.fail()] = secretFiles;
  assert.deepEqual([file.owner, file.mode, file.needs], ["root", "0600", []]);
  assert.deepEqual(JSON.parse(file.content(noSecrets)), {
    zone: "example.org",
    server: "ns1.example.net",
    port: 53,
    algorithm: "hmac-sha256",
    ...dnsChallenge,
  });
  for (const bundle of plan(on).bundles) {
    assert.ok(!JSON.stringify(bundle.files).includes(dnsChallenge.secret), bundle.name);
    assert.ok(!JSON.stringify(bundle.files).includes(rfc2136.secret), bundle.name);
  }
  assert.ok(!(secretsDocument(certbot(on), noSecrets) ?? "").includes(rfc2136.secret));
  assert.deepEqual(plainSecrets({ dnsChallenge }), [["dnsChallenge", "secret"]]);
});

it("dnsChallenge: where the zone is kept otherwise it is refused, with what to do", () => {
  const at =
    (provider: string, more: object = {}) =>
    () =>
      plan({ dns: { provider, ...more }, dnsChallenge });
  const instead = `; give the host a name in a zone that is kept by rfc2136, or take this out: port 80 is open then`;
  for (const [refused, reason] of [
    [at("cloudflare"), "Cloudflare, whose tokens are for whole zones"],
    [at("route53"), "Route 53, where the host has no rights"],
    [at("byHand"), "kept by hand"],
    [at("host", { host: { secondaries: {} } }), "the host itself, whose nameserver takes no updates"],
  ] as const)
    assert.throws(
      refused,
      new RegExp(
        `mailhost:dnsChallenge: wants the zone example\\.org at a nameserver .* ${reason}.*${instead}`,
      ),
    );
  // Another domain's zone is no help.
  const domains = { "example.org": { since: "2026-11-21" }, "example.com": { since: "2026-11-21" } };
  const elsewhere = { zones: { "example.com": "rfc2136" }, rfc2136 };
  assert.throws(() => plan({ domains, dns: elsewhere, dnsChallenge }), /it is Cloudflare/);
});

it("dnsChallenge: the key of the whole zone is refused, by its name and by its secret", () => {
  assert.throws(
    () => plan({ dns, dnsChallenge: { ...dnsChallenge, key: rfc2136.key } }),
    /mailhost:dnsChallenge\.key: is the key that may change all of example\.org, .* of _acme-challenge\.mail\.example\.org alone/,
  );
  assert.throws(
    () => plan({ dns, dnsChallenge: { ...dnsChallenge, secret: rfc2136.secret } }),
    (error: Error) =>
      /mailhost:dnsChallenge\.secret: is that of dns\.rfc2136/.test(error.message) &&
      !error.message.includes(rfc2136.secret),
  );
});

it("dnsChallenge: webmail, which leads browsers from port 80 to HTTPS, and this exclude each other", () => {
  assert.throws(() => plan({ ...on, web: true }), /mailhost:dnsChallenge: shuts port 80, and webmail/);
  assert.doesNotThrow(() => plan({ ...on, web: false }));
});

it("dnsChallenge: a host whose ways out are restricted reaches the nameserver at another port, too", () => {
  const ports = (port: number) =>
    (
      hostExits(
        settingsWith({ ...on, dns: { ...dns, rfc2136: { ...rfc2136, port } }, egress: "restricted" }),
      ) ?? []
    )
      .filter(({ why }) => why.includes("nameserver that takes them"))
      .map(({ protocol, ports, users }) => [protocol, ...ports, ...users]);
  assert.deepEqual([ports(53), ports(5353)], [[], [["tcp", 5353]]]);
});

it("dnsChallenge: where a renewal failed, the check speaks of the key and not of port 80", () => {
  const failed =
    "ActiveState=active\nNextElapseUSecRealtime=Sat 2026-11-21 13:14:15 UTC\n=last=\nResult=exit-code\n";
  const remedy = (keys: Readonly<Record<string, unknown>>) =>
    renewal.judge(failed, fromOutside(target({ settings: settingsWith(keys) })))[0]?.remedy ?? "";
  assert.match(remedy({}), /Port 80 has to reach/);
  assert.match(remedy(on), /with the key of `mailhost:dnsChallenge`/);
  assert.doesNotMatch(remedy(on), /Port 80/);
});
