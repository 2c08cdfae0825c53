import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { delegation } from "../../check/items/delegation.ts";
import { identity } from "../../check/items/identity.ts";
import { records } from "../../check/items/records.ts";
import { spf } from "../../check/items/spf.ts";
import { validation } from "../../check/items/validation.ts";
import { fromOutside } from "../../check/outside.ts";
import { ask, authoritiesOf, reverseName, valuesOf } from "../../dns/client.ts";
import type { DnsRecord } from "../../plan/types.ts";
import { settingsWith } from "../options/settings.ts";
import { type DnsWorld, startDnsWorld } from "./dnsworld.ts";
import { lines, parrot, smtp, target, withPorts } from "./fixtures.ts";

let world: DnsWorld;
let registry: DnsWorld;

const longText = `v=DKIM1; k=rsa; p=${"A".repeat(400)}`;
/** More than fits into one UDP packet, so that the answer has to be fetched by TCP. */
const manyTexts = Array.from({ length: 30 }, (_, index) => `many TXT "${String(index).repeat(60)}"`);

before(async () => {
  world = await startDnsWorld({
    "example.org": {
      lines: [
        "mail A 127.0.0.1",
        "@ MX 10 mail",
        '@ TXT "v=spf1 mx -all"',
        '@ TXT "some-site-verification=1"',
        `key._domainkey TXT "${longText.slice(0, 255)}" "${longText.slice(255)}"`,
        'revoked._domainkey TXT "v=DKIM1; k=rsa; p="',
        ...manyTexts,
      ],
    },
    "shared.test": {
      lines: [
        '@ TXT "v=spf1 mx include:shop.example ~all"',
        'bare TXT "v=spf1 include:shop.example ~all"',
        'two TXT "v=spf1 include:shop.example ~all"',
        'loose TXT "v=spf1 mx +all"',
        'two TXT "v=spf1 mx -all"',
      ],
    },
    "twospf.test": { lines: ["@ MX 20 elsewhere", '@ TXT "v=spf1 mx -all"', '@ TXT "v=spf1 a -all"'] },
    "includes.test": {
      lines: [
        '@ TXT "v=spf1 mx include:a.includes.test -all"',
        '@ TXT "not spf"',
        'a TXT "v=spf1 a mx:mail.example.org/24 ?exists:%{i}.includes.test redirect=b.includes.test"',
        'b TXT "V=SPF1 ip4:192.0.2.1 include:a.includes.test ptr ~all"',
        'many TXT "v=spf1 include:a.includes.test include:b.includes.test include:gone.includes.test -all"',
        'ten TXT "v=spf1 a:1.test a:2.test a:3.test a:4.test a:5.test a:6.test mx:7.test mx:8.test mx:9.test mx:10.test -all"',
      ],
    },
    "plain.test": { dnssec: "unsigned", lines: ["mail A 127.0.0.1"] },
    "bogus.test": { dnssec: "bogus", lines: ["mail A 127.0.0.1"] },
    "half.test": { lines: ["@ NS gone"] },
    "127.in-addr.arpa": { lines: ["1.0.0 PTR mail.example.org."] },
  });
  // Of somebody else, as registries are: a server that has the zones below, too, would answer by these.
  registry = await startDnsWorld({
    org: { lines: ["example NS ns.example", "ns.example A 127.0.0.1"] },
    test: {
      lines: [
        "twospf NS ns1.registrar",
        "twospf NS ns2.registrar",
        ...["ns.half", "gone.half"].flatMap((name) => [`half NS ${name}`, `${name} A 127.0.0.1`]),
      ],
    },
  });
});

after(async () => {
  await world?.close();
  await registry?.close();
});

function record(
  zone: string,
  name: string,
  type: DnsRecord["type"],
  content: string,
  priority?: number,
): DnsRecord {
  return {
    zone,
    name,
    type,
    ttl: 300,
    content,
    why: "A test's.",
    ...(priority && { priority }),
  };
}

