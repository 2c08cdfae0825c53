import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { pathText } from "../../settings/mistakes.ts";
import { parseSettings, SettingsError } from "../../settings/parse.ts";
import { schema } from "../../settings/schema.ts";
import type { CoreSettings, Settings } from "../../settings/types.ts";

type Tree = Record<string, unknown>;

const bcrypt = `$2y$05$${"a".repeat(53)}`;
const sha512 = `$6$salt$${"b".repeat(86)}`;

/** What a stack file takes from the environment. */
const variable = (name: string) => `\${${name}}`;

/** The smallest stack file. */
const small: Tree = {
  hostname: "mail.example.org",
  owner: "ann@example.org",
  ssh: { from: ["203.0.113.7/32"] },
  domains: { "example.org": { since: "2026-11-21", mailboxes: { ann: {} } } },
};

/** The smallest file with one domain's keys changed; `undefined` takes a key away. */
function withDomain(keys: Tree, more: Tree = {}): Tree {
  const domain = { since: "2026-11-21", mailboxes: { ann: {} }, ...keys };
  return { ...small, domains: { "example.org": without(domain), ...more } };
}

function withKeys(keys: Tree): Tree {
  return without({ ...small, ...keys });
}

function without(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== undefined));
}

function mistakesIn(raw: Tree, environment = {}): string[] {
  try {
    parseSettings(raw, environment);
    return [];
  } catch (error) {
    assert(error instanceof SettingsError, `not a SettingsError: ${error}`);
    return error.mistakes.map(({ path, message }) => `${pathText(path)}: ${message}`);
  }
}

/** Each option has a test of its own (`test/options/`). */
function withoutOptions({ options: _, ...core }: Settings): CoreSettings {
  return core;
}

describe("defaults", () => {
  it("are filled into the smallest file", () => {
    assert.deepEqual(withoutOptions(parseSettings(small, {})), {
      hostname: "mail.example.org",
      hostnameZone: "example.org",
      region: "",
      owner: "ann@example.org",
      ssh: { from: ["203.0.113.7/32"] },
      server: {
        architecture: "arm64",
        instanceType: "t4g.small",
        rootSize: 8,
        dataSize: 20,
        timeZone: "UTC",
      },
      network: { cidr: "10.20.0.0/16", ipv6: false },
      acme: {
        directory: "https://acme-v02.api.letsencrypt.org/directory",
        caaIdentity: "letsencrypt.org",
      },
      resolver: {},
      domains: [
        {
          name: "example.org",
          zone: "example.org",
          since: "2026-11-21",
          mailboxes: [{ address: "ann@example.org", suspended: false }],
          aliases: [],
          dmarc: { policy: "quarantine", reportsTo: "dmarc@example.org" },
        },
      ],
    });
  });

  it("take the instance type from the architecture", () => {
    const { server } = parseSettings(withKeys({ server: { architecture: "amd64" } }), {});
    assert.equal(server.instanceType, "t3a.small");
  });

  it("take the host's zone from the closest of the domains' that holds it, else from its parent", () => {
    const zoneOf = (keys: Tree) => parseSettings(withKeys(keys), {}).hostnameZone;
    assert.equal(zoneOf({ hostname: "a.b.example.org" }), "example.org");
    assert.equal(zoneOf({ hostname: "mx.hosting.example" }), "hosting.example");
    assert.equal(zoneOf({ hostname: "a.b.example.org", hostnameZone: "b.example.org" }), "b.example.org");

    const nested = withDomain({}, { "b.example.org": { since: "2026-11-21", mailboxes: { bob: {} } } });
    assert.equal(
      parseSettings({ ...nested, hostname: "mx.b.example.org" }, {}).hostnameZone,
      "b.example.org",
    );
  });
});

