import assert from "node:assert/strict";
import { test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { HOST_KEY } from "../../plan/hostKey.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import { runProgram, settled, stack } from "./program.ts";

// Before any day on which this may run.
const since = "2026-01-01T00:00:00.000Z";
const before: KeyRotation = {
  [HOST_KEY]: [
    { generation: "20260101", state: "signing", since },
    { generation: "20260101b", state: "published", since },
  ],
};

const run = await runProgram(
  { ...stack, hostKey: { revoked: ["20260101"] } },
  { preview: true, outputs: { keyRotation: before } },
);

test("a host key that leaked: the next one goes to the host first of all, and everything after that demands it", async () => {
  const names = run.registrations
    .map(({ name }) => name)
    .filter((name) => name.startsWith("ssh-host-"))
    .toSorted();
  assert.deepEqual(names.slice(0, 2), ["ssh-host-20260101", "ssh-host-20260101b"]);
  assert.equal(names.length, 3);
  assert.match(String(run.find("host-identity").inputs.create), /# 20260101b$/);
  assert.ok(run.options("host-identity").dependsOn.includes("host-bootstrap"));
  assert.ok(run.options("host-tools").dependsOn.includes("host-identity"));
  const rotation = (await settled(run.outputs.keyRotation as pulumi.Output<KeyRotation>))[HOST_KEY];
  assert.deepEqual(
    rotation?.map(({ state }) => state),
    ["retired", "signing", "published"],
  );
});
