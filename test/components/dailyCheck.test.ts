import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { DailyCheck } from "../../plan/dailyCheck.ts";
import { program } from "../../plan/program.ts";
import { runProgram, secretValue, settled, stack } from "./program.ts";

const run = await runProgram({ ...stack, dailyCheck: true });

/** One file of a bundle's document. */
function fileOf(document: string, path: string): string {
  const [, rest = ""] = document.split(`=== ${path} root:root 0600\n`);
  return rest.slice(0, rest.search(/^=== /m));
}

const document = secretValue<string>(run.find("host-daily-check-secrets").inputs.stdin);

const output = <T>(name: string): Promise<T> =>
  settled(pulumi.output(run.outputs[name] as pulumi.Input<T>)) as Promise<T>;

test("the host gets the check as one file, and what the stack knows of itself beside it", async () => {
  assert.equal(fileOf(document, "/usr/local/lib/mailhost/check.cjs"), program("check/onHost.ts"));
  const told = JSON.parse(fileOf(document, "/etc/mailhost/daily-check.json")) as DailyCheck;
  assert.equal(told.stack, "test");
  assert.equal(told.facts.publicIpv4, await output("publicIp"));
  assert.deepEqual(told.facts.publicKeys, await output("publicKeys"));
  assert.deepEqual(told.ds, await output("dnssec"));
  const address = told.records.find(({ type, name }) => type === "A" && name === "mail.example.org");
  assert.equal(address?.content, told.facts.publicIpv4);
});

test("no password, hash or key of the stack is in it", async () => {
  const told = fileOf(document, "/etc/mailhost/daily-check.json");
  const credentials = await output<Record<string, string>>("credentials");
  const { privateKey } = await output<{ privateKey: string }>("ssh");
  for (const secret of [...Object.values(credentials), privateKey]) assert.ok(!told.includes(secret));
  assert.doesNotMatch(told, /\$6\$|\{ARGON2ID\}|PRIVATE KEY/);
});
