/** A name without mail, as other servers see it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, valuesOf } from "../../../dns/client.ts";
import { cloudInfo } from "../mailhost.ts";

/** At Cloudflare, at Route 53, and put in by hand (10-on). */
const parked = ["shop.example.org", "example.info", "old.example.net"];

test("a parked name says at each of its records, signed, that it neither takes nor sends mail", async () => {
  const told = async (name: string, type: "MX" | "TXT") => {
    const { answers, authentic } = await ask(cloudInfo().resolver, name, type);
    assert.ok(authentic, name);
    return valuesOf(answers);
  };
  for (const name of parked) {
    assert.deepEqual(await told(name, "MX"), ["0 ."]);
    assert.deepEqual(await told(name, "TXT"), ["v=spf1 -all"]);
    assert.deepEqual(await told(`any-selector._domainkey.${name}`, "TXT"), ["v=DKIM1; p="]);
    assert.deepEqual(await told(`_dmarc.${name}`, "TXT"), ["v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s"]);
  }
  assert.deepEqual(await told("webmail.example.com", "MX"), ["0 ."]);
});
