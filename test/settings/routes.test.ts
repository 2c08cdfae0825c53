import assert from "node:assert/strict";
import { it } from "node:test";
import { parseSettings } from "../../settings/parse.ts";
import { passedOn } from "../../settings/routes.ts";

function found(domains: object, owner = "ann@example.org") {
  const settings = parseSettings(
    { hostname: "mail.example.org", owner, ssh: { from: ["203.0.113.7/32"] }, domains },
    {},
  );
  return Object.fromEntries(passedOn(settings));
}
const since = "2026-11-21";

it("an alias leads elsewhere by itself, by another alias, or not at all", () => {
  const aliases = { near: "ann", far: "yves@example.net", farther: ["ann", "far"], farthest: "farther" };
  assert.deepEqual(found({ "example.org": { since, mailboxes: { ann: {} }, aliases } }), {
    "far@example.org": true,
    "farther@example.org": true,
    "farthest@example.org": true,
  });
});

it("where the catch-all leads elsewhere, what does not is known too", () => {
  const domain = { since, mailboxes: { ann: {} }, aliases: { near: "ann" }, catchAll: "yves@example.net" };
  assert.deepEqual(found({ "example.org": domain }), {
    "ann@example.org": false,
    "near@example.org": false,
    "postmaster@example.org": false,
    "abuse@example.org": false,
    "dmarc@example.org": false,
    "tls-reports@example.org": false,
    "@example.org": true,
  });
});

it("role names never count, whoever the owner is", () => {
  assert.deepEqual(found({ "example.org": { since, mailboxes: { ann: {} } } }, "owner@example.net"), {});
  const aliases = { abuse: "yves@example.net" };
  assert.deepEqual(found({ "example.org": { since, mailboxes: { ann: {} }, aliases } }), {});
});
