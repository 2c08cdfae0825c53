import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { findKeepers } from "../../components/dns/zones.ts";
import { reasonOf } from "../../components/reason.ts";
import { parseSettings } from "../../settings/parse.ts";
import { startPrimary } from "../primary.ts";
import { stack } from "./program.ts";

let isRefused = false;

await pulumi.runtime.setMocks(
  {
    newResource: ({ name }) => assert.fail(`${name} was made`),
    call: ({ token, inputs }) => {
      if (token === "pulumi:pulumi:readStackResourceOutputs") return { outputs: {} };
      if (token === "aws:route53/getZone:getZone")
        throw Object.assign(new Error(), { details: "no matching Route 53 Hosted Zone found" });
      if (isRefused) throw new Error();
      if (token === "cloudflare:index/getDnsRecords:getDnsRecords")
        return { results: [{ id: "r1", name: inputs.zoneId, type: "NS" }] };
      return {
        results: ["example.org", "example.net"].map((name, at) => ({
          name,
          id: `z${at + 1}`,
          account: { id: "a1" },
        })),
      };
    },
  },
  "mailhost",
  "test",
  false,
  "organization",
);

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

test("the zones that are used, by name, with what is in them before anything is made", async () => {
  const { cloudflare } = await find({ domains: { "test.example.org": { ...domain, zone: "example.org" } } });
  const records = [{ id: "r1", name: "z1", type: "NS", content: "", comment: "" }];
  assert.deepEqual([...cloudflare], [["example.org", { id: "z1", accountId: "a1", records }]]);
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

test("a zone that Route 53 has not is one line, too", async () => {
  assert.match(
    await message(find({ dns: { zones: { "example.com": "route53" } } })),
    /\n {2}mailhost:domains\.example\.com: Route 53 has no public zone example\.com; make it in the AWS account of the host/,
  );
});

test("a nameserver has the zone, and takes updates, or each is said", async (t) => {
  const primary = await startPrimary({ "example.org": [] });
  t.after(() => primary.close());
  const { server, port, key, algorithm, secret } = primary;
  const at = (more: object, zones: readonly string[] = ["example.org"]) =>
    find({
      hostname: "mail.example.org",
      domains: Object.fromEntries(
        zones.map((zone) => [zone, { ...domain, mailboxes: { ann: {}, carol: {} } }]),
      ),
      dns: { provider: "rfc2136", rfc2136: { server, port, key, algorithm, secret, ...more } },
    });
  assert.equal(typeof (await at({})).of("example.org"), "function");
  assert.match(
    await message(at({}, ["example.org", "example.com"])),
    /\n {2}mailhost:domains\.example\.com: 127\.0\.0\.1 has no zone example\.com; make it there/,
  );
  assert.match(
    await message(at({ secret: Buffer.alloc(32).toString("base64") })),
    /^The nameserver of mailhost:dns\.rfc2136 does not answer as it should: .*BADSIG.* Nothing was touched\.$/,
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
