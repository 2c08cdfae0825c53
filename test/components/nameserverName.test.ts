import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

test("the host's name as a nameserver is not changed on a running host, before anything is made", async () => {
  const urn = "urn:pulumi:test::mailhost::command:remote:Command::host-knot-files";
  const stdin =
    "=== /etc/knot/zones/example.org.zone root:root 0644\n@ SOA ns1.example.org. postmaster.example.org. 1\n";
  await assert.rejects(
    runProgram(
      {
        ...stack,
        dns: { zones: { "example.org": "host" }, host: { name: "dns.example.org", secondaries: {} } },
      },
      { preview: true, resources: { [urn]: { type: "command:remote:Command", outputs: { stdin } } } },
    ),
    /is dns\.example\.org, and the host is known as the nameserver ns1\.example\.org: .* Write `name: ns1\.example\.org` under mailhost:dns\.host\. Nothing was touched/,
  );
});
