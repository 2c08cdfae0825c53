import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { findKeepers } from "../../components/dns/zones.ts";
import { reasonOf } from "../../components/reason.ts";
import { parseSettings } from "../../settings/parse.ts";
import { stack } from "./program.ts";

let isRefused = false;

await pulumi.runtime.setMocks({
  newResource: ({ name }) => assert.fail(`${name} was made`),
  call: () => {
    if (isRefused) throw new Error();
    return { results: [{ name: "example.org", id: "z1", account: { id: "a1" } }] };
  },
});

const domain = { since: "2026-11-21" };
const find = (changes: object) => findKeepers(parseSettings({ ...stack, ...changes }, {}));

async function message(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail("nothing was refused"),
    (refused: unknown) => refused,
  );
  assert.ok(pulumi.RunError.isInstance(error), "shown without a stack trace");
  return error.message;
}

test("the zones' ids, by name", async () => {
  const { cloudflare } = await find({ domains: { "test.example.org": { ...domain, zone: "example.org" } } });
  assert.deepEqual(cloudflare.get("example.org"), { id: "z1", accountId: "a1" });
});

test("every zone that is not there is one line: where it is asked for, and what to write", async () => {
  const domains = {
    "test.example.org": domain,
    "example.com": { ...domain, mailboxes: { ann: {} } },
    "a.example.edu": { ...domain, zone: "example.edu" },
  };
  assert.equal(
    await message(find({ domains, hostname: "mail.example.info" })),
    [
      "The stack file has 4 mistakes in it. Nothing was touched.",
      "  mailhost:domains.test.example.org: Cloudflare has no zone test.example.org; write zone: example.org (which exists), or give the token Zone Read for it",
      "  mailhost:domains.example.com: Cloudflare has no zone example.com; add example.com to your Cloudflare account, or give the token Zone Read for it",
      "  mailhost:domains.a.example.edu.zone: Cloudflare has no zone example.edu; add example.edu to your Cloudflare account, or give the token Zone Read for it",
      "  mailhost:hostname: Cloudflare has no zone example.info; add example.info to your Cloudflare account, or give the token Zone Read for it",
    ].join("\n"),
  );
});

test("a token that Cloudflare does not take is a sentence", async () => {
  isRefused = true;
  assert.match(
    await message(find({})),
    /^Cloudflare does not answer as it should: .+\. Set CLOUDFLARE_API_TOKEN .* Nothing was touched\.$/,
  );
});

test("of what a provider said, the sentence is shown", () => {
  const said = (text: string) => reasonOf(new Error(text));
  assert.equal(
    said(
      "invocation of cloudflare:index/getZones:getZones returned an error: \n403: Invalid API Token.\n  at x",
    ),
    "403: Invalid API Token",
  );
  assert.equal(said(""), "no reason given");
});
