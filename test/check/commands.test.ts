import assert from "node:assert/strict";
import { test } from "node:test";
import { runnable } from "../../check/commands.ts";
import { runCheck } from "../../check/run.ts";
import { target } from "./fixtures.ts";

const remedy =
  "See why: `npm run host -- journalctl -u rspamd`, then `pulumi up --replace 'urn:a$b::c'`; or `pulumi up`.";

test("a remedy's commands can be typed on the local cloud as they stand", () => {
  assert.equal(
    runnable(remedy, target({ isLocal: true })),
    "See why: `npm run host -- journalctl -u rspamd`, then `npm run pulumi -- up --replace 'urn:a$b::c'`; or `npm run pulumi -- up`.",
  );
});

test("and for a stack elsewhere", () => {
  assert.equal(
    runnable(remedy, target({ stack: "prod" })),
    "See why: `npx mailhost host --stack prod journalctl -u rspamd`, then `npx pulumi up --stack prod --replace 'urn:a$b::c'`; or `npx pulumi up --stack prod`.",
  );
});

test("and for a locked store", () => {
  const open = "Open it: `npm run unlock`.";
  assert.equal(runnable(open, target({ isLocal: true })), open);
  assert.equal(runnable(open, target({ stack: "prod" })), "Open it: `npx mailhost unlock --stack prod`.");
});

test("and for what mailhost itself does", () => {
  const see = "See it: `npx mailhost queue`, `npm run check -- --resolver ADDRESS`, `npm run reports`.";
  assert.equal(runnable(see, target({ isLocal: true })), see);
  assert.equal(
    runnable(see, target({ stack: "prod" })),
    "See it: `npx mailhost queue --stack prod`, `npx mailhost check --stack prod --resolver ADDRESS`, `npx mailhost reports --stack prod`.",
  );
});

test("the check prints them so", async () => {
  const [line] = await runCheck(target({ stack: "prod" }), [
    { name: "x", group: "Mail", look: async () => [{ right: false, text: "x", remedy: "Run `pulumi up`." }] },
  ]);
  assert.equal(line?.remedy, "Run `npx pulumi up --stack prod`.");
});
