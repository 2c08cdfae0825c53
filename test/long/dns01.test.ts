/**
 * The host's certificate by way of the DNS (mailhost:dnsChallenge), with port 80 shut: a real nameserver takes the answers with a
 * key for that one name, a second one has copies, and the authority asks them over the world's DNS.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ask, valuesOf } from "../../dns/client.ts";
import { recordOf, update } from "../../dns/update.ts";
import { run } from "../../local/run.ts";
import { inside, networkOf, runInside } from "../../local/world/network.ts";
import {
  askAnew,
  aws,
  cloudInfo,
  keepInStack,
  mailhost,
  nothingLeft,
  onHost,
  previewSteps,
  publish,
  publishAs,
  succeed,
  up,
} from "../e2e/mailhost.ts";
import { type Secondary, secondary } from "../e2e/secondary.ts";
import { eventually } from "../eventually.ts";

const zone = "example.edu";
const host = `mail.${zone}`;
const own = `ns1.${zone}`;
const other = `ns2.${zone}`;
const answerName = `_acme-challenge.${host}`;
const secretOf = (letter: string) => Buffer.alloc(32, letter).toString("base64");
const keyOf = (name: string) => ({ name, algorithm: "hmac-sha256", secret: secretOf(name) }) as const;
/** Of the machine that runs Pulumi; of the host; of the second nameserver. */
const [everything, small, copying] = [
  keyOf("mailhost.example.edu"),
  keyOf("challenge.example.edu"),
  keyOf("copy.example.edu"),
];
let primary: Awaited<ReturnType<typeof startPrimary>>;
let copier: Secondary;

