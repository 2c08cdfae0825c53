/** A stack whose first run died before it wrote down its outputs, and whose domain's day was mended meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

test("the host is known by the key that it was made with, whatever day the stack file has now", async () => {
  const made = (day: string) => ({
    [`urn:pulumi:test::mailhost::mailhost:keys:SshKeys$tls:index/privateKey:PrivateKey::ssh-host-${day}`]: {
      type: "tls:index/privateKey:PrivateKey",
      outputs: {},
    },
  });
  const since = (day: string) => ({ ...stack.domains["example.org"], since: day });
  const run = await runProgram(
    { ...stack, domains: { ...stack.domains, "example.org": since("2026-11-20") } },
    { resources: { ...made("20261122"), ...made("20261121") } },
  );
  assert.deepEqual(run.options("ssh-host-20261121").formerNames, ["ssh-host"]);
  assert.ok(!run.registrations.some(({ name }) => name === "ssh-host-20261120"));
});