const whole = [
  record("example.org", "mail.example.org", "A", "127.0.0.1"),
  record("example.org", "example.org", "MX", "mail.example.org", 10),
  record("example.org", "example.org", "TXT", "v=spf1 mx -all"),
  record("example.org", "key._domainkey.example.org", "TXT", longText),
];

function where(list: readonly DnsRecord[]) {
  const zones = new Set(list.map(({ zone }) => zone));
  const nameservers = Object.fromEntries([...zones].map((zone) => [zone, [world.authority]]));
  return target({ records: list, resolver: world.resolver, nameservers });
}

test("the client: authority and validation are told apart, long answers come by TCP", async () => {
  const own = await ask(world.authority, "mail.example.org", "A", { recursion: false });
  assert.deepEqual(valuesOf(own.answers), ["127.0.0.1"]);
  assert.deepEqual([own.authoritative, own.authentic], [true, false]);
  const seen = await ask(world.resolver, "mail.example.org", "A");
  assert.deepEqual([seen.authoritative, seen.authentic], [false, true]);
  assert.equal((await ask(world.resolver, "mail.bogus.test", "A")).rcode, "SERVFAIL");
  assert.equal((await ask(world.authority, "no.example.org", "A")).rcode, "NXDOMAIN");
  assert.equal((await ask(world.authority, "many.example.org", "TXT")).answers.length, 30);
  assert.deepEqual(valuesOf((await ask(world.resolver, "key._domainkey.example.org", "TXT")).answers), [
    longText,
  ]);
  assert.deepEqual(await authoritiesOf("example.org", world.resolver), ["127.0.0.1"]);
  await assert.rejects(authoritiesOf("nowhere.test", world.resolver), /knows no nameserver of nowhere\.test/);
});

test("the client: a server that is not there is named", async () => {
  await assert.rejects(
    ask("127.0.0.1:1", "example.org", "A", { timeout: 300 }),
    /^Error: 127\.0\.0\.1:1 was asked for A example\.org: /,
  );
});

test("names of addresses", () => {
  assert.equal(reverseName("192.0.2.1"), "1.2.0.192.in-addr.arpa");
  assert.equal(reverseName("2001:db8::1"), `1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`);
});

test("records: SPF that shares its record with somebody else's is right when it is in there, and no second one", async () => {
  const shared = (name: string): DnsRecord => ({
    ...record("shared.test", name, "TXT", "v=spf1 mx -all"),
    joins: { own: ["mx"] },
  });
  assert.deepEqual(await lines(records, where([shared("shared.test")])), [
    "right: shared.test: all 1 record sets are published as planned, by its nameserver",
  ]);
  assert.deepEqual(
    await lines(
      records,
      where(["bare", "two", "none", "loose"].map((label) => shared(`${label}.shared.test`))),
    ),
    [
      'wrong: shared.test: TXT bare.shared.test is "v=spf1 include:shop.example ~all", not "v=spf1 mx include:shop.example ~all"',
      'wrong: shared.test: TXT two.shared.test has "v=spf1 include:shop.example ~all" beside "v=spf1 mx -all"',
      "wrong: shared.test: TXT none.shared.test is missing",
      'wrong: shared.test: TXT loose.shared.test is "v=spf1 mx +all", not "v=spf1 mx -all"',
    ],
  );
  const byHand = settingsWith({ dns: { provider: "byHand" } });
  const [finding] = await records.look(
    fromOutside({ ...where([shared("bare.shared.test")]), settings: byHand }),
  );
  assert.equal(
    finding?.remedy,
    'Put into the zone shared.test, which is kept by hand: bare.shared.test. 300 IN TXT "v=spf1 mx include:shop.example ~all"',
  );
});

test("records: as planned is right, foreign TXT beside them too", async () => {
  assert.deepEqual(await lines(records, where(whole)), [
    "right: example.org: all 4 record sets are published as planned, by its nameserver",
  ]);
});

