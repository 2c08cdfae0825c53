import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";
import { ask } from "../../../../dns/client.ts";
import { rdataText } from "../../../../local/world/rdata.ts";
import { eventually } from "../../../eventually.ts";
import { type Laboratory, laboratory, machineSpec, ssh, untilLogin, wideOpen } from "./laboratory.ts";

const id = "i-0b1b2c3d4e5f60001";
let lab: Laboratory;

before(async () => {
  lab = await laboratory("names");
});
after(() => lab.end());

test("every zone validates from the root down, and so does what is not there", async () => {
  const { network, dns } = lab.world;
  const { resolver } = network.addresses;
  const names = [
    ".",
    "org",
    "com",
    "net",
    ...dns.zones,
    ...dns.route53Zones,
    "example.net",
    "debian.org",
    `${network.slot}.18.198.in-addr.arpa`,
  ];
  for (const name of names) {
    const answer = await ask(resolver, name, "SOA");
    assert.deepEqual([name, answer.rcode, answer.authentic], [name, "NOERROR", true]);
    const missing = await ask(resolver, `nothing-here.${name === "." ? "" : name}`, "A");
    assert.deepEqual([name, missing.rcode, missing.authentic], [name, "NXDOMAIN", true]);
  }
});

test("a change is served and seen as soon as it is promised", async () => {
  const { network, dns } = lab.world;
  const { resolver, nameservers } = network.addresses;
  const name = "selector._domainkey.example.org";
  const text = (rdata: string) => ({ name, type: "TXT", ttl: 300, rdata });
  // Asked before, so that a resolver has it in mind that there is nothing.
  assert.equal((await ask(resolver, name, "TXT")).rcode, "NXDOMAIN");
  for (const records of [
    [text('"v=DKIM1; p=first" "half"')],
    [text('"v=DKIM1; p=second"'), text('"another; one"')],
    [text('"with \\"quotes\\" in it"')],
    [],
  ]) {
    await dns.setRrset("example.org", name, "TXT", records);
    const wanted = records.map((record) => record.rdata).toSorted();
    for (const server of nameservers) {
      const answer = await ask(server, name, "TXT");
      assert.ok(answer.authoritative);
      assert.deepEqual(answer.answers.map(rdataText).toSorted(), wanted);
    }
    assert.deepEqual((await dns.resolve(name, "TXT")).toSorted(), wanted);
    assert.equal((await ask(resolver, name, "TXT")).authentic, true);
  }
});

test("many changes at once all arrive", async () => {
  const { dns } = lab.world;
  const names = Array.from({ length: 12 }, (_, index) => `host${index}.example.com`);
  await Promise.all(
    names.map((name, index) =>
      dns.setRrset("example.com", name, "A", [{ name, type: "A", ttl: 60, rdata: `192.0.2.${index}` }]),
    ),
  );
  for (const [index, name] of names.entries()) {
    assert.deepEqual(await dns.resolve(name, "A"), [`192.0.2.${index}`]);
  }
});

test("a record that the server does not take is an error, and the zone is as before", async () => {
  const { dns } = lab.world;
  const name = "bad.example.org";
  await assert.rejects(
    dns.setRrset("example.org", name, "A", [{ name, type: "A", ttl: 60, rdata: "no address" }]),
  );
  assert.deepEqual(await dns.resolve(name, "A"), []);
  await dns.setRrset("example.org", name, "A", [{ name, type: "A", ttl: 60, rdata: "192.0.2.1" }]);
  assert.deepEqual(await dns.resolve(name, "A"), ["192.0.2.1"]);
});

test("a public address has the name it was given", async () => {
  const { network, dns, publicPool } = lab.world;
  const [address] = publicPool as [string];
  const owner = `16.${network.slot}.18.198.in-addr.arpa`;
  await dns.setPtr(address, "mail.example.org");
  assert.deepEqual(await dns.resolve(owner, "PTR"), ["mail.example.org."]);
  await dns.setPtr(address, undefined);
  assert.deepEqual(await dns.resolve(owner, "PTR"), []);
});

test("an ACME client gets a certificate for a name that it really holds, and for no other", async () => {
  const { world } = lab;
  const [address] = world.publicPool as [string];
  await world.launch(machineSpec(id));
  await world.setFirewall(id, wideOpen);
  await world.mapAddress(address, "10.20.0.5");
  const name = "mail.example.org";
  await world.dns.setRrset("example.org", name, "A", [{ name, type: "A", ttl: 60, rdata: address }]);
  const other = "other.example.org";
  await world.dns.setRrset("example.org", other, "A", [
    { name: other, type: "A", ttl: 60, rdata: world.network.addresses.mirror },
  ]);
  await untilLogin(address);
  await ssh(
    address,
    "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y dehydrated >/dev/null 2>&1",
  );
  await ssh(
    address,
    `cat >/root/ca.pem <<'END'\n${world.acme.ca}END
mkdir -p /var/www/.well-known/acme-challenge
systemd-run --quiet --working-directory=/var/www python3 -m http.server 80
cat >/root/config <<'END'
CA=https://acme.example.net:14000/dir
WELLKNOWN=/var/www/.well-known/acme-challenge
BASEDIR=/root/acme
CURL_OPTS="--cacert /root/ca.pem"
END
mkdir /root/acme && dehydrated -f /root/config --register --accept-terms`,
  );
  await ssh(address, `dehydrated -f /root/config -c -d ${name}`);
  const chain = await ssh(address, `cat /root/acme/certs/${name}/fullchain.pem`);
  const [leaf, intermediate] = chain.split(/(?=-----BEGIN)/).map((pem) => new X509Certificate(pem));
  const root = new X509Certificate(world.acme.issuers);
  assert.ok(leaf !== undefined && intermediate !== undefined);
  assert.equal(leaf.checkHost(name), name);
  assert.ok(leaf.verify(intermediate.publicKey) && intermediate.verify(root.publicKey));
  const days = (Date.parse(leaf.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 88 && days < 91, `${days} days`);
  await assert.rejects(ssh(address, `dehydrated -f /root/config -c -d ${other}`));
});

test("a validating resolver refuses what does not fit its parent's word", async () => {
  const { world } = lab;
  const { resolver } = world.network.addresses;
  const forged = { name: "example.com", type: "DS", ttl: 60, rdata: `12345 13 2 ${"00".repeat(32)}` };
  await world.dns.setRrset("com", "example.com", "DS", [forged]);
  // The resolver has keys in mind that it validated before: a new one starts with none.
  process.kill(world.summary().services.resolver ?? 0, "SIGKILL");
  const answered = (name: string) =>
    eventually("the new resolver answers", 30, () => ask(resolver, name, "SOA"), 50);
  assert.equal((await answered("example.org")).authentic, true);
  assert.equal((await answered("example.com")).rcode, "SERVFAIL");
});
