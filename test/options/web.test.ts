import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { secretsDocument } from "../../plan/bundle.ts";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { hostPorts } from "../../plan/ports.ts";
import { dnsRecords } from "../../plan/records.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const textOf = (keys: Readonly<Record<string, unknown>>, path: string) =>
  hostBundles(settingsWith(keys))
    .flatMap(({ files }) => files)
    .find((file) => file.path === path)?.content;
const bundleOf = (keys: Readonly<Record<string, unknown>>) =>
  hostBundles(settingsWith(keys)).find(({ name }) => name === "web");
const tls = "/usr/local/lib/mailhost/tls";
const users = "/etc/sysusers.d/mailhost.conf";

describe("web", () => {
  it("off it is absent, to the last word, and so it is by default", () => {
    for (const keys of [{}, { web: false }]) {
      const bundles = hostBundles(settingsWith(keys));
      assert.equal(bundleOf(keys), undefined);
      assert.equal(
        hostPorts(bundles).some(({ number }) => number === 443),
        false,
      );
      assert.deepEqual(
        hostPackages(bundles).filter((name) => /nginx|php|roundcube|hunspell/.test(name)),
        [],
      );
      for (const path of [tls, users]) assert.doesNotMatch(textOf(keys, path) ?? "", /nginx|webmail/, path);
    }
  });

  it("on, it opens 443, and 80 says why it is open", () => {
    const ports = hostPorts(hostBundles(settingsWith({ web: true })));
    assert.deepEqual(
      ports
        .filter(({ number }) => [80, 443, 4190].includes(number))
        .map(({ number, from, why }) => `${number} ${String(from)} ${why}`),
      [
        "80 anywhere Sends browsers on to HTTPS; and the ACME server looks at this host here.",
        "443 anywhere Webmail, for browsers.",
      ],
    );
  });

  it("nginx gets the certificate when it is new, and shows the ACME server certbot's answers", () => {
    assert.match(
      textOf({ web: true }, tls) ?? "",
      /for unit in postfix.service dovecot.service nginx.service; do/,
    );
    assert.match(textOf({ web: true }, "/etc/nginx/nginx.conf") ?? "", /root \/run\/mailhost-acme;/);
    assert.match(textOf({ web: true }, users) ?? "", /^u webmail {2}808 /m);
  });

  it("listens on IPv6 where the host has it", () => {
    const conf = (keys: object) => textOf({ web: true, ...keys }, "/etc/nginx/nginx.conf") ?? "";
    assert.doesNotMatch(conf({}), /\[::\]/);
    assert.match(conf({ network: { ipv6: true } }), /listen \[::\]:443 ssl;/);
  });

  it("rules go over a port that is open to this host alone, unless mail programs are to reach it, too", () => {
    const conf = "/etc/dovecot/mailhost.d/inside-sieve.conf";
    assert.match(textOf({ web: true }, conf) ?? "", /listen = 127\.0\.0\.1/);
    assert.doesNotMatch(textOf({ web: true, managesieve: true }, conf) ?? "", /inet_listener/);
  });

  it("Roundcube's key is a secret of its own", () => {
    const bundle = bundleOf({ web: true }) ?? assert.fail();
    assert.deepEqual(bundle.generates, ["webmail"]);
    const secrets = {
      ...noSecrets,
      generated: { webmail: "k".repeat(32) },
    };
    assert.match(
      secretsDocument(bundle, secrets) ?? "",
      /^=== \/etc\/mailhost\/webmail\/key\.inc\.php webmail:webmail 0400\n<\?php\n\$config\['des_key'\] = 'k{32}';$/m,
    );
    assert.equal(
      bundle.files.some(({ content }) => content.includes("kkkk")),
      false,
    );
  });

  it("the spelling is looked at in the languages that the stack file names, English if it names none", () => {
    const conf = "/etc/mailhost/webmail/config.inc.php";
    assert.match(
      textOf({ web: true }, conf) ?? "",
      /spellcheck_languages'\] = \['en_US' => 'English \(US\)'\];/,
    );
    const keys = { web: { dictionaries: ["de-de", "fr"] } };
    assert.match(textOf(keys, conf) ?? "", /\['de_DE' => 'Deutsch', 'fr_FR' => 'Français'\];/);
    assert.deepEqual(
      hostPackages(hostBundles(settingsWith(keys))).filter((name) => name.startsWith("hunspell")),
      ["hunspell-de-de", "hunspell-fr"],
    );
    assert.throws(() => settingsWith({ web: { dictionaries: ["tlh"] } }), /web.*tlh|is unknown/s);
  });

  it("answers at other names, each with its address and in the certificate", () => {
    const keys = { web: { names: ["Webmail.example.org"] } };
    assert.match(
      textOf(keys, "/etc/nginx/nginx.conf") ?? "",
      /server_name mail\.example\.org webmail\.example\.org;/,
    );
    assert.match(
      textOf(keys, "/etc/mailhost/certificate.conf") ?? "",
      /^NAMES='mail\.example\.org webmail\.example\.org'$/m,
    );
    assert.match(textOf(keys, "/etc/mailhost/webmail/config.inc.php") ?? "", /'\^webmail\\.example\\.org\$'/);
    const own = (more: object) =>
      dnsRecords(settingsWith({ ...keys, ...more }), "2026-11-21")
        .filter(({ name, type }) => name === "webmail.example.org" && type.startsWith("A"))
        .map(({ type, zone, content }) => [type, zone, typeof content === "string" ? content : content.fact]);
    assert.deepEqual(own({}), [["A", "example.org", "publicIpv4"]]);
    assert.deepEqual(own({ network: { ipv6: true } }), [
      ["A", "example.org", "publicIpv4"],
      ["AAAA", "example.org", "publicIpv6"],
    ]);
    assert.deepEqual(own({ web: true }), []);
  });

  it("refuses names that are somebody else's, or taken", () => {
    const mistake = (name: string) => () => settingsWith({ web: { names: ["webmail.example.org", name] } });
    assert.throws(mistake("webmail.example.net"), /mailhost:web\.names\[1\]: lies in no zone of this stack/);
    assert.throws(mistake("mail.example.org"), /leads elsewhere or here already/);
    assert.throws(mistake("example.org"), /leads elsewhere or here already/);
    assert.throws(mistake("webmail.example.org"), /leads elsewhere or here already/);
    assert.throws(mistake("autoconfig.example.org"), /mail programs look for other things/);
    assert.throws(mistake("no name"), /is not a host name; write one of a domain here/);
  });

  it("shows the rights of folders where users may share them", () => {
    const conf = "/etc/mailhost/webmail/config.inc.php";
    assert.doesNotMatch(textOf({ web: true }, conf) ?? "", /acl/);
    assert.match(textOf({ web: true, sharedFolders: true }, conf) ?? "", /^ {4}'acl',$/m);
  });
});
