/** What docs/security.md and docs/cost.md say of rights and of sizes, held to what they speak of. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { parseSettings } from "../../settings/parse.ts";
import { stack } from "../components/program.ts";
import { pageOf } from "./fenced.ts";

const root = resolve(import.meta.dirname, "../..");

it("the program's AWS credential makes and deletes no snapshot, and reaches EC2 and a quota alone, in one region", () => {
  const { Statement } = JSON.parse(readFileSync(join(root, "docs/aws-policy.json"), "utf8")) as {
    Statement: readonly { Action: string | readonly string[]; Condition?: object }[];
  };
  const actions = Statement.flatMap(({ Action }) => Action);
  assert.ok(actions.includes("ec2:DeleteVolume"));
  assert.deepEqual(
    actions.filter(
      (action) => /Snapshot/.test(action) || !/^(ec2:|servicequotas:GetServiceQuota$)/.test(action),
    ),
    [],
  );
  for (const { Action, Condition } of Statement)
    if (Action !== "ec2:Describe*") assert.ok(JSON.stringify(Condition).includes("aws:RequestedRegion"));
});

it("docs/cost.md adds up what a host on default settings has, to the cent", () => {
  const { text } = pageOf("docs/cost.md");
  const { server } = parseSettings(stack, {});
  assert.ok(text.includes(`| t4g.small (arm64, 2 GiB), the default`));
  assert.equal(server.instanceType, "t4g.small");
  const row = (begins: string) =>
    [
      ...(text.split("\n").find((line) => line.startsWith(`| ${begins}`)) ?? "").matchAll(
        /\$(\d+\.\d+)(?=\*{0,2} \|)/g,
      ),
    ].map(([, dollars]) => Number(dollars));
  const hours = 730;
  for (const [index, [machine, disk]] of [
    [0.0168, 0.08],
    [0.0192, 0.0952],
  ].entries()) {
    const parts = [machine ?? 0, 0.005].map((hourly) => hourly * hours);
    const disks = (server.rootSize + server.dataSize) * (disk ?? 0);
    const cents = (dollars: number) => dollars.toFixed(2);
    assert.equal(cents(row("t4g.small")[index] ?? 0), cents(parts[0] ?? 0));
    assert.equal(cents(row("public IPv4")[index] ?? 0), cents(parts[1] ?? 0));
    assert.equal(cents(row("disks")[index] ?? 0), cents(disks));
    assert.equal(cents(row("**together**")[index] ?? 0), cents((parts[0] ?? 0) + (parts[1] ?? 0) + disks));
  }
});
