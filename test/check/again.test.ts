import assert from "node:assert/strict";
import { test } from "node:test";
import { applyAgain } from "../../check/again.ts";
import { hostBundles } from "../../plan/host.ts";
import { settings, target } from "./fixtures.ts";

const urn = (stack: string, name: string) =>
  `'urn:pulumi:${stack}::mailhost::mailhost:host:Host$mailhost:host:HostBundle$command:remote:Command::${name}'`;

test("a bundle is applied again by its resource, its secrets by theirs", () => {
  const bundles = hostBundles(settings);
  assert.equal(
    applyAgain(target({ bundles }), "accounts.secrets", "postfix"),
    `\`pulumi up --replace ${urn("dev", "host-accounts-secrets")} --replace ${urn("dev", "host-postfix-files")}\``,
  );
});

test("a bundle that could lock out comes with its two proofs; a stack's owner is no part of a URN", () => {
  assert.equal(
    applyAgain(target({ stack: "ann/mailhost/prod", bundles: hostBundles(settings) }), "nftables"),
    `\`pulumi up ${["files", "confirm", "confirmed"].map((part) => `--replace ${urn("prod", `host-nftables-${part}`)}`).join(" ")}\``,
  );
});
