/** What is dangerous is said, and first. Changes as people make them are told by the real engine in test/e2e/previews/. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { markdown } from "../../preview/markdown.ts";
import { story } from "../../preview/story.ts";
import type { Properties } from "../../preview/types.ts";
import { COMMAND, outputs, previewOf, record, stepEvent, updated } from "./scene.ts";

const INSTANCE = "aws:ec2/instance:Instance";
const VOLUME = "aws:ebs/volume:Volume";
const EIP = "aws:ec2/eip:Eip";
const FIREWALL = "aws:ec2/securityGroup:SecurityGroup";

const told = (events: readonly object[], after?: Properties, before?: Properties) =>
  story(previewOf(events, after, before));
const risks = (...args: Parameters<typeof told>) => told(...args).risks.map(({ title }) => title);
const records = (changed: Readonly<Record<string, object>>) => ({
  ...outputs,
  dnsRecords: { ...outputs.dnsRecords, ...changed },
});
const without = (key: keyof typeof outputs.dnsRecords) => {
  const { [key]: _, ...rest } = outputs.dnsRecords;
  return { ...outputs, dnsRecords: rest };
};
const rule = (port: number, network: string) => ({
  protocol: "tcp",
  fromPort: port,
  toPort: port,
  cidrBlocks: [network],
});
const worker = (mode: string) => ({
  content: `const pages = [{\n"host": "autoconfig.example.org",\n"lines": ["mode: none"]},\n{"host": "mta-sts.example.org",\n"lines": [\n"version: STSv1",\n"mode: ${mode}"]}]`,
});

const rotation = (state: string) => ({
  ...outputs,
  keyRotation: { "example.org": [{ generation: "20260101", state, since: "" }] },
});

describe("each danger has its words", () => {
  const one = (op: string, type: string, name: string, more: object = {}) => [
    stepEvent({ op, type, name, before: { size: 20 }, ...(op === "delete" ? {} : { after: {} }), ...more }),
  ];
  const cases: readonly (readonly [what: string, found: readonly string[], expected: RegExp])[] = [
    [
      "a machine replaced",
      risks(one("replace", INSTANCE, "server-instance", { keys: ["ami"] })),
      /^The machine is replaced$/,
    ],
    ["a machine that goes", risks(one("delete", INSTANCE, "server-instance")), /^The machine goes$/],
    ["a volume replaced", risks(one("replace", VOLUME, "server-data")), /^THE DATA VOLUME IS REPLACED/],
    ["a volume deleted", risks(one("delete", VOLUME, "server-data")), /^THE DATA VOLUME IS DELETED/],
    [
      "a volume given up",
      risks(one("delete", VOLUME, "server-data", { retainOnDelete: true })),
      /^THE DATA VOLUME IS GIVEN UP/,
    ],
    [
      "a volume that has vanished",
      risks([stepEvent({ op: "create", type: VOLUME, name: "server-data", after: { size: 20 } })]),
      /^THE DATA VOLUME IS GONE, AND AN EMPTY ONE IS MADE$/,
    ],
    [
      "an address that has vanished",
      risks([stepEvent({ op: "create", type: EIP, name: "server-address", after: {} })]),
      /^The public address is gone, and another is made$/,
    ],
    ["a firewall replaced", risks(one("replace", FIREWALL, "firewall-group")), /^The firewall is replaced$/],
    ["a firewall that goes", risks(one("delete", FIREWALL, "firewall-group")), /^The firewall goes$/],
    [
      "a firewall that has vanished",
      risks([stepEvent({ op: "create", type: FIREWALL, name: "firewall-group", after: {} })]),
      /^The firewall is gone, and another is made$/,
    ],
    [
      "a volume that grows",
      risks([updated(VOLUME, "server-data", { size: 20 }, { size: 40 })]),
      /grows from 20 to 40 GiB/,
    ],
    [
      "a volume changed otherwise",
      risks([updated(VOLUME, "server-data", { type: "gp3" }, { type: "io2" })]),
      /^The data volume is changed/,
    ],
    [
      "an address replaced",
      risks(one("replace", EIP, "server-address")),
      /^The public address becomes another/,
    ],
    ["an address given up", risks(one("delete", EIP, "server-address")), /^The public address is given up/],
    [
      "a reverse name",
      risks([
        updated(
          "aws:ec2/eipDomainName:EipDomainName",
          "ptr-record",
          { domainName: "a" },
          { domainName: "b" },
        ),
      ]),
      /^The reverse name \(PTR\)/,
    ],
    [
      "a volume taken off",
      risks(one("replace", "aws:ec2/volumeAttachment:VolumeAttachment", "x")),
      /^The data volume is taken off/,
    ],
    [
      "SSH for everybody",
      risks([
        updated(
          FIREWALL,
          "firewall-group",
          { ingress: [rule(22, "203.0.113.7/32")] },
          { ingress: [rule(22, "0.0.0.0/0")] },
        ),
      ]),
      /^Port 22 \(SSH\) is opened to the whole world/,
    ],
    [
      "DNSSEC off",
      risks(one("delete", "cloudflare:index/zoneDnssec:ZoneDnssec", "dnssec-example.org")),
      /^DNSSEC of the zone `example.org` changes/,
    ],
    [
      "MTA-STS backwards",
      risks([
        updated(
          "cloudflare:index/workersScript:WorkersScript",
          "web-script",
          worker("enforce"),
          worker("testing"),
        ),
      ]),
      /^The MTA-STS policy of `example.org` goes backwards: `testing` instead of `enforce`/,
    ],
    [
      "a password made anew",
      risks(one("replace", "random:index/randomPassword:RandomPassword", "accounts-ann@example.org")),
      /^`ann@example.org` gets a new password/,
    ],
    [
      "an MX changed",
      risks([], records({ "mx:example.org": record("example.org", "MX", "other.example.net", 10) })),
      /^The MX of `example.org` changes/,
    ],
    ["an MX gone", risks([], without("mx:example.org")), /^The MX of `example.org` goes/],
    [
      "an SPF changed",
      risks([], records({ "txt:example.org": record("example.org", "TXT", "v=spf1 mx a -all") })),
      /^The SPF record of `example.org` changes/,
    ],
    [
      "an SPF softer",
      risks([], records({ "txt:example.org": record("example.org", "TXT", "v=spf1 mx ~all") })),
      /^The SPF record of `example.org` becomes softer/,
    ],
    ["an SPF gone", risks([], without("txt:example.org")), /^The SPF record of `example.org` becomes softer/],
    [
      "a DMARC policy backwards",
      risks(
        [],
        records({ "txt:_dmarc.example.org": record("_dmarc.example.org", "TXT", "v=DMARC1; p=none") }),
      ),
      /^The DMARC policy of `example.org` goes backwards: `none` instead of `reject`/,
    ],
    [
      "a DMARC policy gone",
      risks([], without("txt:_dmarc.example.org")),
      /^The DMARC policy of `example.org` goes backwards: there is none/,
    ],
    [
      "a host's address",
      risks([], records({ "a:mail.example.org": record("mail.example.org", "A", "198.51.100.8") })),
      /^The address of `mail.example.org` changes/,
    ],
    [
      "a domain that leaves",
      risks([], { ...outputs, domains: [] }),
      /^Mail for `example.org` comes here no more/,
    ],
    [
      "a domain that comes",
      risks([], { ...outputs, domains: ["example.org", "example.com"] }),
      /^Mail for `example.com` comes to this host/,
    ],
    [
      "a mailbox that goes",
      risks([], { ...outputs, mailboxes: { "ann@example.org": "generated password" } }),
      /^The mailbox `bob@example.org` goes$/,
    ],
    [
      "a key revoked",
      risks([], rotation("revoked"), rotation("signing")),
      /^The key `20260101` of `example.org` is revoked/,
    ],
  ];
  for (const [what, found, expected] of cases)
    test(what, () => {
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
});

test("what harms nobody is no danger", () => {
  for (const found of [
    risks([updated(EIP, "server-address", { tags: { a: 1 } }, { tags: { a: 2 } })]),
    risks([
      updated(
        "cloudflare:index/workersScript:WorkersScript",
        "web-script",
        worker("testing"),
        worker("enforce"),
      ),
    ]),
    risks([], records({ "srv:x": record("_imaps._tcp.example.org", "SRV", "1 993 mail.example.org", 0) })),
    risks([], { ...outputs, mailboxes: { ...outputs.mailboxes, "eve@example.org": "generated password" } }),
    risks([updated(COMMAND, "host-packages", { stdin: "a\n" }, { stdin: "a\nb\n" })]),
  ])
    assert.deepEqual(found, []);
});

test("dangers of the machine come before all others, and in bold on top", () => {
  const preview = previewOf(
    [
      updated(VOLUME, "server-data", { size: 20 }, { size: 40 }),
      stepEvent({
        op: "replace",
        type: INSTANCE,
        name: "server-instance",
        before: {},
        after: {},
        keys: ["ami"],
      }),
    ],
    { ...outputs, mailboxes: {}, dnsRecords: {} },
  );
  const titles = story(preview).risks.map(({ title }) => title);
  assert.deepEqual(
    titles.map((title) => title.split(" ").slice(0, 3).join(" ")),
    [
      "The data volume",
      "The machine is",
      "2 mailboxes go:",
      "The MX of",
      "The SPF record",
      "The DMARC policy",
      "The address of",
    ],
  );
  const comment = markdown(preview);
  const [first, heading, , topic, , bold] = comment.split("\n");
  assert.equal(first, "<!-- mailhost preview of test -->");
  assert.match(heading ?? "", /^### `test`: .*1 resource is replaced; \*\*7 things to look at\*\*$/);
  assert.equal(topic, "**Look at these first**");
  assert.match(bold ?? "", /^- \*\*The data volume grows from 20 to 40 GiB\.\*\* /);
});

test("what is the same for many domains is told once", () => {
  const names = Array.from({ length: 30 }, (_, index) => `d${index}.example`);
  const all = (content: string) => ({
    ...outputs,
    dnsRecords: Object.fromEntries(names.map((name) => [`txt:${name}`, record(name, "TXT", content)])),
  });
  const [only, ...others] = told([], all("v=spf1 mx ~all"), all("v=spf1 mx -all")).risks;
  assert.deepEqual(others, []);
  assert.match(only?.title ?? "", /^The SPF record of `d0\.example`.* and 10 more becomes softer$/);
});

test("files are told by their lines, and daemons by what happens to who is connected", () => {
  const document = (content: string) =>
    `mailhost bundle postfix\nfiles: /etc/postfix/main.cf\nunit: postfix.service reload=/etc/postfix/ restart=/etc/other\n\n=== /etc/postfix/main.cf root:root 0644\n${content}=== end\n`;
  const change = (before: string, after: string) =>
    told([updated(COMMAND, "host-postfix-files", { stdin: document(before) }, { stdin: document(after) })]);
  const { headline, effects } = change("a\nb\n", "a\nc\n");
  assert.equal(
    headline,
    "changes 1 line of `main.cf`; `postfix` reloads; nothing is replaced; no mail at risk",
  );
  assert.match(effects.at(-1)?.text ?? "", /nobody is disconnected/);
  assert.match(change("a\n", "a\nb\nc\n").headline, /^adds 2 lines of `main.cf`/);
  assert.match(change("a\nb\n", "a\n").headline, /^removes 1 line of `main.cf`/);
});

test("a record that somebody changed by hand is put back, and said to be", () => {
  const type = "cloudflare:index/dnsRecord:DnsRecord";
  const { effects } = told([
    updated(
      type,
      "inbound-mx:example.org",
      { content: "mail.elsewhere.example" },
      { content: "mail.example.org" },
    ),
  ]);
  assert.match(effects[0]?.text ?? "", /^Puts 1 DNS record back .*`mx:example\.org`/);
});

test("what is made where a host is already is told, and that mail was lost comes on top", () => {
  const make = (type: string, name: string, after: Properties = {}) =>
    stepEvent({ op: "create", type, name, after });
  const { risks: found, effects } = story(
    previewOf(
      [
        make(EIP, "server-address"),
        make("aws:ec2/eipDomainName:EipDomainName", "ptr-record", { domainName: "mail.example.org" }),
        make("aws:ec2/volumeAttachment:VolumeAttachment", "server-attachment"),
        make(VOLUME, "server-volume", { size: 20 }),
        make("cloudflare:index/workersScript:WorkersScript", "web-script", worker("enforce")),
      ],
      without("mx:example.org"),
    ),
  );
  assert.match(found[0]?.title ?? "", /^THE DATA VOLUME IS GONE/);
  assert.deepEqual(
    effects.map(({ short }) => short),
    [
      "makes a data volume anew",
      "sets the reverse name of the address to `mail.example.org`",
      "the public address is gone, and another is made",
      "puts the data volume to the machine",
      "removes 1 DNS record (MX)",
      "makes 1 WorkersScript resource",
    ],
  );
});

test("mail of removed mailboxes that is kept for a shorter time is a danger, a longer one is none", () => {
  const kept = (removed: string) => ({ ...outputs, mailStore: { ...outputs.mailStore, removed } });
  const always = kept("kept until you delete it by its name");
  const expected = ["Mail of removed mailboxes is kept for 9 days from then on, and deleted after that"];
  assert.deepEqual(risks([], kept("kept for 9 days"), always), expected);
  assert.deepEqual(risks([], kept("kept for 9 days"), kept("kept for 30 days")), expected);
  for (const longer of [always, kept("kept for 100 days")]) {
    const { risks: found, effects } = told([], longer, kept("kept for 30 days"));
    assert.deepEqual(found, []);
    assert.match(effects[0]?.text ?? "", /^Mail of removed mailboxes is kept .*; it was kept for 30 days\.$/);
  }
});

test("a firewall that changes in no port is told all the same", () => {
  const { effects } = told([updated(FIREWALL, "firewall-group", { egress: [1] }, { egress: [2] })]);
  assert.equal(effects[0]?.text, "Changes the firewall in place (`egress`).");
});

test("records whose zone changes its provider are no records put back: that they go is a danger", () => {
  const moves = (op: string, more: object = {}) =>
    ["mx:example.org", "txt:example.org"].map((key) =>
      stepEvent({ op, type: "aws:route53/record:Record", name: `dns-${key}`, before: { ttl: 300 }, ...more }),
    );
  const byHand = told(moves("delete"));
  assert.deepEqual(
    byHand.risks.map(({ title }) => title),
    ["2 records of the zone `example.org` are removed where they are kept today"],
  );
  assert.match(byHand.risks[0]?.text ?? "", /the registrar/);
  assert.doesNotMatch(byHand.headline, /back|no mail at risk/);
  assert.deepEqual(risks(moves("delete", { retainOnDelete: true })), [
    "2 records of the zone `example.org` are given up where they are kept today",
  ]);
  const elsewhere = told([
    ...moves("delete"),
    stepEvent({
      op: "create",
      type: "cloudflare:index/dnsRecord:DnsRecord",
      name: "dns-mx:example.org",
      after: { ttl: 300 },
    }),
  ]);
  assert.equal(elsewhere.risks.length, 1);
  assert.match(elsewhere.headline, /^puts 1 DNS record elsewhere; takes 2 DNS records away; /);
});

test("what no chapter knows is told all the same", () => {
  const { effects, headline } = told([
    stepEvent({ op: "create", type: "aws:s3/bucket:Bucket", name: "b", after: {} }),
    stepEvent({ op: "replace", type: "aws:s3/bucket:Bucket", name: "c", before: {}, after: {} }),
  ]);
  assert.deepEqual(
    effects.map(({ text }) => text),
    ["Behind it makes 1 Bucket resource.", "Behind it replaces 1 Bucket resource."],
  );
  assert.match(headline, /1 resource is replaced/);
});

test("outputs that are not known yet say nothing", () => {
  const { effects, risks: found } = told([], {
    ...outputs,
    dnsRecords: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    mailboxes: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  });
  assert.deepEqual([effects, found], [[], []]);
});

test("an output that the version before did not have, or had in another form, is not all new", () => {
  const { dnsRecords, mailboxes, domains, hostname } = outputs;
  const keyRotation = { "example.org": [{ generation: "20260101", state: "signing", since: "" }] };
  const after = { ...outputs, keyRotation };
  for (const before of [
    { hostname },
    {
      hostname,
      domains: { "example.org": {} },
      mailboxes: Object.keys(mailboxes),
      dnsRecords: Object.values(dnsRecords),
      keyRotation: [],
    },
  ]) {
    const { effects, risks: found } = told([], after, before);
    assert.deepEqual([effects, found], [[], []]);
    const mx = stepEvent({
      op: "create",
      type: "cloudflare:index/dnsRecord:DnsRecord",
      name: "inbound-mx:example.org",
      after: {},
    });
    assert.match(told([mx], after, before).headline, /^makes or changes 1 DNS record; /);
  }
  // Where there was none, and it was told so, what comes is told.
  assert.match(
    told([], after, { hostname, domains, mailboxes, dnsRecords: {} }).headline,
    /^adds 4 DNS records/,
  );
});

test("a domain that comes or leaves silences nothing of the host, nor of other domains below it", () => {
  const shop = (content: string) => record("shop.example.org", "MX", content, 10);
  const address = (content: string) => record("mail.example.org", "A", content);
  const side = (domains: readonly string[], all: Readonly<Record<string, object>>) => ({
    ...outputs,
    domains,
    dnsRecords: all,
  });
  const before = { "mx:shop.example.org": shop("a.example"), "a:mail.example.org": address("198.51.100.7") };
  const after = { "mx:shop.example.org": shop("b.example"), "a:mail.example.org": address("198.51.100.8") };
  const [few, many] = [["shop.example.org"], ["shop.example.org", "example.org"]];
  const mx = { "mx:example.org": record("example.org", "MX", "mail.example.org", 10) };
  const expected = ["The address of `mail.example.org` changes", "The MX of `shop.example.org` changes"];
  assert.deepEqual(risks([], side(many, { ...after, ...mx }), side(few, before)), [
    "Mail for `example.org` comes to this host from then on",
    ...expected,
  ]);
  assert.deepEqual(risks([], side(few, after), side(many, { ...before, ...mx })), [
    "Mail for `example.org` comes here no more",
    ...expected,
  ]);
});

test("nor of addresses in domains below it", () => {
  const aliases = (...lines: readonly string[]) => ({
    stdin: `mailhost bundle aliases\nfiles: /etc/postfix/aliases\n\n=== /etc/postfix/aliases root:root 0644\n${lines.map((line) => `${line}\n`).join("")}=== end\n`,
  });
  const found = risks(
    [
      updated(
        COMMAND,
        "host-aliases-files",
        aliases("a@example.org ann@x.org", "a@shop.example.org ann@x.org"),
        aliases("b@x.org c@x.org"),
      ),
    ],
    { ...outputs, domains: ["shop.example.org"] },
    { ...outputs, domains: ["example.org", "shop.example.org"] },
  );
  assert.deepEqual(found, [
    "Mail for `example.org` comes here no more",
    "Mail to `a@shop.example.org` is refused from then on",
  ]);
});

test("no change is said to be none", () => {
  assert.equal(told([]).headline, "nothing changes");
});