describe("a full file", () => {
  const settings = parseSettings(
    {
      hostname: "Mail.Example.org",
      owner: "Sales@Example.org",
      ssh: { from: "the-whole-internet" },
      server: {
        architecture: "amd64",
        instanceType: "m7a.large",
        rootSize: "10",
        dataSize: "40",
        timeZone: "Europe/Berlin",
      },
      network: { cidr: "192.168.4.0/24", ipv6: "true" },
      acme: {
        directory: variable("ACME"),
        caCertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
      },
      resolver: {
        rootHints: ". 3600000 NS a.root.\na.root. 3600000 A 198.18.0.1",
        trustAnchor: ". IN DS 1 13 2 ABCD\n",
      },
      domains: {
        "Example.org": {
          since: "2026-11-21",
          mailboxes: { Ann: null, bob: { passwordHash: variable("BOB") }, carol: { passwordHash: sha512 } },
          aliases: { Info: ["ann", "Bob@Example.com", "ann"], sales: "bob+shop" },
          catchAll: "ann",
          dmarc: { policy: "reject", reportsTo: "info" },
        },
        "bücher.example": { since: "2026-01-02", zone: "bücher.example" },
      },
    },
    { ACME: "https://acme.test/dir", BOB: bcrypt },
  );

  it("is read into one typed object", () => {
    assert.deepEqual(withoutOptions(settings), {
      hostname: "mail.example.org",
      hostnameZone: "example.org",
      region: "",
      owner: "sales@example.org",
      ssh: { from: ["0.0.0.0/0", "::/0"] },
      server: {
        architecture: "amd64",
        instanceType: "m7a.large",
        rootSize: 10,
        dataSize: 40,
        timeZone: "Europe/Berlin",
      },
      network: { cidr: "192.168.4.0/24", ipv6: true },
      acme: {
        directory: "https://acme.test/dir",
        caCertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
      },
      resolver: {
        rootHints: ". 3600000 NS a.root.\na.root. 3600000 A 198.18.0.1\n",
        trustAnchor: ". IN DS 1 13 2 ABCD\n",
      },
      domains: [
        {
          name: "example.org",
          zone: "example.org",
          since: "2026-11-21",
          mailboxes: [
            { address: "ann@example.org", suspended: false },
            { address: "bob@example.org", passwordHash: `{BLF-CRYPT}${bcrypt}`, suspended: false },
            { address: "carol@example.org", passwordHash: `{SHA512-CRYPT}${sha512}`, suspended: false },
          ],
          aliases: [
            { address: "info@example.org", to: ["ann@example.org", "Bob@example.com"] },
            { address: "sales@example.org", to: ["bob+shop@example.org"] },
          ],
          catchAll: "ann@example.org",
          dmarc: { policy: "reject", reportsTo: "info@example.org" },
        },
        {
          name: "xn--bcher-kva.example",
          zone: "xn--bcher-kva.example",
          since: "2026-01-02",
          mailboxes: [],
          aliases: [],
          dmarc: { policy: "quarantine", reportsTo: "dmarc@xn--bcher-kva.example" },
        },
      ],
    });
  });
});

describe("what is right", () => {
  const right: readonly [string, Tree][] = [
    ["an owner elsewhere", withKeys({ owner: "ann@elsewhere.example" })],
    [
      "an owner that only a catch-all takes",
      { ...withDomain({ catchAll: "ann" }), owner: "who@example.org" },
    ],
    [
      "an alias to an address that a catch-all takes",
      withDomain({ catchAll: "ann", aliases: { info: "anything" } }),
    ],
    ["an alias to postmaster@, which the owner reads", withDomain({ aliases: { info: "postmaster" } })],
    [
      "one of several SSH networks in IPv6",
      withKeys({ ssh: { from: ["2001:db8::/32", "198.51.100.0/24"] } }),
    ],
    ["a single network as a text", withKeys({ ssh: { from: "203.0.113.0/24" } })],
    ["an existing subnet", withKeys({ network: { subnetId: "subnet-0a1b2c3d" } })],
    ["a mailbox by its full address", withDomain({ mailboxes: { "ann@example.org": {} } })],
    ["a mailbox that takes a role", withDomain({ mailboxes: { ann: {}, postmaster: {} } })],
    ["mappings left empty", { ...small, server: null, network: null, acme: null, resolver: null }],
    [
      "a domain in a zone above it",
      withKeys({
        owner: "x@y.example",
        domains: { "a.b.example": { since: "2026-11-21", zone: "b.example" } },
      }),
    ],
    ["Graviton types", withKeys({ server: { instanceType: "c7gn.medium" } })],
    ["a type like one of Xen", withKeys({ server: { architecture: "amd64", instanceType: "i3en.large" } })],
    [
      "a whole machine of a Xen family",
      withKeys({ server: { architecture: "amd64", instanceType: "i3.metal" } }),
    ],
    ["the first arm64 type", withKeys({ server: { instanceType: "a1.medium" } })],
  ];
  for (const [what, raw] of right) it(what, () => assert.deepEqual(mistakesIn(raw), []));

  it("hashes of every known form, in Dovecot's", () => {
    const b64 = "c2FsdHNhbHQ";
    const hashes = {
      [bcrypt]: `{BLF-CRYPT}${bcrypt}`,
      [sha512]: `{SHA512-CRYPT}${sha512}`,
      [`$5$rounds=5000$salt$${"c".repeat(43)}`]: `{SHA256-CRYPT}$5$rounds=5000$salt$${"c".repeat(43)}`,
      [`$argon2id$v=19$m=65536,t=3,p=1$${b64}$${b64}`]: `{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$${b64}$${b64}`,
      [`$y$j9T$salt$${"d".repeat(43)}`]: `{CRYPT}$y$j9T$salt$${"d".repeat(43)}`,
      [`{crypt}${sha512}`]: `{CRYPT}${sha512}`,
      "{ssha512.hex}00ff": "{SSHA512.HEX}00ff",
      "{PBKDF2}$1$salt$5000$abcd": "{PBKDF2}$1$salt$5000$abcd",
    };
    for (const [passwordHash, normal] of Object.entries(hashes)) {
      const settings = parseSettings(withDomain({ mailboxes: { ann: { passwordHash } } }), {});
      assert.equal(settings.domains[0]?.mailboxes[0]?.passwordHash, normal);
    }
  });
});

