/** An `up` of other things (`--target`) while another host key is due: the host is left as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { changeIdentity } from "../../components/steps.ts";
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
const publicKey = (generation: string) => ({ publicKeyOpenssh: `ssh-key ${generation}\n` });
// A preview, since anything else would ask the host; what is known in it is what the state has.
const run = await runProgram(
  { ...stack, hostKey: { revoked: ["20260101"] } },
  {
    preview: true,
    outputs: { keyRotation: before },
    untouched: {
      "host-identity": { create: changeIdentity("20260101") },
      "server-address": { publicIp: "198.18.0.40" },
      "ssh-login": { privateKeyOpenssh: "private\n" },
      "ssh-host-20260101": publicKey("20260101"),
      "ssh-host-20260101b": publicKey("20260101b"),
    },
  },
);

test("what is written down is the key that the host has, and the one that it may get next", async () => {
  const ssh = run.outputs.ssh as pulumi.Output<{ readonly hostKey: string; readonly nextHostKey: string }>;
  const { hostKey, nextHostKey } = await settled(ssh);
  assert.equal(hostKey, "ssh-key 20260101");
  assert.equal(nextHostKey, "ssh-key 20260101b");
  const rotation = await settled(run.outputs.keyRotation as pulumi.Output<KeyRotation>);
  assert.deepEqual(rotation[HOST_KEY], before[HOST_KEY]);
});
