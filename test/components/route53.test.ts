/** A stack whose second domain is at Route 53. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inTheWay } from "../../components/dns/route53.ts";
import { runProgram, stack } from "./program.ts";

const run = await runProgram({ ...stack, dns: { zones: { "example.com": "route53" } } });

test("a set for each name and type, with all its values, which overwrites nothing", () => {
  assert.deepEqual(run.find("inbound-mx:example.com").inputs, {
    zoneId: "zone-of-example.com",
    name: "example.com",
    type: "MX",
    ttl: 300,
    records: ["10 mail.example.org."],
    allowOverwrite: false,
  });
  assert.deepEqual(run.find("dns-txt:example.com").inputs.records, ["v=spf1 mx -all"]);
  const { beforeCreate, beforeUpdate, deleteBeforeReplace, orphanAlias } = run.options("dns-txt:example.com");
  assert.deepEqual(
    [beforeCreate, beforeUpdate, deleteBeforeReplace, orphanAlias],
    [["dns-txt:example.com-refuse-foreign"], ["dns-txt:example.com-refuse-foreign"], true, true],
  );
});

test("a long text goes in strings, without the outer quotes, which the provider puts", () => {
  const [key] = run.find("dns-txt:20261121r._domainkey.example.com").inputs.records as readonly string[];
  assert.match(key ?? "", /^v=DKIM1; [^"]{200,}" "[^"]+$/);
});

test("nothing of it goes to Cloudflare, and the other zone stays there", () => {
  const types = (zone: string) => [
    ...new Set(
      run.registrations.filter(({ inputs }) => inputs.zoneId === `zone-of-${zone}`).map(({ type }) => type),
    ),
  ];
  assert.deepEqual(types("example.com"), ["aws:route53/record:Record"]);
  assert.ok(types("example.org").every((type) => type.startsWith("cloudflare:")));
});

const zone = "example.com";
const spf = { name: zone, type: "TXT", zone } as const;
const ours = '"v=spf1 mx -all"';
const found = (type: string, ...values: readonly string[]) => ({ name: zone, type, values });
const shown = (...args: Parameters<typeof inTheWay>) =>
  inTheWay(...args).map(({ type, content }) => `${type} ${content}`);

test("a new set is refused where there is one, whatever it says: it would be replaced as a whole", () => {
  assert.deepEqual(shown(spf, [spf], [found("TXT", '"some-site-verification=1"')], [ours], undefined), [
    'TXT "some-site-verification=1"',
  ]);
  assert.deepEqual(shown(spf, [spf], [found("TXT", ours)], [ours], undefined), [`TXT ${ours}`]);
  assert.deepEqual(
    shown(spf, [spf], [found("MX", "10 a.example."), { ...found("TXT"), name: "b" }], [ours], undefined),
    [],
  );
});

test("a set of ours changes; what somebody has put into it stops that, also where a refresh has seen it", () => {
  const verification = '"some-site-verification=1"';
  const listed = [found("TXT", ours, verification)];
  const next = ['"v=spf1 a -all"'];
  assert.deepEqual(shown(spf, [spf], [found("TXT", ours)], next, [ours]), []);
  assert.deepEqual(shown(spf, [spf], listed, next, [ours]), [`TXT ${verification}`]);
  assert.deepEqual(shown(spf, [spf], listed, next, [ours, verification]), [`TXT ${verification}`]);
});

test("an alias of Amazon's, a CNAME and an address of the other kind are in the way of an address, our own is not", () => {
  const a = { name: `mail.${zone}`, type: "A", zone } as const;
  const aaaa = { name: a.name, type: "AAAA" } as const;
  const there = (type: string, ...values: readonly string[]) => [{ ...found(type, ...values), name: a.name }];
  assert.deepEqual(shown(a, [a], there("A"), [], undefined), ["A (an alias of Amazon's)"]);
  assert.deepEqual(shown(a, [a], there("CNAME", "b.example."), [], undefined), ["CNAME b.example."]);
  assert.deepEqual(shown(a, [a], there("AAAA", "2001:db8::1"), [], undefined), ["AAAA 2001:db8::1"]);
  assert.deepEqual(shown(a, [a, aaaa], there("AAAA", "2001:db8::1"), [], undefined), []);
});