test("records: changed, missing, doubled and undelegated ones are wrong", async () => {
  const found = await lines(
    records,
    where([
      record("example.org", "mail.example.org", "A", "192.0.2.1"),
      record("example.org", "_dmarc.example.org", "TXT", "v=DMARC1; p=none"),
      record("twospf.test", "twospf.test", "TXT", "v=spf1 mx -all"),
      record("twospf.test", "twospf.test", "MX", "mail.example.org", 10),
    ]),
  );
  assert.deepEqual(found, [
    'wrong: example.org: A mail.example.org is "127.0.0.1", not "192.0.2.1"',
    "wrong: example.org: TXT _dmarc.example.org is missing",
    'wrong: twospf.test: TXT twospf.test has "v=spf1 a -all" beside "v=spf1 mx -all"',
    'wrong: twospf.test: MX twospf.test is "20 elsewhere.twospf.test", not "10 mail.example.org"',
  ]);
  const lame = target({
    records: [record("example.org", "mail.example.org", "A", "127.0.0.1")],
    resolver: world.resolver,
    nameservers: { "example.org": [world.resolver] },
  });
  assert.deepEqual(await lines(records, lame), ["wrong: example.org: is not responsible for example.org"]);
});

test("records: keys that differ late, and a key that is revoked, are told by what differs", async () => {
  const key = (name: string, content: string) =>
    record("example.org", `${name}._domainkey.example.org`, "TXT", content);
  assert.deepEqual(
    await lines(records, where([key("key", `${longText.slice(0, -5)}BBBBB`), key("revoked", longText)])),
    [
      'wrong: example.org: TXT key._domainkey.example.org is "…AAAAAAAAAAAAAAA", not "…AAAAAAAAAABBBBB"',
      "wrong: example.org: TXT revoked._domainkey.example.org says that the key is revoked (p=)",
    ],
  );
});

test("records: what all nameservers say is told once, what one says with its name", async () => {
  const list = [record("example.org", "mail.example.org", "A", "192.0.2.1")];
  const all = { ...where(list), nameservers: { "example.org": [world.authority, world.authority] } };
  assert.deepEqual(await lines(records, all), [
    'wrong: example.org: A mail.example.org is "127.0.0.1", not "192.0.2.1"',
  ]);
  const one = { ...where(list), nameservers: { "example.org": [world.authority, registry.authority] } };
  assert.deepEqual(await lines(records, one), [
    `wrong: example.org at its nameserver ${world.authority}: A mail.example.org is "127.0.0.1", not "192.0.2.1"`,
    `wrong: example.org at its nameserver ${registry.authority}: is not responsible for example.org`,
  ]);
});

test("delegation: the registry names the zone's own servers, others, or one that is nowhere", async () => {
  const zones = ["example.org", "twospf.test", "half.test"];
  const list = zones.map((zone) => record(zone, zone, "TXT", "v=spf1 -all"));
  const nameservers = {
    ...where(list).nameservers,
    org: [registry.authority],
    test: [registry.authority],
  };
  assert.deepEqual(await lines(delegation, { ...where(list), nameservers }), [
    "right: example.org: the registry and the zone name the same nameservers, ns.example.org",
    "wrong: twospf.test: the registry names ns1.registrar.test and ns2.registrar.test as its nameservers, the zone itself ns.twospf.test",
    "wrong: half.test: its nameserver gone.half.test has no address",
  ]);
});

test("records: one domain alone", async () => {
  const list = [...whole, record("twospf.test", "twospf.test", "TXT", "v=spf1 -all")];
  const found = await lines(records, { ...where(list), only: "example.org" });
  assert.equal(found.length, 1);
  assert.match(found[0] ?? "", /^right: example\.org/);
});

