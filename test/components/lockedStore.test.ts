import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, stack } from "./program.ts";

const passphrase = "correct horse battery";
const run = await runProgram({ ...stack, lockedStore: { passphrase } });
const secret = "4dabf18193072939515e22adb298388d";

test("the passphrase travels on the standard input of one step, as a secret, and is nowhere else", () => {
  const { stdin } = run.find("host-volume").inputs as { stdin: Readonly<Record<string, string>> };
  assert.equal(stdin[secret], "1b47061264138c4ac30d75fd1eb44270");
  assert.equal(stdin.value, `id-of-server-data 20\nlocked\n${passphrase}\n`);
  const others = run.registrations.filter(({ name }) => name !== "host-volume");
  assert.doesNotMatch(JSON.stringify(others), /correct horse/);
});

test("who has a passphrase in the stack is told how to get the recovery key", () => {
  const steps = run.outputs.nextSteps as readonly string[];
  assert.match(steps.at(-1) ?? "", /recovery key, .*: npm run unlock -- --recovery-key --stack test$/);
});
