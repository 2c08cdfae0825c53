/** A zone that the stack publishes at Cloudflare, and is to be served by the host from one `up` to the next. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

test("a zone does not come to the host while the stack publishes it elsewhere: it would be gone there at once", async () => {
  const spf = { name: "example.org", type: "TXT", content: '"v=spf1 mx -all"' };
  await assert.rejects(
    runProgram(
      { ...stack, dns: { zones: { "example.org": "host" }, host: { secondaries: {} } } },
      {
        resources: { "dns-txt:example.org": { type: "cloudflare:index/dnsRecord:DnsRecord", outputs: spf } },
      },
    ),
    /has the host serve example\.org, whose records this stack publishes elsewhere: .* Nothing was touched/,
  );
});
