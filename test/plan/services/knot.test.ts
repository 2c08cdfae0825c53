import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { run } from "../../../local/run.ts";
import { hostBundles } from "../../../plan/host.ts";
import { hostPorts } from "../../../plan/ports.ts";
import { knot } from "../../../plan/services/knot.ts";
import type { Secrets } from "../../../plan/types.ts";
import { settingsWith } from "../../options/settings.ts";

const given = { name: "keys.example.net", algorithm: "hmac-sha512", secret: "c2VjcmV0IG9mIGEga2V5" };
const secondaries = {
  "ns2.example.net": { addresses: ["192.0.2.53", "2001:db8::53"] },
  "ns3.example.net": { addresses: ["198.51.100.53"], key: given },
  "ns4.example.net": { addresses: ["203.0.113.53"], key: false },
};
const settings = (host: object) => settingsWith({ dns: { provider: "host", host } });
const bundleOf = (host: object) => knot(settings(host))[0] ?? assert.fail("no bundle");
const secrets = { generated: { "transfer-ns2.example.net": "k".repeat(32) } } as unknown as Secrets;
const keysOf = (host: object) => bundleOf(host).secretFiles[0]?.content(secrets) ?? "";
const fileOf = (host: object, path: string) =>
  bundleOf(host).files.find((file) => file.path === path)?.content ?? assert.fail(path);
const config = "/etc/knot/knot.conf";

it("without a zone of the host's own there is no nameserver, and nothing listens at port 53", () => {
  assert.deepEqual(knot(settingsWith({})), []);
  const ports = (keys: Readonly<Record<string, unknown>>) =>
    hostPorts(hostBundles(settingsWith(keys))).filter(({ number }) => number === 53);
  assert.deepEqual(ports({}), []);
  assert.deepEqual(
    ports({ dns: { provider: "host", host: { secondaries } } }).map(({ protocol, from }) => [protocol, from]),
    [
      ["tcp", "anywhere"],
      ["udp", "anywhere"],
    ],
  );
});

it("Knot itself takes the settings, with secondaries and without", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "knot-conf-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const host of [{ secondaries }, { secondaries: {} }]) {
    const [keys, listen, conf] = ["keys.conf", "listen.conf", "knot.conf"].map((name) => join(folder, name));
    writeFileSync(keys ?? "", keysOf(host));
    writeFileSync(listen ?? "", "server:\n    listen: [ 127.0.0.1@53, ::1@53 ]\n");
    const text = fileOf(host, config)
      .replace("/etc/knot/keys.conf", keys ?? "")
      .replace("/run/mailhost-knot.conf", listen ?? "");
    writeFileSync(conf ?? "", text);
    assert.match(await run("knotc", ["-c", conf ?? "", "conf-check"]), /Configuration is valid/);
  }
});

it("a zone says who its nameservers are, whom to write to, and has its owner's records", () => {
  const lines = ["www 3600 A 192.0.2.80", '@ TXT "a; b"'];
  assert.equal(
    fileOf({ secondaries, records: { "example.org": lines } }, "/etc/knot/zones/example.org.zone"),
    [
      "; example.org: what the zone says of itself, and what is its owner's (mailhost:dns.host.records). The mail host's own records",
      "; come beside it; Knot counts the serial and signs.",
      "$ORIGIN example.org.",
      "$TTL 3600",
      "@ SOA ns1.example.org. postmaster.example.org. 1 3600 900 604800 300",
      "@ NS ns1.example.org.",
      "@ NS ns2.example.net.",
      "@ NS ns3.example.net.",
      "@ NS ns4.example.net.",
      ...lines,
      "",
    ].join("\n"),
  );
});

it("each secondary may copy the zones from its addresses, with its key: a generated one, the owner's, or none", () => {
  const text = fileOf({ secondaries }, config);
  const acl = text.slice(text.indexOf("\nacl:"), text.indexOf("\ntemplate:"));
  assert.deepEqual(
    acl
      .trim()
      .split(/\n? {2}- /)
      .slice(1),
    [
      "id: ns2.example.net\n    address: [ 192.0.2.53, 2001:db8::53 ]\n    key: ns2.example.net\n    action: transfer",
      "id: ns3.example.net\n    address: [ 198.51.100.53 ]\n    key: keys.example.net\n    action: transfer",
      "id: ns4.example.net\n    address: [ 203.0.113.53 ]\n    action: transfer",
    ],
  );
  assert.match(text, /notify: \[ ns2\.example\.net, ns3\.example\.net, ns4\.example\.net \]/);
  assert.match(text, /acl: \[ ns2\.example\.net, ns3\.example\.net, ns4\.example\.net \]/);
  assert.doesNotMatch(fileOf({ secondaries: {} }, config), /acl|notify|transfer/);
});

it("the keys' secrets are in a file of their own, and nowhere else", () => {
  const bundle = bundleOf({ secondaries });
  assert.deepEqual(bundle.generates, ["transfer-ns2.example.net"]);
  assert.match(keysOf({ secondaries }), /id: ns2\.example\.net\n +algorithm: hmac-sha256\n +secret: k{32}\n/);
  assert.match(
    keysOf({ secondaries }),
    new RegExp(`id: ${given.name}\n +algorithm: hmac-sha512\n +secret: ${given.secret}\n`),
  );
  assert.deepEqual(
    bundle.secretFiles.map(({ path, mode }) => [path, mode]),
    [["/etc/knot/keys.conf", "0640"]],
  );
  for (const { content } of bundle.files) assert.ok(!content.includes(given.secret));
  assert.deepEqual(bundleOf({ secondaries: {} }).secretFiles, []);
});

it("two servers of one provider may have one key", () => {
  const key = { name: "keys.example.net" };
  const both = {
    "ns2.example.net": { addresses: ["192.0.2.53"], key },
    "ns3.example.net": { addresses: ["192.0.2.54"], key },
  };
  assert.equal(keysOf({ secondaries: both }).match(/ id: /g)?.length, 1);
  assert.deepEqual(bundleOf({ secondaries: both }).generates, ["transfer-keys.example.net"]);
});

it("nobody learns which program answers, and each zone is signed", () => {
  const text = fileOf({ secondaries: {} }, config);
  for (const key of ["identity", "version", "nsid"]) assert.match(text, new RegExp(`^ +${key}: ""$`, "m"));
  assert.match(text, /^ +dnssec-signing: on$/m);
  assert.match(text, /^ +global-module: mod-rrl\/default$/m);
  assert.match(text, /^zone:\n {2}- domain: example\.org\n$/m);
});
