import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { KeyPair, KeyRotation } from "../../plan/rotation.ts";
import { runProgram, settled, stack } from "./program.ts";

const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const keys = (days: number): readonly KeyPair[] => [
  { generation: "20260101", state: "signing", since: ago(days) },
  { generation: "20260102", state: "published", since: ago(days) },
];

test("a key whose successor somebody hides stays in use, and the owner is told whom to ask", async (t) => {
  const said: string[] = [];
  t.mock.method(pulumi.log, "warn", async (text: string) => {
    said.push(text);
  });
  const before: KeyRotation = { "example.org": keys(120), "example.com": keys(89) };
  const run = await runProgram(
    // Nobody listens there.
    { ...stack, resolver: { outside: "127.91.25.7" } },
    { outputs: { keyRotation: before } },
  );
  const after = await settled(run.outputs.keyRotation as pulumi.Output<KeyRotation>);
  assert.deepEqual(after["example.org"], before["example.org"]);
  const unseen = said.filter((text) => text.includes("has been in use"));
  assert.deepEqual(unseen, [
    "The key 20260101 of example.org has been in use for 120 days instead of 90, since its successor 20260102 is not shown by everybody who is asked: each nameserver of example.org, and 127.91.25.7. `npm run check` says whether its records are there.",
  ]);
});
