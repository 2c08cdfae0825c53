import assert from "node:assert/strict";
import { it } from "node:test";
import { secretsDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const bundleOf = (keys: Readonly<Record<string, unknown>>) =>
  hostBundles(settingsWith(keys)).find(({ name }) => name === "rspamd-page");

it("rspamdPage: off it is absent, and so it is by default", () => {
  assert.equal(bundleOf({}), undefined);
  assert.equal(bundleOf({ rspamdPage: false }), undefined);
});

it("rspamdPage: on, it listens on the inside alone, and everybody is asked for a generated password", () => {
  const bundle = bundleOf({ rspamdPage: true }) ?? assert.fail();
  assert.deepEqual(bundle.generates, ["rspamd-page"]);
  assert.deepEqual(bundle.ports, []);
  const secrets = {
    ...noSecrets,
    generated: { "rspamd-page": "p".repeat(32) },
  };
  const document = secretsDocument(bundle, secrets) ?? "";
  assert.match(document, /^=== \/etc\/rspamd\/override\.d\/worker-controller\.inc root:_rspamd 0640$/m);
  assert.deepEqual(document.match(/^bind_socket = .*$/gm), [
    'bind_socket = "/run/rspamd/controller.sock mode=0600 owner=_rspamd";',
    'bind_socket = "127.0.0.1:11334";',
  ]);
  assert.match(document, /^secure_ip = \[\];$/m);
  assert.deepEqual(document.match(/p{32}/g)?.length, 2);
});
