/** What `mailhost logs` says of an address before it looks for its mail. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { strangerWords } from "../../cli/logs.ts";
import { parseSettings } from "../../settings/parse.ts";

const settings = parseSettings(
  {
    hostname: "mail.example.org",
    owner: "ann@example.org",
    ssh: { from: "203.0.113.7/32" },
    domains: {
      "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, aliases: { info: "ann" } },
      "example.com": { since: "2026-11-21", mailboxes: { carol: {} }, catchAll: "carol" },
    },
  },
  {},
);

it("an address that the stack has, or may have, is nothing to speak of", () => {
  for (const address of [
    "ann@example.org",
    "ANN+shop@Example.org",
    "info@example.org",
    "any@example.com",
    "x@example.net",
  ])
    assert.equal(strangerWords(settings, address), undefined, address);
});

it("one that it does not have is said to be none of its, with those that there are", () => {
  assert.match(
    strangerWords(settings, "anne@example.org") ?? "",
    /^No mailbox and no alias of the stack has the address anne@example\.org\. There are: ann@example\.org, /,
  );
});

it("what is no address is refused, with what was meant", () => {
  assert.throws(() => strangerWords(settings, "ann"), {
    message: "ann is no whole address. Write: --mailbox ann@example.org",
    exitCode: 2,
  });
  assert.throws(() => strangerWords(settings, "zoe"), {
    message: /no mailbox has this name\. There are: ann@/,
  });
});