/** Each rule, broken once: the file, the place and words of the one message. */
// biome-ignore format: a table, one rule a line
const wrong: readonly [string, Tree, string, RegExp][] = [
  ["unknown key", withKeys({ sever: {} }), "mailhost:sever", /is not a setting; write server$/],
  ["password", withDomain({ mailboxes: { ann: { password: "x" } } }), "mailhost:domains.example.org.mailboxes.ann.password", /a password is generated for each mailbox; take the line out/],
  ["another word for a key", withKeys({ webmail: true }), "mailhost:webmail", /is not a setting; write web$/],
  ["another word for a key, in another case", withKeys({ SpamAssassin: {} }), "mailhost:SpamAssassin", /write spam$/],
  ["another word for a key of a domain", withDomain({ users: {} }), "mailhost:domains.example.org.users", /write mailboxes$/],
  ["a word for what there is not", withKeys({ ldap: true }), "mailhost:ldap", /nothing here is called like it; known: hostname, /],
  ["unknown key that is like none", withKeys({ ssh: { from: ["203.0.113.7/32"], colour: 1 } }), "mailhost:ssh.colour", /is not a setting, and nothing here is called like it; known: from$/],
  ["unknown key of several", withDomain({ colour: 1 }), "mailhost:domains.example.org.colour", /known: since, zone, mailboxes/],
  ["misspelt required key", withKeys({ hostname: undefined, hostnme: "mail.example.org" }), "mailhost:hostnme", /write hostname$/],
  ["missing hostname", withKeys({ hostname: undefined }), "mailhost:hostname", /is missing; write one such as mail\.example\.org/],
  ["missing owner", withKeys({ owner: undefined }), "mailhost:owner", /is missing/],
  ["missing ssh", withKeys({ ssh: undefined }), "mailhost:ssh", /is missing; write it as in `ssh: \{ from: \[203\.0\.113\.7\/32\] \}`/],
  ["missing domains", withKeys({ domains: undefined }), "mailhost:domains", /is empty|is missing/],
  ["no domain", withKeys({ owner: "a@b.example", domains: {} }), "mailhost:domains", /is empty; write at least one domain/],
  ["missing since", withDomain({ since: undefined }), "mailhost:domains.example.org.since", /is missing; write one such as 2026-11-21/],
  ["wrong type: list for text", withKeys({ hostname: ["a"] }), "mailhost:hostname", /is a list where a text belongs/],
  ["wrong type: text for mapping", withKeys({ server: "big" }), "mailhost:server", /is a text where a mapping belongs/],
  ["wrong type: text for number", withKeys({ server: { rootSize: "big" } }), "mailhost:server.rootSize", /is a text where a whole number belongs; write a number from 8 to 16384/],
  ["wrong type: text for truth value", withKeys({ network: { ipv6: "yes" } }), "mailhost:network.ipv6", /write true or false/],
  ["wrong type: number for mapping", withKeys({ quota: "10" }), "mailhost:quota", /: is 10 where a mapping belongs; write it as in `quota: \{ size: 10 \}`/],
  ["wrong type: number for mapping, as a number", withKeys({ quota: 10 }), "mailhost:quota", /: is 10 where a mapping belongs/],
  ["wrong type: truth value for mapping", withKeys({ logs: "true" }), "mailhost:logs", /: is true where a mapping belongs/],
  ["wrong type: number for truth value", withKeys({ pop3s: "995" }), "mailhost:pop3s", /: is 995 where true or false belongs/],
  ["wrong type: number for the mapping that has a password", withKeys({ relay: "4711" }), "mailhost:relay", /: a text or a mapping belongs here; write/],
  ["wrong type: number for a mailbox, perhaps its password", withDomain({ mailboxes: { ann: "4711" } }), "mailhost:domains.example.org.mailboxes.ann", /: a mapping belongs here; write it as in `ann: \{\}`/],
  ["wrong type: number for the domains", withDomain({}, { "example.com": 4711 }), "mailhost:domains.example.com", /: a mapping belongs here; write it as in/],
  ["wrong type: mapping for list", withDomain({ aliases: { info: { to: "ann" } } }), "mailhost:domains.example.org.aliases.info", /is a mapping where a text or a list of texts belongs/],
  ["wrong type: list in a list", withDomain({ aliases: { info: ["ann", []] } }), "mailhost:domains.example.org.aliases.info[1]", /is a list where a text belongs/],
  ["wrong form: a time", withKeys({ upgrades: { reboot: "25:00" } }), "mailhost:upgrades.reboot", /is not a time; write/],
  ["wrong type: a word for a mapping or false", withKeys({ swap: "yes" }), "mailhost:swap", /is a text where false or a mapping belongs/],
  ["wrong type: text for a decimal", withKeys({ quota: { size: "5 GiB" } }), "mailhost:quota.size", /is a text where a number belongs/],
  ["wrong type: text for a list", withKeys({ secondMx: "mx2.example.net" }), "mailhost:secondMx", /is a text where a list of texts belongs/],
  ["fraction", withKeys({ server: { dataSize: 2.5 } }), "mailhost:server.dataSize", /is no whole number/],
  ["size below its range", withKeys({ server: { rootSize: 7 } }), "mailhost:server.rootSize", /is out of range; write a number from 8/],
  ["size above its range", withKeys({ server: { dataSize: "16385" } }), "mailhost:server.dataSize", /is out of range; write a number from 1 to 16384/],
  ["bad host name", withKeys({ hostname: "mail_host.example.org" }), "mailhost:hostname", /is not a domain name/],
  ["host name that is an address", withKeys({ hostname: "192.0.2.1" }), "mailhost:hostname", /is not a domain name/],
  ["host name that is a mail domain", withKeys({ hostname: "example.org", hostnameZone: "example.org" }), "mailhost:hostname", /is a mail domain itself; write .* mail\.example\.org/],
  ["host name without a zone above it", withKeys({ hostname: "example.net" }), "mailhost:hostname", /has no zone above it/],
  ["host name outside its zone", withKeys({ hostnameZone: "example.com" }), "mailhost:hostnameZone", /does not hold mail\.example\.org/],
  ["bad zone", withKeys({ hostnameZone: "example" }), "mailhost:hostnameZone", /is not a domain name/],
  ["owner that is no address", withKeys({ owner: "ann" }), "mailhost:owner", /is no full mail address/],
  ["owner that does not exist", withKeys({ owner: "anna@example.org" }), "mailhost:owner", /which does not exist; write ann@example\.org/],
  ["owner that leads to itself", withKeys({ owner: "postmaster@example.org" }), "mailhost:owner", /never reaches a mailbox: postmaster@example\.org → postmaster@example\.org/],
  ["owner at the host's own name", withKeys({ owner: "root@mail.example.org" }), "mailhost:owner", /an address of the machine itself/],
  ["no SSH network", withKeys({ ssh: { from: [] } }), "mailhost:ssh.from", /is empty; write it as in/],
  ["network that is none", withKeys({ ssh: { from: ["home"] } }), "mailhost:ssh.from[0]", /is no network/],
  ["network in octal", withKeys({ ssh: { from: ["0300.0.2.0/24"] } }), "mailhost:ssh.from[0]", /is no network/],
  ["whole IPv4 internet as a network", withKeys({ ssh: { from: ["0.0.0.0/0"] } }), "mailhost:ssh.from[0]", /`from: the-whole-internet`/],
  ["whole IPv6 internet as a network", withKeys({ ssh: { from: "::/0" } }), "mailhost:ssh.from", /`from: the-whole-internet`/],
  ["half of the internet", withKeys({ ssh: { from: ["128.0.0.0/1"] } }), "mailhost:ssh.from[0]", /large part of the internet/],
  ["address for network", withKeys({ ssh: { from: ["203.0.113.7"] } }), "mailhost:ssh.from[0]", /write 203\.0\.113\.7\/32$/],
  ["IPv6 address for network", withKeys({ ssh: { from: ["2001:db8::1"] } }), "mailhost:ssh.from[0]", /write 2001:db8::1\/128$/],
  ["network with host bits", withKeys({ ssh: { from: ["203.0.113.7/24"] } }), "mailhost:ssh.from[0]", /write 203\.0\.113\.0\/24, or 203\.0\.113\.7\/32 for this address alone$/],
  ["unknown architecture", withKeys({ server: { architecture: "riscv" } }), "mailhost:server.architecture", /is unknown; write arm64 or amd64/],
  ["malformed instance type", withKeys({ server: { instanceType: "small" } }), "mailhost:server.instanceType", /is not an EC2 instance type/],
  ["amd64 type on arm64", withKeys({ server: { instanceType: "g4dn.xlarge" } }), "mailhost:server.instanceType", /is an amd64 type, while the architecture is arm64/],
  ["arm64 type on amd64", withKeys({ server: { architecture: "amd64", instanceType: "m7gd.large" } }), "mailhost:server.instanceType", /is an arm64 type.*`architecture: arm64`.*t3a\.small/],
  ["type on Xen", withKeys({ server: { architecture: "amd64", instanceType: "t2.micro" } }), "mailhost:server.instanceType", /is of a generation .* Nitro System, such as t3a\.small$/],
  ["type on Xen, for the other architecture", withKeys({ server: { instanceType: "x1e.xlarge" } }), "mailhost:server.instanceType", /is of a generation .* such as t4g\.small$/],
  ["unknown time zone", withKeys({ server: { timeZone: "Europe/Atlantis" } }), "mailhost:server.timeZone", /is not a time zone/],
  ["time zone as an offset", withKeys({ server: { timeZone: "+02:00" } }), "mailhost:server.timeZone", /is not a time zone/],
  ["time zone in another case", withKeys({ server: { timeZone: "europe/berlin" } }), "mailhost:server.timeZone", /write Europe\/Berlin$/],
  ["range that is none", withKeys({ network: { cidr: "10.20.0.0" } }), "mailhost:network.cidr", /is no IPv4 network/],
  ["range too large", withKeys({ network: { cidr: "10.0.0.0/8" } }), "mailhost:network.cidr", /too large/],
  ["range too small", withKeys({ network: { cidr: "10.0.0.0/29" } }), "mailhost:network.cidr", /too small/],
  ["range not private", withKeys({ network: { cidr: "203.0.0.0/16" } }), "mailhost:network.cidr", /is not a private range/],
  ["range with host bits", withKeys({ network: { cidr: "10.20.1.0/16" } }), "mailhost:network.cidr", /write 10\.20\.0\.0\/16/],
  ["bad subnet id", withKeys({ network: { subnetId: "vpc-12345678" } }), "mailhost:network.subnetId", /is not a subnet's id/],
  ["range beside a subnet", withKeys({ network: { subnetId: "subnet-12345678", cidr: "10.20.0.0/16" } }), "mailhost:network.cidr", /write one of the two/],
  ["directory with a line break", withKeys({ acme: { directory: "https://acme.test/\nx" } }), "mailhost:acme.directory", /is not an https URL/],
  ["directory without https", withKeys({ acme: { directory: "http://acme.test/" } }), "mailhost:acme.directory", /is not an https URL/],
  ["certificate that is none", withKeys({ acme: { caCertificate: "MIIB" } }), "mailhost:acme.caCertificate", /is not a certificate in PEM/],
  ["a resolver that is no address", withKeys({ resolver: { outside: "one.one" } }), "mailhost:resolver.outside", /is not an IP address; write one such as/],
  ["root hints without a root server", withKeys({ resolver: { rootHints: "a.root. A 198.18.0.1" } }), "mailhost:resolver.rootHints", /has no NS record of the root/],
  ["trust anchor that is none", withKeys({ resolver: { trustAnchor: "20326" } }), "mailhost:resolver.trustAnchor", /has no DS or DNSKEY/],
  ["bad domain", withDomain({}, { "-bad.example": { since: "2026-11-21" } }), "mailhost:domains.-bad.example", /is not a domain name/],
  ["domain of one label", withDomain({}, { localhost: { since: "2026-11-21" } }), "mailhost:domains.localhost", /is not a domain name/],
  ["same domain in another case", withDomain({}, { "Example.ORG": { since: "2026-11-21" } }), "mailhost:domains.Example.ORG", /is the same domain as example\.org/],
  ["same domain in another script", withKeys({ owner: "a@b.example", domains: { "bücher.example": { since: "2026-11-21" }, "xn--bcher-kva.example": { since: "2026-11-21" }, } }), "mailhost:domains.xn--bcher-kva.example", /is the same domain as bücher\.example/],
  ["domain outside its zone", withDomain({ zone: "example.com" }), "mailhost:domains.example.org.zone", /does not hold example\.org/],
  ["day that does not exist", withDomain({ since: "2026-02-30" }), "mailhost:domains.example.org.since", /is not a day of the calendar/],
  ["day in another form", withDomain({ since: "21.11.2026" }), "mailhost:domains.example.org.since", /such as 2026-11-21/],
  ["mailbox named twice", withDomain({ mailboxes: { ann: {}, Ann: {} } }), "mailhost:domains.example.org.mailboxes.Ann", /is named twice: ann too/],
  ["mailbox in a domain that is not listed", withDomain({ mailboxes: { ann: {}, "bob@example.com": {} } }), "mailhost:domains.example.org.mailboxes.bob@example.com", /is a mailbox in a domain that is not listed; write domains\.example\.com/],
  ["alias in a domain that is not listed", withDomain({ aliases: { "info@example.com": "ann" } }), "mailhost:domains.example.org.aliases.info@example.com", /is an alias in a domain that is not listed/],
  ["mailbox of another listed domain", withDomain({ mailboxes: { ann: {}, "bob@example.com": {} } }, { "example.com": { since: "2026-11-21" } }), "mailhost:domains.example.org.mailboxes.bob@example.com", /write it under domains\.example\.com\.mailboxes/],
  ["mailbox with a bad domain", withDomain({ mailboxes: { ann: {}, "bob@nowhere": {} } }), "mailhost:domains.example.org.mailboxes.bob@nowhere", /is no mail address/],
  ["tag in a mailbox's name", withDomain({ mailboxes: { ann: {}, "ann+shop": {} } }), "mailhost:domains.example.org.mailboxes.ann+shop", /has a \+/],
  ["mailbox with a bad name", withDomain({ mailboxes: { ann: {}, "../etc": {} } }), "mailhost:domains.example.org.mailboxes.../etc", /is no name for an address here/],
  ["mailbox with too long a name", withDomain({ mailboxes: { ann: {}, ["x".repeat(65)]: {} } }), `mailhost:domains.example.org.mailboxes.${"x".repeat(65)}`, /64 at most/],
  ["mailbox that is no mapping", withDomain({ mailboxes: { ann: bcrypt } }), "mailhost:domains.example.org.mailboxes.ann", /is a text where a mapping belongs; write it as in `ann: {}`/],
  ["alias with a mailbox's name", withDomain({ aliases: { Ann: "x@y.example" } }), "mailhost:domains.example.org.aliases.Ann", /is a mailbox already/],
  ["alias named twice", withDomain({ aliases: { info: "ann", INFO: "ann" } }), "mailhost:domains.example.org.aliases.INFO", /is named twice: info too/],
  ["alias to nobody", withDomain({ aliases: { info: [] } }), "mailhost:domains.example.org.aliases.info", /is empty/],
  ["alias to what is no address", withDomain({ aliases: { info: ["ann", "|/bin/sh"] } }), "mailhost:domains.example.org.aliases.info[1]", /is no mail address/],
  ["alias to a mailbox that does not exist", withDomain({ aliases: { info: ["ann", "anne"] } }), "mailhost:domains.example.org.aliases.info[1]", /leads to anne@example\.org, which does not exist; write ann@example\.org/],
  ["alias to the machine's own name", withDomain({ aliases: { info: "root@mail.example.org" } }), "mailhost:domains.example.org.aliases.info", /the machine itself/],
  ["alias to itself", withDomain({ aliases: { info: ["ann", "info"] } }), "mailhost:domains.example.org.aliases.info", /circle: info@example\.org → info@example\.org/],
  ["alias loop", withDomain({ aliases: { a: "b", b: "c+tag", c: ["ann", "A"] } }), "mailhost:domains.example.org.aliases.a", /circle: a@example\.org → b@example\.org → c@example\.org → a@example\.org/],
  ["loop over two catch-alls", withDomain({ catchAll: "x@example.com" }, { "example.com": { since: "2026-11-21", catchAll: "y@example.org" } }), "mailhost:domains.example.org.catchAll", /circle: anything@example\.org → anything@example\.com → anything@example\.org/],
  ["catch-all that does not exist", withDomain({ catchAll: "nobody" }), "mailhost:domains.example.org.catchAll", /leads to nobody@example\.org, which does not exist; add a mailbox or alias nobody to example\.org/],
  ["catch-all in a loop with an alias", withDomain({ catchAll: "info", aliases: { info: "gone" } }), "mailhost:domains.example.org.aliases.info", /circle: info@example\.org → anything@example\.org → info@example\.org/],
  ["unknown DMARC policy", withDomain({ dmarc: { policy: "strict" } }), "mailhost:domains.example.org.dmarc.policy", /is unknown; write none or quarantine or reject or ramp/],
  ["unknown DMARC policy by itself", withDomain({ dmarc: "strict" }), "mailhost:domains.example.org.dmarc", /is a text where .* belongs; write one such as ramp/],
  ["reports to nobody", withDomain({ dmarc: { reportsTo: "reports" } }), "mailhost:domains.example.org.dmarc.reportsTo", /leads to reports@example\.org, which does not exist/],
  ["reports to no address", withDomain({ dmarc: { reportsTo: "mailto:a@b" } }), "mailhost:domains.example.org.dmarc.reportsTo", /is no mail address/],
  ["password instead of its hash", withDomain({ mailboxes: { ann: { passwordHash: "secret1" } } }), "mailhost:domains.example.org.mailboxes.ann.passwordHash", /is no hash of a known form/],
  ["hash cut short", withDomain({ mailboxes: { ann: { passwordHash: bcrypt.slice(0, -1) } } }), "mailhost:domains.example.org.mailboxes.ann.passwordHash", /is not a whole BLF-CRYPT hash/],
  ["hash of another scheme than it says", withDomain({ mailboxes: { ann: { passwordHash: `{ARGON2ID}${sha512}` } } }), "mailhost:domains.example.org.mailboxes.ann.passwordHash", /is not a whole ARGON2ID hash/],
  ["weak hash", withDomain({ mailboxes: { ann: { passwordHash: "{PLAIN}secret1" } } }), "mailhost:domains.example.org.mailboxes.ann.passwordHash", /of the scheme PLAIN, which protects nothing/],
  ["unknown scheme", withDomain({ mailboxes: { ann: { passwordHash: "{ROT13}secret1" } } }), "mailhost:domains.example.org.mailboxes.ann.passwordHash", /scheme that Dovecot does not know/],
  ["hash with a field separator", withDomain({ mailboxes: { ann: { passwordHash: "{SSHA512}ab:cd" } } }), "mailhost:domains.example.org.mailboxes.ann.passwordHash", /is not a whole SSHA512 hash/],
  ["variable that is not set", withKeys({ acme: { directory: variable("NOT_SET") } }), "mailhost:acme.directory", /environment variable "NOT_SET", which is not set/],
  ["variable deep in a list", withDomain({ aliases: { info: ["ann", variable("NOT_SET")] } }), "mailhost:domains.example.org.aliases.info[1]", /"NOT_SET"/],
  ["variable with no name", withKeys({ hostname: variable("") }), "mailhost:hostname", /environment variable ""/],
];

describe("each mistake alone gives one message with its place and what to write", () => {
  for (const [what, raw, place, words] of wrong) {
    it(what, () => {
      const found = mistakesIn(raw);
      assert.equal(found.length, 1, `expected one message, got:\n${found.join("\n")}`);
      const [message = ""] = found;
      assert(message.startsWith(`${place}: `), `${message}\nis not at ${place}`);
      assert.match(message.slice(place.length), words);
      assert.match(message, /; \S/, "says nothing about what to write");
    });
  }
});

it("a synonym stands for one key alone, and is the name of none", () => {
  const visit = (node: z.core.JSONSchema._JSONSchema, words: string[] = []): void => {
    if (typeof node === "boolean") return;
    const properties = Object.entries(node.properties ?? {});
    const said = properties.flatMap(([key, inner]) => [
      key,
      ...((inner as { synonyms?: string[] }).synonyms ?? []),
    ]);
    words.push(...said);
    const names = said.map((word) => word.toLowerCase());
    assert.deepEqual(names, [...new Set(names)]);
    for (const [, inner] of properties) visit(inner, words);
    visit(node.additionalProperties ?? false, words);
    if (node === root) assert.ok(words.includes("webmail") && words.includes("forwards"));
  };
  const root = z.toJSONSchema(schema, { io: "input" });
  visit(root);
});

describe("several mistakes", () => {
  it("ten in one file give ten messages, in the file's order", () => {
    const found = mistakesIn({
      hostname: "mail",
      owner: "nobody@example.org",
      ssh: { from: ["0.0.0.0/0"] },
      server: { rootSize: 4, timeZone: "Mars" },
      colour: "red",
      domains: {
        "example.org": {
          since: "soon",
          mailboxes: { ann: { passwordHash: "123" }, ANN: {} },
          aliases: { info: "ghost" },
        },
      },
    });
    assert.deepEqual(
      found.map((message) => message.split(": ")[0]),
      [
        "mailhost:hostname",
        "mailhost:owner",
        "mailhost:ssh.from[0]",
        "mailhost:server.rootSize",
        "mailhost:server.timeZone",
        "mailhost:colour",
        "mailhost:domains.example.org.since",
        "mailhost:domains.example.org.mailboxes.ann.passwordHash",
        "mailhost:domains.example.org.mailboxes.ANN",
        "mailhost:domains.example.org.aliases.info",
      ],
    );
  });

  it("the error's text has a line for each and says that nothing was touched", () => {
    const raw = withKeys({ hostname: "x", owner: "y" });
    assert.throws(
      () => parseSettings(raw, {}),
      (error: Error) => {
        const [first, ...lines] = error.message.split("\n");
        assert.equal(first, "The stack file has 2 mistakes in it. Nothing was touched.");
        assert.equal(lines.length, 2);
        return true;
      },
    );
  });

  it("a mistaken value makes nothing else look mistaken", () => {
    const found = mistakesIn(
      withDomain({
        mailboxes: { ann: "wrong", bob: { passwordHash: "x" } },
        aliases: { info: ["ann", "bob"], sales: [[]], shop: "sales" },
        catchAll: "sales",
      }),
    );
    assert.equal(found.length, 3, found.join("\n"));
  });

  it("a list where the mailboxes belong is one mistake, whoever sends mail to them", () => {
    const found = mistakesIn(
      withDomain({ mailboxes: ["ann", "bob"], aliases: { info: ["ann", "bob"] }, catchAll: "ann" }),
    );
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", /mailboxes: is a list where a mapping belongs/);
  });

  it("misspelt mailboxes are one mistake, whoever sends mail to them", () => {
    const found = mistakesIn(
      withDomain({ mailboxes: undefined, mailboxs: { ann: {} }, aliases: { info: "ann" }, catchAll: "ann" }),
    );
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", /mailboxs: is not a setting; write mailboxes$/);
  });

  it("a mistaken value is not called missing as well", () => {
    const relay = { host: "smtp.relay.example.net", username: "customer", password: "two words", spf: [] };
    const found = mistakesIn({ ...small, relay });
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", /^mailhost:relay\.password: has a blank/);
  });

  it("an empty file names what is required", () => {
    assert.deepEqual(
      mistakesIn({}).map((message) => message.split(" is ")[0]),
      ["mailhost:hostname:", "mailhost:owner:", "mailhost:ssh:", "mailhost:domains:"],
    );
  });
});

it("a day may stand without quotes, which Pulumi reads as a point in time", () => {
  const settings = parseSettings(
    {
      ...small,
      domains: { "example.org": { since: "2026-11-21 00:00:00 +0000 UTC", mailboxes: { ann: {} } } },
    },
    {},
  );
  assert.equal(settings.domains[0]?.since, "2026-11-21");
});

it("an option with settings of its own is switched off by `false`, which Pulumi hands over as a text", () => {
  const { swap, search } = parseSettings({ ...small, swap: "false", search: "false" }, {}).options;
  assert.deepEqual([swap, search], [false, false]);
});

it("a number in such an option may come from the environment", () => {
  const { swap } = parseSettings({ ...small, swap: { size: variable("SIZE") } }, { SIZE: "2048" }).options;
  assert.deepEqual(swap, { size: 2048 });
});

it("spf: how strictly is enough to say, and what it cannot be is a mistake in words", () => {
  const of = (spf: unknown) =>
    parseSettings(
      { ...small, domains: { "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, spf } } },
      {},
    ).domains[0]?.spf;
  assert.deepEqual(
    [of("refuse"), of("merge"), of({}), of({ all: "-all" })],
    [undefined, {}, {}, { all: "-all" }],
  );
  assert.throws(() => of({ foreign: "refuse" }), /example\.org\.spf\.foreign: is unknown; write merge/);
  assert.throws(() => of({ all: "+all" }), /example\.org\.spf\.all: is unknown; write -all or ~all or \?all/);
});
