/**
 * The host as the nameserver of its own zone (mailhost:dns, host), also of the one that its name is in: the machine serves it signed,
 * the registry sends the world there, and a secondary of somebody else's copies it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { type RecordType, streamDecode, streamEncode } from "dns-packet";
import { ask, valuesOf } from "../../dns/client.ts";
import { exposedAbove } from "../e2e/exposure.ts";
import {
  cloudInfo,
  keepInStack,
  mailhost,
  nothingLeft,
  onHost,
  previewSteps,
  publish,
  publishAs,
  stackOutput,
  succeed,
  up,
} from "../e2e/mailhost.ts";
import { type Key, type Secondary, secondary } from "../e2e/secondary.ts";
import { eventually } from "../eventually.ts";

const zone = "example.edu";
const own = `ns1.${zone}`;
const other = "ns2.example.net";
let copier: Secondary;
/** What the host was told to tell the registrar. */
let told: { readonly address: string; readonly ds: string };

before(async () => {
  await nothingLeft();
});
after(async () => {
  await copier?.close();
  await nothingLeft();
});

const resolved = (name: string, type: RecordType) => ask(cloudInfo().resolver, name, type);
const serialAt = async (server: string) =>
  Number(valuesOf((await ask(server, zone, "SOA", { recursion: false })).answers)[0]);
const check = async () => (await mailhost(["check"])).stdout;

test("the first up ends where the registrar has to be told, and says what", {
  timeout: 1_800_000,
}, async (t) => {
  keepInStack((stack) => {
    const set = (path: readonly string[], value: unknown) =>
      stack.setIn(["config", ...path], stack.createNode(value));
    set(["mailhost:hostname"], `mail.${zone}`);
    set(["mailhost:domains", zone], { since: "2026-11-21", mailboxes: { dora: {} } });
    set(["mailhost:dns"], {
      zones: { [zone]: "host" },
      host: {
        // Which address it has here, is known when there is a cloud.
        secondaries: { [other]: { addresses: ["198.51.100.53"] } },
        records: { [zone]: ["www 300 A 192.0.2.80", '@ 300 TXT "some-site-verification=1; by hand"'] },
      },
    });
  });
  const { code, stdout, stderr, seconds } = await mailhost(["start"]);
  t.diagnostic(`${seconds.toFixed(0)} s`);
  assert.notEqual(code, 0);
  const said = stdout + stderr;
  const [, address = ""] =
    said.match(/nameserver ns1\.example\.edu with the address (198\.18\.\d+\.\d+)/) ?? [];
  const [, ds = ""] = said.match(/DS record example\.edu\. 3600 IN DS (\d+ 13 2 [0-9a-f]{64})/) ?? [];
  assert.ok(address !== "" && ds !== "", said.slice(-4000));
  assert.match(said, /nameserver ns2\.example\.net\n/);
  told = { address, ds };
});

test("told, the registry sends the world to the host, and one more up makes it whole", {
  timeout: 1_200_000,
}, async () => {
  copier = await secondary();
  keepInStack((stack) =>
    stack.setIn(["config", "mailhost:dns", "host", "secondaries", other, "addresses"], [copier.address]),
  );
  await publishAs("NS", zone, `${own}.`, `${other}.`);
  await publish(own, told.address);
  await publish(other, copier.address);
  await publishAs("DS", zone, told.ds);
  await up();
  assert.deepEqual(await previewSteps(), []);
  const report = await check();
  assert.match(report, /example\.edu: its nameserver ns2\.example\.net \(198\.18\.\d+\.14\) gives no answer/);
});

test("a secondary that has the key copies the zone; nobody else may, and nothing else is said", async () => {
  const { publicIp, transferKeys } = (await stackOutput()) as {
    readonly publicIp: string;
    readonly transferKeys: Readonly<Record<string, Key>>;
  };
  const key = transferKeys[other] ?? assert.fail("no key");
  await copier.copy(zone, publicIp, key);
  await eventually(
    "it has a copy",
    60,
    async () => (await serialAt(copier.address)) === (await serialAt(publicIp)),
  );

  assert.equal(await transferCode(publicIp), "NOTAUTH");
  for (const name of ["example.net", "."])
    assert.equal((await ask(publicIp, name, "NS")).rcode, "REFUSED", name);
  assert.equal(await exposedAbove(40, ["knot.service"]), "");
  assert.match(await onHost("ss -Hlnu 'sport = :53'"), /10\.\d+\.\d+\.\d+:53/);
});

test("a resolver that validates believes each record, those whose content the host gives among them", async () => {
  const { acmeAccount } = (await stackOutput()) as { readonly acmeAccount: string };
  const seen = async (name: string, type: RecordType) => {
    const { answers, authentic } = await resolved(name, type);
    assert.ok(authentic, `${type} ${name}`);
    return valuesOf(answers);
  };
  assert.deepEqual(await seen(`mail.${zone}`, "A"), [told.address]);
  assert.deepEqual(await seen(zone, "MX"), [`10 mail.${zone}`]);
  assert.deepEqual(await seen(`www.${zone}`, "A"), ["192.0.2.80"]);
  assert.ok((await seen(zone, "TXT")).includes("some-site-verification=1; by hand"));
  assert.ok((await seen(`mail.${zone}`, "CAA")).some((value) => value.includes(`accounturi=${acmeAccount}`)));
  assert.equal((await seen(`_25._tcp.mail.${zone}`, "TLSA")).length, 2);
  // That a name is not there is signed, too.
  const missing = await resolved(`nobody.${zone}`, "A");
  assert.deepEqual([missing.rcode, missing.authentic], ["NXDOMAIN", true]);
});