/** A nameserver (Knot) as docs/dns.md says that its owner sets it up. */
async function startPrimary() {
  const { internet, slot } = networkOf(cloudInfo().slot);
  const [address, second] = [`198.18.${slot}.14`, `198.18.${slot}.15`];
  const folder = mkdtempSync(join(tmpdir(), "mailhost-dns01-"));
  await runInside(internet, ["ip", "address", "add", `${address}/32`, "dev", "lo"]);
  const zoneFile = `$ORIGIN ${zone}.
@ 60 SOA ns1 hostmaster 1 3600 600 86400 60
@ 1 NS ns1
ns1 60 A ${address}
ns2 60 A ${second}
`;
  writeFileSync(join(folder, `${zone}.zone`), zoneFile);
  const conf = join(folder, "knot.conf");
  writeFileSync(
    conf,
    `server:
    listen: ${address}@53
    rundir: ${folder}
control:
    listen: ${join(folder, "knot.sock")}
database:
    storage: ${folder}
key:
${[everything, small, copying]
  .map(
    ({ name, algorithm, secret }) => `  - id: ${name}\n    algorithm: ${algorithm}\n    secret: ${secret}\n`,
  )
  .join("")}
remote:
  - id: second
    address: ${second}
    key: ${copying.name}
    via: ${address}
acl:
  - id: mailhost
    key: ${everything.name}
    action: update
  - id: challenge
    key: ${small.name}
    action: update
    update-type: [TXT]
    update-owner: name
    update-owner-match: equal
    update-owner-name: [${answerName}.]
  - id: second
    key: ${copying.name}
    action: transfer
zone:
  - domain: ${zone}
    storage: ${folder}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    notify: second
    acl: [mailhost, challenge, second]
`,
  );
  const [file, args] = inside(internet, ["knotd", "-c", conf]);
  const child = spawn(file, args, { stdio: "ignore" });
  await eventually("it serves the zone", 10, async () => {
    const { rcode } = await ask(address, zone, "SOA", { recursion: false });
    return rcode === "NOERROR";
  });
  const control = (...words: readonly string[]) =>
    run("knotc", ["-b", "-s", join(folder, "knot.sock"), ...words]);
  return {
    address,
    /** One more record, by its owner's hand. */
    async set(name: string, type: string, value: string) {
      await control("zone-begin", zone);
      await control("zone-set", zone, `${name}.`, "1", type, value);
      await control("zone-commit", zone);
    },
    async close() {
      child.kill("SIGKILL");
      await runInside(internet, ["ip", "address", "del", `${address}/32`, "dev", "lo"]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

before(async () => {
  await nothingLeft();
});
after(async () => {
  await copier?.close();
  await primary?.close();
  await nothingLeft();
});

/** As somebody who has the host's key. */
const change = (name: string, type: string, value: string) =>
  update({
    server: primary.address,
    port: 53,
    zone,
    key: small,
    expected: [],
    remove: [],
    add: [recordOf(name, type, 1, value)],
  });
const switched = (isOn: boolean) =>
  keepInStack((stack) =>
    isOn
      ? stack.setIn(
          ["config", "mailhost:dnsChallenge"],
          stack.createNode({ key: small.name, secret: small.secret }),
        )
      : stack.deleteIn(["config", "mailhost:dnsChallenge"]),
  );
const answersAt = async (server: string) =>
  valuesOf((await ask(server, answerName, "TXT", { recursion: false })).answers);
const caa = async () => valuesOf((await ask(primary.address, host, "CAA", { recursion: false })).answers);
/** The certificate's number, as IMAP's clients see it, and by which way it came. */
const certificate = async () => {
  const [serial = "", issuer = "", way = ""] = (
    await onHost(
      "openssl s_client -connect 127.0.0.1:993 </dev/null 2>/dev/null | openssl x509 -noout -serial -issuer; cat /etc/letsencrypt/mail/challenge",
    )
  ).split("\n");
  assert.match(issuer, /Pebble/);
  return { serial, way };
};
/** What of the option, and of port 80, is on the host and before it. */
const traces = async () => ({
  host: (
    await onHost(
      "dpkg --get-selections | grep dnspython; find /etc /usr/local -xdev -name 'challenge*'; nft list chain inet mailhost input | grep -ow '80' | sort -u || true",
    )
  )
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "install" && word !== ""),
  group: (
    await aws<{ readonly SecurityGroupRules: readonly { IsEgress: boolean; FromPort?: number }[] }>(
      "DescribeSecurityGroupRules",
      {},
    )
  ).SecurityGroupRules.some(({ IsEgress, FromPort }) => !IsEgress && FromPort === 80),
});
const traceOfOn = {
  host: ["python3-dnspython", "/etc/mailhost/challenge.json", "/usr/local/lib/mailhost/challenge"],
  group: false,
};

test("a new host gets its first certificate with port 80 shut", { timeout: 1_800_000 }, async () => {
  await succeed(["start", "--preview"]);
  primary = await startPrimary();
  copier = await secondary(15);
  await publishAs("NS", zone, `${own}.`);
  await publish(own, primary.address);
  keepInStack((stack) => {
    const set = (path: readonly string[], value: unknown) =>
      stack.setIn(["config", ...path], stack.createNode(value));
    set(["mailhost:hostname"], host);
    set(["mailhost:domains", zone], { since: "2026-11-21", mailboxes: { dora: {} } });
    set(["mailhost:dns"], {
      zones: { [zone]: "rfc2136" },
      rfc2136: { server: primary.address, key: everything.name, secret: everything.secret },
    });
    set(["mailhost:egress"], "restricted");
  });
  switched(true);
  await up();
  assert.equal((await certificate()).way, "dns");
  assert.deepEqual(await traces(), traceOfOn);
  assert.match(await onHost("stat -c '%a %U' /etc/mailhost/challenge.json"), /^600 root$/m);
  assert.match((await caa()).join("\n"), /issue "acme\.example\.net; validationmethods=dns-01; accounturi=/);
  assert.deepEqual(await answersAt(primary.address), []);
  assert.deepEqual(await previewSteps(), []);
});

test("the check misses no port 80, and would not want it open", async () => {
  const { stdout } = await mailhost(["check"]);
  assert.doesNotMatch(stdout, /port 80\b/);
  assert.match(stdout, /other common ports are closed/);
  assert.match(stdout, /the certificate's renewal is looked at/);
});

test("the host's key changes the answer and nothing else in the zone", async () => {
  await assert.rejects(change(`www.${zone}`, "TXT", "here"), /REFUSED|BADKEY/);
  await assert.rejects(change(answerName, "A", "192.0.2.1"), /REFUSED|BADKEY/);
  await assert.rejects(change(`x.${answerName}`, "TXT", "here"), /REFUSED|BADKEY/);
  assert.equal(await change(answerName, "TXT", "left by a run that was cut off"), true);
});

test("it is renewed when every nameserver of the zone has the answer, and not before", {
  timeout: 300_000,
}, async () => {
  const { serial } = await certificate();
  await primary.set(zone, "NS", `${other}.`);
  await askAnew(zone);
  const renewal = onHost("/usr/local/lib/mailhost/certificate now 2>&1");
  await eventually("the primary has the answer, alone", 60, async () => {
    const answers = await answersAt(primary.address);
    return answers.length === 1 && !answers.join().includes("cut off");
  });
  assert.equal(await Promise.race([renewal, pause(8000, "waits")]), "waits");
  await copier.copy(zone, primary.address, {
    key: copying.name,
    algorithm: copying.algorithm,
    secret: copying.secret,
  });
  await renewal;
  const now = await certificate();
  assert.notEqual(now.serial, serial);
  assert.equal(now.way, "dns");
  await eventually(
    "the answer is gone everywhere",
    30,
    async () => (await Promise.all([primary.address, copier.address].map(answersAt))).flat().length === 0,
  );
});

test("a key that the nameserver does not take leaves the certificate as it is, and says why", async () => {
  const { serial } = await certificate();
  await onHost(
    "cp -a /etc/mailhost/challenge.json /root/; sed -i 's/challenge\\.example\\.edu/nobody.example.edu/' /etc/mailhost/challenge.json",
  );
  const said = await onHost("/usr/local/lib/mailhost/certificate now 2>&1 || true");
  await onHost("mv /root/challenge.json /etc/mailhost/challenge.json");
  assert.match(said, /challenge: _acme-challenge\.mail\.example\.edu: .*key/i);
  assert.match(said, /gave none for mail\.example\.edu yet \(does the nameserver take _acme-challenge/);
  assert.equal((await certificate()).serial, serial);
});

test("switched off, port 80 is open again, nothing of it is left, and the way is tried after an hour", {
  timeout: 600_000,
}, async () => {
  const { serial } = await certificate();
  switched(false);
  await up();
  assert.deepEqual(await traces(), { host: ["80"], group: true });
  assert.match((await caa()).join("\n"), /validationmethods=http-01/);
  assert.deepEqual(await previewSteps(), []);
  await onHost("systemctl start mailhost-certificate.service");
  assert.equal((await certificate()).serial, serial);
  await onHost(
    "touch -d '-66 minutes' /etc/mailhost/certificate.conf; systemctl start mailhost-certificate.service",
  );
  const now = await certificate();
  assert.deepEqual([now.serial === serial, now.way], [false, "http"]);
});

test("switched on again, it goes by the DNS, in the unit that the timer starts", {
  timeout: 600_000,
}, async () => {
  const { serial } = await certificate();
  switched(true);
  await up();
  assert.deepEqual(await traces(), traceOfOn);
  await onHost(
    "touch -d '-66 minutes' /etc/mailhost/certificate.conf; systemctl start mailhost-certificate.service",
  );
  const now = await certificate();
  assert.deepEqual([now.serial === serial, now.way], [false, "dns"]);
  assert.deepEqual(await previewSteps(), []);
});
