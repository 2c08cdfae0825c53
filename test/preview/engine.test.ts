import assert from "node:assert/strict";
import { test } from "node:test";
import { PreviewReader } from "../../preview/engine.ts";
import { SECRET, UNKNOWN } from "../../preview/types.ts";
import { COMMAND, masked, message, outputs, previewOf, stepEvent, unknown, updated } from "./scene.ts";

test("a change has its inputs on both sides, with words for what is secret or unknown", () => {
  const { changes } = previewOf([
    updated(COMMAND, "host-x-files", { stdin: masked, n: 1 }, { stdin: masked, n: { deep: [unknown] } }),
  ]);
  assert.deepEqual(changes, [
    {
      kind: "update",
      name: "host-x-files",
      type: COMMAND,
      before: { stdin: SECRET, n: 1 },
      after: { stdin: SECRET, n: { deep: [UNKNOWN] } },
      changed: ["n"],
      causes: [],
    },
  ]);
});

test("a changed secret is a change, although it looks the same", () => {
  const stdin = { stdin: masked };
  const { changes } = previewOf([
    stepEvent({
      op: "update",
      type: COMMAND,
      name: "host-x-secrets",
      before: stdin,
      after: stdin,
      diffs: ["stdin"],
    }),
  ]);
  assert.deepEqual(changes[0]?.changed, ["stdin"]);
});

test("steps that change nothing, components and providers are left out; a replacement is one change", () => {
  const type = "aws:ec2/instance:Instance";
  const both = { type, name: "server-instance", before: { ami: "a" }, after: { ami: "b" } };
  const { changes } = previewOf([
    stepEvent({ op: "same", type: COMMAND, name: "still", before: {}, after: {} }),
    stepEvent({ op: "refresh", type: COMMAND, name: "looked at", before: {}, after: {} }),
    stepEvent({ op: "read", type: COMMAND, name: "read", after: {} }),
    updated("pulumi:providers:aws", "default", { region: "a" }, { region: "b" }),
    stepEvent({ ...both, op: "delete-replaced" }),
    stepEvent({ ...both, op: "replace", keys: ["ami"] }),
    stepEvent({ ...both, op: "create-replacement" }),
    stepEvent({ op: "delete", type, name: "gone", before: { a: 1 } }),
    stepEvent({ op: "delete", type, name: "kept", before: { a: 1 }, retainOnDelete: true }),
  ]);
  assert.deepEqual(
    changes.map(({ kind, name, causes }) => [kind, name, causes]),
    [
      ["delete", "gone", []],
      ["forget", "kept", []],
      ["replace", "server-instance", ["ami"]],
    ],
  );
});

test("errors stand in the way, warnings are told, and what is said for debugging is never read", () => {
  const preview = previewOf([
    message("error", "<{%reset%}>The stack file has a mistake in it.<{%reset%}>\n"),
    message("error", "<{%reset%}>The stack file has a mistake in it.<{%reset%}>\n"),
    message("warning", "look"),
    message("debug", "RegisterResource: password hunter2"),
    message("info", "passing by"),
  ]);
  assert.deepEqual(preview.refusals, ["The stack file has a mistake in it."]);
  assert.deepEqual(preview.warnings, ["look"]);
  assert.ok(!JSON.stringify(preview).includes("hunter2"));
});

test("what policies say is told by policy and resource, each once, without what the policy is about", () => {
  const policy = (enforcementLevel: string, resourceUrn?: string) => ({
    policyEvent: {
      ...(resourceUrn && { resourceUrn }),
      message: "All is well.\nIt is not. Mend it.\n",
      policyName: enforcementLevel,
      enforcementLevel,
    },
  });
  const urn =
    "urn:pulumi:one::mailhost::mailhost:network:Firewall$aws:ec2/securityGroup:SecurityGroup::firewall-group";
  const stack = "urn:pulumi:one::mailhost::pulumi:pulumi:Stack::mailhost-one";
  const { violations, refusals, warnings } = previewOf([
    policy("mandatory", urn),
    policy("advisory", stack),
    policy("mandatory", urn),
  ]);
  const text = "It is not. Mend it.";
  assert.deepEqual(violations, [
    { policy: "advisory", isMandatory: false, text },
    { policy: "mandatory", isMandatory: true, resource: "firewall-group", text },
  ]);
  assert.deepEqual([refusals, warnings], [[], []]);
});

test("outputs are there on both sides; what is no event is no mistake", () => {
  assert.equal(previewOf([]).outputs.before.hostname, outputs.hostname);
  const reader = new PreviewReader();
  for (const line of ["", "warning: something", "{}"]) reader.take(line);
  assert.equal(reader.preview("dev").outputs.after, undefined);
});

test("what the engine comes to first makes no difference", () => {
  const events = ["b", "c", "a"].map((name) => updated(COMMAND, name, { n: 1 }, { n: 2 }));
  assert.deepEqual(previewOf(events), previewOf(events.toReversed()));
});