test("the check goes the whole way, and is content", async () => {
  const report = await check();
  assert.match(
    report,
    /example\.edu: the registry sends the world to ns1\.example\.edu with the address .* and ns2/,
  );
  assert.match(report, /example\.edu: the DS record at the registry is that of the zone's key/);
  assert.match(
    report,
    /example\.edu: ns1\.example\.edu and ns2\.example\.net serve it, signed, with the serial \d+/,
  );
  assert.equal((await mailhost(["check"])).code, 0, report);
});

test("a changed record is a changed line of the preview, raises the serial, and comes to the secondary", async () => {
  const before = await serialAt(told.address);
  keepInStack((stack) =>
    stack.setIn(["config", "mailhost:domains", zone, "dmarc"], stack.createNode({ policy: "reject" })),
  );
  const { stdout } = await succeed(["pulumi", "preview", "--diff"]);
  assert.match(stdout, /-.*_dmarc 300 IN TXT "v=DMARC1; p=quarantine/);
  assert.match(stdout, /\+.*_dmarc 300 IN TXT "v=DMARC1; p=reject/);
  assert.deepEqual(
    (await previewSteps()).map(({ name }) => name),
    ["dns-zones"],
  );
  await up();
  const now = await serialAt(told.address);
  assert.ok(now > before, `${now} after ${before}`);
  await eventually("the secondary has it", 30, async () => {
    const { answers } = await ask(copier.address, `_dmarc.${zone}`, "TXT", { recursion: false });
    return (
      valuesOf(answers).some((value) => value.includes("p=reject")) &&
      (await serialAt(copier.address)) === now
    );
  });
});

/** What is wrong on the way, and the line that says so, alone. */
const faults: readonly (readonly [string, () => Promise<void>, RegExp, () => Promise<void>])[] = [
  [
    "another DS record at the registry",
    () => publishAs("DS", zone, `1 13 2 ${"0".repeat(64)}`),
    /example\.edu: the DS record at the registry is 1 13 2 0+, and the zone's key has \d+ 13 2/,
    () => publishAs("DS", zone, told.ds),
  ],
  [
    "glue of an address that the host had once",
    () => publish(own, "192.0.2.1"),
    /example\.edu: the registry has the address of ns1\.example\.edu as 192\.0\.2\.1 \(glue\), and it is 198/,
    () => publish(own, told.address),
  ],
  [
    "a nameserver too few at the registry",
    () => publishAs("NS", zone, `${own}.`),
    /example\.edu: the registry names ns1\.example\.edu as its nameservers, and it is served by ns1.* and ns2/,
    () => publishAs("NS", zone, `${own}.`, `${other}.`),
  ],
  [
    "a record that somebody changed in Knot, which the command of the line puts right",
    () =>
      onHost(
        `set -e; knotc zone-begin ${zone}; knotc zone-unset ${zone} www; knotc zone-unset ${zone} _dmarc; knotc zone-commit ${zone}`,
      ).then(() => undefined),
    /TXT _dmarc\.example\.edu is missing/,
    () => up("--replace", "**-zones").then(() => undefined),
  ],
  [
    "Knot that does not run",
    () => onHost("systemctl stop knot").then(() => undefined),
    /knot\.service/,
    () => onHost("systemctl start knot").then(() => undefined),
  ],
];

test("the check names what is wrong on the way", { timeout: 900_000 }, async (t) => {
  for (const [what, put, line, mend] of faults) {
    await t.test(what, async () => {
      await put();
      try {
        const { code, stdout } = await mailhost(["check"]);
        assert.match(stdout, line);
        assert.notEqual(code, 0);
      } finally {
        await mend();
      }
    });
  }
  assert.equal((await mailhost(["check"])).code, 0);
});

test("a new machine goes on with the key and the serial of the old one", { timeout: 1_200_000 }, async () => {
  const before = await serialAt(told.address);
  await up("--replace", "**::server-instance");
  assert.ok((await serialAt(told.address)) >= before);
  assert.match(await onHost("/usr/local/lib/mailhost/zones ds"), new RegExp(`^${zone} ${told.ds}$`, "m"));
  assert.ok((await resolved(`mail.${zone}`, "A")).authentic);
  assert.equal((await mailhost(["check"])).code, 0);
});

test("switched off, it leaves nothing but what is on the data volume", { timeout: 1_200_000 }, async () => {
  keepInStack((stack) =>
    stack.setIn(["config", "mailhost:dns"], stack.createNode({ zones: { [zone]: "byHand" } })),
  );
  await up();
  const left = await onHost(
    "dpkg --get-selections | grep knot; find /etc /usr/local /var/lib/mailhost -xdev | grep -E 'knot|zones'; systemctl list-unit-files --no-legend | grep knot; ss -Hlntu 'sport = :53' | awk '{print $5}' | sort -u; nft list ruleset | grep -w 53 || true",
  );
  assert.deepEqual(left.trim().split("\n"), ["127.0.0.1:53", "[::1]:53"]);
  assert.match(await onHost("ls /srv/knot/keys/keys"), /\.pem/);
  assert.deepEqual(await previewSteps(), []);
});

/** What the host answers to somebody without the key who wants the whole zone. */
async function transferCode(server: string): Promise<string | undefined> {
  const socket = connect(53, server);
  socket.write(streamEncode({ type: "query", id: 1, questions: [{ type: "AXFR", name: zone }] }));
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return (streamDecode(bytes) as { readonly rcode?: string } | null)?.rcode;
}
