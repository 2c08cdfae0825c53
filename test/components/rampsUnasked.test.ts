import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { keyPair } from "../ssh/server.ts";
import { runProgram, settled, stack } from "./program.ts";

test("a host that does not answer holds no run up, and lets no policy move", async (t) => {
  const said: string[] = [];
  t.mock.method(pulumi.log, "info", async (text: string) => {
    said.push(text);
  });
  const { private: privateKey, public: hostKey } = keyPair();
  const before = { "_dmarc.example.org": { policy: "none", since: "2026-01-01T00:00:00.000Z", why: "" } };
  const domains = { ...stack.domains, "example.org": { ...stack.domains["example.org"], dmarc: "ramp" } };
  const run = await runProgram(
    { ...stack, domains },
    {
      outputs: {
        // Nobody listens there.
        ssh: { host: "127.91.25.4", port: 1, user: "admin", privateKey, hostKey },
        policyRamps: before,
      },
    },
  );
  assert.match(String(run.find("dns-txt:_dmarc.example.org").inputs.content), /p=none;/);
  assert.deepEqual(await settled(pulumi.output(run.outputs.policyRamps)), before);
  assert.match(
    said.join("\n"),
    /^example\.org, DMARC: none since 2026-01-01, and not quarantine yet\. What the reports say is not known: no login at admin@127\.91\.25\.4 port 1: .*ECONNREFUSED/m,
  );
});
