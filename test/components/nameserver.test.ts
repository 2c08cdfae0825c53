/** A stack whose host serves one of its zones itself, that of the host's name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { runProgram, secretValue, settled, stack } from "./program.ts";

const run = await runProgram(
  {
    ...stack,
    dns: {
      zones: { "example.org": "host" },
      host: { secondaries: { "ns2.example.net": { addresses: ["192.0.2.53"] } } },
    },
  },
  { untouched: { "nameserver-ds": { stdout: `example.org 4711 13 2 ${"ab".repeat(32)}\n` } } },
);
const text = (name: string) => String(run.find(name).inputs.stdin);

test("its records go to the host as texts that a preview compares, what needs no fact apart", () => {
  assert.match(text("dns-zones"), /^=== example\.org\n\$ORIGIN example\.org\.\n/);
  assert.match(text("dns-zones"), /\n@ \d+ IN TXT "v=spf1 mx -all"\n/);
  assert.doesNotMatch(text("dns-zones"), / A |DKIM1/);
  assert.match(text("dns-facts-zones"), /\nmail \d+ IN A 198\.18\.0\.40\n/);
  assert.match(text("dns-facts-zones"), /\nns1 \d+ IN A 198\.18\.0\.40\n/);
  assert.match(text("dns-facts-zones"), /\n20261121r\._domainkey \d+ IN TXT "v=DKIM1; /);
  assert.match(text("inbound-zones"), /\n@ \d+ IN MX 10 mail\.example\.org\.\n/);
  assert.match(text("inbound-facts-zones"), /\n_25\._tcp\.mail \d+ IN TLSA 3 1 1 /);
  assert.match(text("caa-facts-zones"), /\nmail \d+ IN CAA 0 issue "letsencrypt\.org; /);
  // What was there once has to go: the text says that there is nothing.
  assert.equal(text("policies-zones"), "=== example.org\n$ORIGIN example.org.\n=== end\n");
  assert.deepEqual(
    run.registrations.filter(({ name, type }) => /DnsRecord/.test(type) && name.endsWith("example.org")),
    [],
  );
});

test("first the nameserver stands and is reached, then come records, the PTR, and what waits for these", () => {
  for (const name of ["dns-zones", "dns-facts-zones"]) {
    const { dependsOn } = run.options(name);
    assert.ok(dependsOn.includes("host-knot-files"), String(dependsOn));
    assert.ok(dependsOn.includes("host-nftables-files"), String(dependsOn));
    assert.ok(!dependsOn.some((each) => /host-(postfix|certbot)-/.test(each)), String(dependsOn));
  }
  const { dependsOn } = run.options("ptr-record");
  assert.ok(
    ["dns-facts-zones", "nameserver-ds"].every((name) => dependsOn.includes(name)),
    String(dependsOn),
  );
  assert.ok(run.options("inbound-zones").dependsOn.includes("host-postfix-files"));
});

test("what the registrar and the secondary have to know are outputs", async () => {
  const { nameservers, dnssec, transferKeys, nextSteps } = run.outputs as {
    readonly nameservers: Readonly<Record<string, pulumi.Output<readonly string[]>>>;
    readonly dnssec: Readonly<Record<string, pulumi.Output<string>>>;
    readonly transferKeys: pulumi.Output<unknown>;
    readonly nextSteps: readonly string[];
  };
  const ds = `example.org. 3600 IN DS 4711 13 2 ${"ab".repeat(32)}`;
  assert.deepEqual(await settled(nameservers["example.org"] ?? assert.fail()), [
    "nameserver ns1.example.org with the address 198.18.0.40",
    "nameserver ns2.example.net",
    `DS record ${ds}`,
  ]);
  assert.equal(await settled(dnssec["example.org"] ?? assert.fail()), ds);
  assert.deepEqual(await settled(transferKeys), {
    "ns2.example.net": {
      key: "ns2.example.net",
      algorithm: "hmac-sha256",
      secret: "password of generated-transfer-ns2.example.net",
    },
  });
  assert.match(nextSteps[0] ?? "", /stack output nameservers/);
  const keys = secretValue<string>(run.find("host-knot-secrets").inputs.stdin);
  assert.match(keys, /secret: password of generated-transfer-ns2\.example\.net\n/);
});

test("the program on the host waits for those records that are published first, by the names of their steps", () => {
  const program = readFileSync(join(import.meta.dirname, "../../files/usr/local/lib/mailhost/zones"), "utf8");
  const [, names = ""] = /^FIRST = \((.*)\)$/m.exec(program) ?? [];
  const steps = run.options("nameserver-ds").dependsOn.filter((name) => name.endsWith("-zones"));
  assert.deepEqual(
    (JSON.parse(`[${names}]`) as readonly string[]).map((name) => `${name}-zones`).toSorted(),
    steps.toSorted(),
  );
  for (const name of steps)
    assert.match(
      String(run.find(name).inputs.create),
      new RegExp(`zones put ${name.replace(/-zones$/, "")}$`),
    );
});

test("port 53 is open at the security group", () => {
  const { inputs } = run.find("firewall-group");
  assert.match(JSON.stringify(inputs), /"fromPort":53,/);
});
