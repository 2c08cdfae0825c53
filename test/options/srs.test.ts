import assert from "node:assert/strict";
import { it } from "node:test";
import { secretsDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const bundleOf = (name: string, keys: Readonly<Record<string, unknown>> = {}) =>
  hostBundles(settingsWith(keys)).find((bundle) => bundle.name === name);
const text = (path: string, keys: Readonly<Record<string, unknown>> = {}) =>
  bundleOf("postfix", keys)?.files.find((file) => file.path === path)?.content ?? "";

it("srs: off it is absent", () => {
  assert.equal(bundleOf("srs", { srs: false }), undefined);
  assert.equal(text("/etc/postfix/sender-transports", { srs: false }), "");
  for (const path of ["/etc/postfix/main.cf", "/etc/postfix/master.cf"]) {
    assert.doesNotMatch(text(path, { srs: false }), /10002|10026|sender-transports|forward-cleanup/);
  }
});

it("srs: on, what leaves with a sender that is not ours goes around through the rewriting service", () => {
  assert.match(
    text("/etc/postfix/main.cf"),
    /^sender_dependent_default_transport_maps = pcre:\S+transports$/m,
  );
  assert.match(text("/etc/postfix/master.cf"), /^127\.0\.0\.1:10026 inet[\s\S]*?permit_mynetworks,reject$/m);
  const lines = text("/etc/postfix/sender-transports")
    .split("\n")
    .filter((line) => line.startsWith("/"));
  const way = (sender: string) =>
    lines
      .map((line) => /^\/(.*)\/ {2}(.*)$/.exec(line) ?? assert.fail(line))
      .find(([, pattern = ""]) => new RegExp(pattern, "i").test(sender))?.[2];
  assert.equal(way("ann@example.org"), "DUNNO");
  assert.equal(way("SRS0=abcdef=JK=example.net=zoe@Mail.Example.org"), "DUNNO");
  assert.equal(way("zoe@example.net"), "forward:[127.0.0.1]:10026");
  assert.equal(way("zoe@mailXexample.org"), "forward:[127.0.0.1]:10026");
  assert.equal(way("zoe@sub.example.org"), "forward:[127.0.0.1]:10026");
  assert.equal(way(""), undefined);
});

it("srs: its secret is made once, goes into a secret file alone, and restarts the daemon that reads it", () => {
  const bundle = bundleOf("srs") ?? assert.fail();
  assert.deepEqual(bundle.generates, ["srs"]);
  const secrets = { ...noSecrets, generated: { srs: "x".repeat(32) } };
  const document = secretsDocument(bundle, secrets) ?? "";
  assert.match(document, /^=== \/etc\/postsrsd\.secret root:root 0600\nx{32}$/m);
  assert.match(document, /^unit: postsrsd\.service restart=\/etc\/postsrsd\.secret$/m);
});
