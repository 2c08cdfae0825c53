import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { readSettings } from "../../components/stack.ts";
import { daysToCome } from "../../plan/refusals.ts";
import { stack } from "./program.ts";

delete process.env.AWS_REGION;
delete process.env.AWS_DEFAULT_REGION;

function read(config: Readonly<Record<string, string>>): unknown {
  const own = Object.entries(stack).map(([key, value]) => [
    `mailhost:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig({ ...Object.fromEntries(own), ...config });
  return readSettings();
}

const said = (line: string) => (error: unknown) =>
  pulumi.RunError.isInstance(error) && error.message.includes(`Nothing was touched.\n  ${line}`);

test("a region that is missing or none is a line like every other mistake", () => {
  assert.throws(() => read({}), said("aws:region: is missing; write the AWS region"));
  assert.throws(() => read({ "aws:region": "Frankfurt" }), said("aws:region: is not an AWS region; write"));
  assert.throws(
    () => read({ "aws:region": "eu-central-1a" }),
    said("aws:region: is a zone of a region; write eu-central-1"),
  );
  assert.throws(
    () => read({ "mailhost:owner": "nobody" }),
    /2 mistakes in it.*aws:region: is missing.*mailhost:owner: is no full mail address/s,
  );
});

test("with one, from the stack file or the environment, the settings are there", () => {
  assert.ok(read({ "aws:region": "eu-central-1" }));
  process.env.AWS_REGION = "us-gov-west-1";
  assert.ok(read({}));
});

test("a day that is more than one ahead is a slip of the pen", () => {
  const days = (since: string) =>
    daysToCome({ domains: [{ name: "example.org", since }] as never }, new Date("2026-11-21T23:00:00Z"));
  assert.deepEqual(days("2026-11-22"), []);
  assert.deepEqual(days("2026-11-23"), [
    {
      path: ["domains", "example.org", "since"],
      message: "is in the future; write the day on which the domain comes here, such as 2026-11-21",
    },
  ]);
});

test("an alias with nothing behind it is a mistake; a mailbox is not", () => {
  const domain = { since: "2026-11-21", mailboxes: { ann: null }, aliases: { sales: null } };
  assert.throws(
    () =>
      read({ "aws:region": "eu-central-1", "mailhost:domains": JSON.stringify({ "example.org": domain }) }),
    said("mailhost:domains.example.org.aliases.sales: is empty; write"),
  );
});
