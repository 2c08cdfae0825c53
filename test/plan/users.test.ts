import assert from "node:assert/strict";
import { it } from "node:test";
import { localAliases, mailboxes, noLogin, senderLogins } from "../../plan/users.ts";
import { parseSettings } from "../../settings/parse.ts";
import { routes } from "../../settings/routes.ts";

const settings = parseSettings(
  {
    hostname: "mail.a.example",
    owner: "info@a.example",
    ssh: { from: "203.0.113.7/32" },
    domains: {
      "a.example": {
        since: "2026-11-21",
        mailboxes: { Ann: {}, bob: { passwordHash: `$2y$05$${"a".repeat(53)}` } },
        aliases: {
          info: ["sales", "x@elsewhere.example"],
          sales: "bob+shop",
          postmaster: "ann",
          out: "x@elsewhere.example",
        },
      },
      "b.example": {
        since: "2026-11-21",
        mailboxes: { abuse: {} },
        aliases: { out: "x@elsewhere.example" },
        catchAll: "ann@a.example",
      },
    },
  },
  {},
);

it("mailboxes are listed with their parts and without their hashes", () => {
  assert.deepEqual(mailboxes(settings), [
    { address: "ann@a.example", local: "ann", domain: "a.example", suspended: false },
    { address: "bob@a.example", local: "bob", domain: "a.example", suspended: false },
    { address: "abuse@b.example", local: "abuse", domain: "b.example", suspended: false },
  ]);
});

it("aliases, the roles that nobody takes, and catch-alls are passed on", () => {
  assert.deepEqual(routes(settings), [
    { address: "info@a.example", to: ["sales@a.example", "x@elsewhere.example"] },
    { address: "sales@a.example", to: ["bob+shop@a.example"] },
    { address: "postmaster@a.example", to: ["ann@a.example"] },
    { address: "out@a.example", to: ["x@elsewhere.example"] },
    { address: "abuse@a.example", to: ["info@a.example"] },
    { address: "dmarc@a.example", to: ["reports@mail.a.example"] },
    { address: "tls-reports@a.example", to: ["reports@mail.a.example"] },
    { address: "out@b.example", to: ["x@elsewhere.example"] },
    { address: "postmaster@b.example", to: ["info@a.example"] },
    { address: "dmarc@b.example", to: ["reports@mail.a.example"] },
    { address: "tls-reports@b.example", to: ["reports@mail.a.example"] },
    { address: "@b.example", to: ["ann@a.example"] },
  ]);
});

it("whoever gets the mail of an address, and nobody else, may send as it", () => {
  assert.deepEqual(
    Object.fromEntries(senderLogins(settings).map(({ address, logins }) => [address, logins])),
    {
      "ann@a.example": ["ann@a.example"],
      "bob@a.example": ["bob@a.example"],
      "abuse@b.example": ["abuse@b.example"],
      "info@a.example": ["bob@a.example"],
      "sales@a.example": ["bob@a.example"],
      "postmaster@a.example": ["ann@a.example"],
      "out@a.example": [noLogin],
      "abuse@a.example": ["bob@a.example"],
      "dmarc@a.example": ["nobody"],
      "tls-reports@a.example": ["nobody"],
      // ann, who takes all the rest of the domain, must not send as this one, which leads elsewhere.
      "out@b.example": [noLogin],
      "postmaster@b.example": ["bob@a.example"],
      "dmarc@b.example": ["nobody"],
      "tls-reports@b.example": ["nobody"],
      "@b.example": ["ann@a.example"],
    },
  );
});

it("an alias over a catch-all belongs to the catch-all's mailbox", () => {
  const over = parseSettings(
    {
      hostname: "mail.a.example",
      owner: "ann@a.example",
      ssh: { from: "203.0.113.7/32" },
      domains: {
        "a.example": {
          since: "2026-11-21",
          mailboxes: { ann: {} },
          aliases: { info: "anything" },
          catchAll: "ann",
        },
      },
    },
    {},
  );
  const info = senderLogins(over).find(({ address }) => address === "info@a.example");
  assert.deepEqual(info?.logins, ["ann@a.example"]);
});

it("all mail to the machine's own names ends at the owner", () => {
  const table = new Map(localAliases(settings).map(({ name, to }) => [name, to]));
  assert.deepEqual(table.get("root"), ["info@a.example"]);
  for (const name of ["postmaster", "abuse", "admin", "mailer-daemon"])
    assert.deepEqual(table.get(name), ["root"]);
});
