import assert from "node:assert/strict";
import { it } from "node:test";
import { aliases } from "../../../plan/services/aliases.ts";
import { sampleSettings } from "./sample.ts";

const bundle = aliases(sampleSettings());
const lines = (path: string) =>
  bundle.files
    .find((file) => file.path === path)
    ?.content.split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(/ +/, " "));

it("the mail domains are listed, the host's own name is not one", () => {
  assert.deepEqual(lines("/etc/postfix/domains"), ["example.org here", "example.com here"]);
});

it("aliases, roles, catch-alls and the host's own names lead on", () => {
  assert.deepEqual(lines("/etc/postfix/aliases"), [
    "info@example.org ann@example.org, bob@example.org",
    "away@example.org friend@elsewhere.example",
    "postmaster@example.org ann@example.org",
    "abuse@example.org ann@example.org",
    "dmarc@example.org reports@mail.example.org",
    "tls-reports@example.org reports@mail.example.org",
    "sales@example.com bob@example.org",
    "postmaster@example.com ann@example.org",
    "abuse@example.com ann@example.org",
    "dmarc@example.com reports@mail.example.org",
    "tls-reports@example.com reports@mail.example.org",
    "@example.com carol@example.com",
    "root ann@example.org",
    "admin root",
    "postmaster root",
    "abuse root",
    "mailer-daemon root",
    "nobody root",
  ]);
});

it("logins of aliases are listed without the mailboxes' own addresses, which another bundle has", () => {
  const logins = lines("/etc/postfix/alias-logins");
  assert.ok(logins?.includes("info@example.org ann@example.org, bob@example.org"));
  assert.ok(logins?.includes("@example.com carol@example.com"));
  assert.ok(logins?.includes("away@example.org nobody"));
  assert.ok(!logins?.some((line) => /^(ann|bob|carol)@/.test(line)));
});

it("each table is compiled when it changed or its compiled form is missing", () => {
  assert.deepEqual(
    bundle.derivations,
    bundle.files.map(({ path }) => ({
      command: `postmap lmdb:${path}`,
      on: [path],
      makes: [`${path}.lmdb`],
    })),
  );
  assert.deepEqual(bundle.units, []);
});