test("spf: look-ups are counted through what is included, and an include of nothing is wrong", async () => {
  const spfOf = (name: string) => record("includes.test", name, "TXT", "v=spf1 -all");
  assert.deepEqual(await lines(spf, where([spfOf("includes.test"), spfOf("ten.includes.test")])), [
    "right: the SPF records of all 2 names stay within 10 look-ups",
  ]);
  assert.deepEqual(await lines(spf, where([spfOf("many.includes.test"), spfOf("ten.includes.test")])), [
    "wrong: the SPF record of many.includes.test includes gone.includes.test, which has none: receivers take that for an error, and SPF for void",
    "wrong: the SPF record of many.includes.test takes 15 look-ups; receivers stop at 10, and take SPF for void",
  ]);
});

test("validation: signed is right; unsigned, broken and differing are wrong", async () => {
  assert.deepEqual(await lines(validation, where(whole)), [
    "right: example.org: signed, and validated from the root down",
  ]);
  const found = await lines(
    validation,
    where([
      record("plain.test", "mail.plain.test", "A", "127.0.0.1"),
      record("bogus.test", "mail.bogus.test", "A", "127.0.0.1"),
      record("example.org", "mail.example.org", "A", "192.0.2.1"),
    ]),
  );
  assert.deepEqual(found, [
    "wrong: plain.test: not validated by DNSSEC",
    "wrong: bogus.test: the resolver refuses 1 of 1 record sets (SERVFAIL): signatures or delegation are broken",
    'wrong: the resolver says: A mail.example.org is "127.0.0.1", not "192.0.2.1"',
    "right: example.org: signed, and validated from the root down",
  ]);
});

test("validation: where no nameserver answers the resolver, its signatures are not blamed", async () => {
  const helpless = createSocket("udp4").on("message", (question, { port }) => {
    question.writeUInt8(question.readUInt8(2) | 0x80, 2);
    // SERVFAIL (RFC 1035 section 4.1.1).
    question.writeUInt8(2, 3);
    helpless.send(question, port, "127.0.0.1");
  });
  await new Promise<void>((resolve) => helpless.bind(0, "127.0.0.1", resolve));
  try {
    const resolver = `127.0.0.1:${helpless.address().port}`;
    assert.deepEqual(await lines(validation, { ...where(whole), resolver }), [
      "wrong: example.org: the resolver refuses 4 of 4 record sets (SERVFAIL): no nameserver of the zone gives it an answer",
    ]);
  } finally {
    helpless.close();
  }
});

test("records: of a zone that is kept by hand the remedy says what to put in", async () => {
  const settings = settingsWith({ dns: { provider: "byHand" } });
  const missing = record("example.org", "_dmarc.example.org", "TXT", "v=DMARC1; p=none");
  const host = fromOutside({ ...where([missing]), settings });
  const [found] = await records.look(host);
  assert.deepEqual(
    [found?.text, found?.remedy],
    [
      "example.org: TXT _dmarc.example.org is missing",
      'Put into the zone example.org, which is kept by hand: _dmarc.example.org. 300 IN TXT "v=DMARC1; p=none"',
    ],
  );
  const [unsigned] = await validation.look(
    fromOutside({ ...where([record("plain.test", "mail.plain.test", "A", "127.0.0.1")]), settings }),
  );
  assert.match(unsigned?.remedy ?? "", /^Turn DNSSEC on for the zone where it is kept/);
});

test("records: at a nameserver of one's own the remedy makes the set anew", async () => {
  const server = { server: "127.0.0.1", key: "mailhost.test", secret: Buffer.alloc(32).toString("base64") };
  const settings = settingsWith({ dns: { provider: "rfc2136", rfc2136: server } });
  const missing = record("example.org", "_dmarc.example.org", "TXT", "v=DMARC1; p=none");
  const [found] = await records.look(fromOutside({ ...where([missing]), settings }));
  assert.match(found?.remedy ?? "", /^Run `pulumi up --replace "\*\*-txt:_dmarc\.example\.org"`: /);
});

