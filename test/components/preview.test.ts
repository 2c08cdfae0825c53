import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

const run = await runProgram(stack, { preview: true });

test("the preview before the first up has machine, records, keys and every kind of step on the host", async () => {
  const names = run.registrations.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of [
    "server-instance",
    "dns-a:mail.example.org",
    "dns-txt:20261121r._domainkey.example.com",
    "ptr-record",
    "accounts-ann@example.org",
    "host-bootstrap",
    "host-rootdisk",
    "host-volume",
    "host-packages",
    "host-postfix-files",
    "host-rspamd-secrets",
    "host-nftables-confirm",
  ]) {
    assert.ok(names.includes(name), name);
  }
});

test("what needs no fact is shown in it: every file, every constant record, every rule", () => {
  for (const { name, inputs } of run.registrations) {
    if (/^host-.*-files$/.test(name))
      assert.match(String(inputs.stdin), /^mailhost bundle \S+\nfiles: /, name);
  }
  assert.equal(run.find("inbound-mx:example.org").inputs.content, "mail.example.org");
  assert.equal(run.find("dns-txt:example.org").inputs.content, '"v=spf1 mx -all"');
  assert.equal((run.find("firewall-group").inputs.ingress as unknown[]).length, 6);
});

test("what only the providers know is unknown, not wrong", () => {
  const unknown = '{"__pulumiUnknown":true}';
  assert.equal(JSON.stringify(run.find("dns-a:mail.example.org").inputs.content), unknown);
  assert.equal(JSON.stringify(run.find("host-volume").inputs.stdin), unknown);
});
