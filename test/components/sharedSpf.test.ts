/** A stack whose domains' SPF stands in one record with somebody else's: at Cloudflare, and in a zone that is kept by hand. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";
import { runProgram, secretValue, settled, stack } from "./program.ts";

const resolver = "127.91.26.3";
const illServer = "127.91.26.2";
const SERVFAIL = 2;
const addresses = (name: string) =>
  [illServer, resolver].map((data): Answer => ({ name, type: "A", ttl: 60, data }));
const theirs = "v=spf1 include:_spf.shop.example ~all";

test("the record is joined where it stands, and shown to who puts records in by hand", async (t) => {
  // Resolver and nameserver of the zone in one.
  const dns = createSocket("udp4").on("message", (bytes, { address, port }) => {
    const question = decode(bytes);
    const [{ name, type } = assert.fail()] = question.questions ?? [];
    const told: Readonly<Record<string, Answer>> = {
      NS: { name, type: "NS", ttl: 60, data: "ns.example.com" },
      TXT: { name, type: "TXT", ttl: 60, data: [name === "example.com" ? theirs : "v=spf1 -all"] },
    };
    const answer = told[type];
    dns.send(
      encode({
        type: "response",
        id: question.id ?? 0,
        flags: AUTHORITATIVE_ANSWER,
        questions: [{ name, type }],
        answers: type === "A" ? addresses(name) : answer ? [answer] : [],
      }),
      port,
      address,
    );
  });
  dns.bind(53, resolver);
  t.after(() => dns.close());
  // The zone's first nameserver has lost it: that says nothing of what is in it.
  const ill = createSocket("udp4").on("message", (bytes, { address, port }) => {
    const { id, questions } = decode(bytes);
    ill.send(encode({ type: "response", id, flags: SERVFAIL, questions }), port, address);
  });
  ill.bind(53, illServer);
  t.after(() => ill.close());
  const asked: string[] = [];
  const api = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const result = [{ id: "r1", name: "example.org", type: "TXT", content: `"${theirs}"` }];
    response.end(JSON.stringify({ success: true, result, result_info: { total_pages: 1 } }));
  }).listen(0, "127.0.0.1");
  await once(api, "listening");
  t.after(() => api.close());
  process.env.CLOUDFLARE_BASE_URL = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  delete process.env.CLOUDFLARE_API_TOKEN;

  const domains = stack.domains;
  const run = await runProgram(
    {
      ...stack,
      resolver: { outside: resolver },
      dns: { zones: { "example.com": "byHand" } },
      domains: {
        "example.org": { ...domains["example.org"], spf: { foreign: "merge", all: "-all" } },
        "example.com": { ...domains["example.com"], spf: "merge" },
      },
    },
    { config: { "cloudflare:apiToken": "a token" } },
  );
  assert.deepEqual(asked, [
    "GET /zones/zone-of-example.org/dns_records?name=example.org&type=TXT&page=1&per_page=5000 Bearer a token",
  ]);
  const { inputs } = run.find("dns-spf:example.org");
  assert.deepEqual(JSON.parse(String(inputs.stdin)), {
    place: { provider: "cloudflare", zoneId: "zone-of-example.org" },
    name: "example.org",
    ttl: 300,
    own: ["mx"],
    all: "-all",
    record: "v=spf1 mx include:_spf.shop.example -all",
    mended: 0,
  });
  assert.deepEqual(
    [inputs.create, inputs.update, inputs.delete],
    ["join", "join", "part"].map((action) => `node components/dns/joinSpf.ts ${action}`),
  );
  // The command runs without the stack file; what its own environment has already is in no state.
  assert.deepEqual(secretValue(inputs.environment), { CLOUDFLARE_API_TOKEN: "a token" });
  assert.equal(run.options("dns-spf:example.org").deleteBeforeReplace, true);
  const names = run.registrations.map(({ name }) => name);
  assert.ok(!names.includes("dns-txt:example.org"), "a second record");
  assert.deepEqual(
    names.filter((name) => name.includes("-spf:")),
    ["dns-spf:example.org"],
  );
  const files = run.outputs.dnsZoneFiles as Readonly<Record<string, pulumi.Output<string>>>;
  assert.match(
    await settled(files["example.com"] ?? assert.fail()),
    /\n@ 300 IN TXT "v=spf1 mx include:_spf\.shop\.example ~all"\n/,
  );
  const records = run.outputs.dnsRecords as Readonly<
    Record<string, { readonly content: pulumi.Output<string> }>
  >;
  const { content } = records["txt:example.org"] ?? assert.fail(Object.keys(records).join());
  assert.equal(await settled(content), "v=spf1 mx include:_spf.shop.example -all");
});