test("identity: name, address and greeting agree, or each says how not", async () => {
  const good = await smtp({});
  try {
    assert.deepEqual(
      await lines(identity, target({ resolver: world.resolver, bundles: withPorts({ smtp: good.port }) })),
      [
        "right: mail.example.org has the address 127.0.0.1",
        "right: 127.0.0.1 is called mail.example.org (PTR)",
        "right: the mail server calls itself mail.example.org in its greeting and after EHLO",
      ],
    );
  } finally {
    await good.close();
  }
  // Another loopback address: no name leads there, and none back.
  const bad = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write("220 localhost ESMTP\r\n");
    socket.on("data", () => socket.write("250 localhost\r\n"));
  });
  await new Promise<void>((resolve) => bad.listen(0, "127.0.0.2", resolve));
  const address = bad.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const facts = { publicIpv4: "127.0.0.2", publicKeys: {} };
    assert.deepEqual(
      await lines(identity, target({ facts, resolver: world.resolver, bundles: withPorts({ smtp: port }) })),
      [
        "wrong: mail.example.org has the address 127.0.0.1, not 127.0.0.2",
        "wrong: 127.0.0.2 is without a name (PTR), not mail.example.org",
        "wrong: the mail server calls itself localhost in its greeting and localhost after EHLO, not mail.example.org",
      ],
    );
  } finally {
    bad.close();
  }
});

test("identity: an IPv6 address is looked up forward, and asked for no name", async () => {
  const good = await smtp({});
  try {
    const facts = { publicIpv4: "127.0.0.1", publicIpv6: "2001:db8::1", publicKeys: {} };
    assert.deepEqual(
      await lines(
        identity,
        target({ facts, resolver: world.resolver, bundles: withPorts({ smtp: good.port }) }),
      ),
      [
        "right: mail.example.org has the address 127.0.0.1",
        "wrong: mail.example.org has no address, not 2001:db8::1",
        "right: 127.0.0.1 is called mail.example.org (PTR)",
        "right: the mail server calls itself mail.example.org in its greeting and after EHLO",
      ],
    );
  } finally {
    await good.close();
  }
});

test("identity: a greeting and an EHLO that differ are wrong", async () => {
  const server = await parrot({ EHLO: "250 other.example.org" });
  try {
    const found = await lines(
      identity,
      target({ resolver: world.resolver, bundles: withPorts({ smtp: server.port }) }),
    );
    assert.equal(
      found[2],
      "wrong: the mail server calls itself mail.example.org in its greeting and other.example.org after EHLO, not mail.example.org",
    );
  } finally {
    await server.close();
  }
});

test("records: a nameserver that is silent, or answers with anything, hides nothing of the others", async () => {
  const liar = createSocket("udp4").on("message", (_, { port }) => liar.send("nonsense", port, "127.0.0.1"));
  await new Promise<void>((resolve) => liar.bind(0, "127.0.0.1", resolve));
  try {
    const zones = target({
      records: [
        record("example.org", "mail.example.org", "A", "127.0.0.1"),
        record("nowhere.test", "nowhere.test", "MX", "mail.example.org", 10),
      ],
      resolver: world.resolver,
      nameservers: { "example.org": ["127.0.0.1:1", `127.0.0.1:${liar.address().port}`, world.authority] },
    });
    assert.deepEqual(
      (await lines(records, zones)).map((line) =>
        line.replaceAll(/127\.0\.0\.1:\d+/g, "it").replace(/\w+ ECONN/, "ECONN"),
      ),
      [
        "wrong: example.org at its nameserver it: could not be looked at: it was asked for A mail.example.org: ECONNREFUSED",
        "wrong: example.org at its nameserver it: could not be looked at: it was asked for A mail.example.org: an answer that is no DNS message",
        "wrong: nowhere.test: could not be looked at: it knows no nameserver of nowhere.test",
      ],
    );
  } finally {
    liar.close();
  }
});
