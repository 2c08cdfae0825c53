/** A stack whose second domain's records somebody puts in by hand, with SES, which waits for one of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { runProgram, settled, stack } from "./program.ts";

const run = await runProgram({ ...stack, relay: "ses", dns: { zones: { "example.com": "byHand" } } });

test("of such a zone nothing is made", () => {
  const names = run.registrations.filter(({ inputs }) =>
    JSON.stringify(inputs).includes("zone-of-example.com"),
  );
  assert.deepEqual(names, []);
  assert.ok(run.find("inbound-mx:example.org"));
  assert.deepEqual(Object.keys(run.outputs.setupPages as object), ["example.org"]);
});

test("its records are an output, as a part of the zone's file", async () => {
  const files = run.outputs.dnsZoneFiles as Readonly<Record<string, pulumi.Output<string>>>;
  assert.deepEqual(Object.keys(files), ["example.com"]);
  const text = await settled(files["example.com"] ?? assert.fail());
  assert.match(text, /^\$ORIGIN example\.com\.\n/);
  assert.match(text, /\n; SPF: .*\n@ \d+ IN TXT "v=spf1 mx -all"\n/);
  assert.match(text, /\n@ \d+ IN MX 10 mail\.example\.org\.\n/);
  assert.match(text, /\n20261121r\._domainkey \d+ IN TXT "v=DKIM1; h=sha256; k=rsa; p=[^"]{200,}" "[^"]+"\n/);
  const [step] = run.outputs.nextSteps as readonly string[];
  assert.match(step ?? "", /^Records to put in by hand: .*stack output dnsZoneFiles/);
});

test("what would wait for such a record waits for no resource", () => {
  const { dependsOn } = run.options("ses-example.com");
  assert.ok(!dependsOn.some((name) => name.includes("dns-")), String(dependsOn));
});
