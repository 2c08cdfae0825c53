import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import { tlsKeys } from "../../plan/tlsKey.ts";
import { rotate, type Seen } from "../../plan/turns.ts";
import { noSecrets } from "../noSecrets.ts";
import { allSeen } from "../plan/seen.ts";
import { settingsWith } from "./settings.ts";

const day = 86_400_000;
const began = Date.parse("2026-11-21T09:00:00Z");
const name = "_25._tcp.mail.example.org";

function turns(keys: Readonly<Record<string, unknown>>, seen: Seen = allSeen) {
  const settings = settingsWith(keys);
  const at = (days: number, before: KeyRotation) =>
    rotate(settings, before, new Date(began + days * day), seen);
  const shown = (rotation: KeyRotation) =>
    tlsKeys(settings, rotation).map(({ generation, state }) => `${generation} ${state}`);
  return { settings, at, shown };
}

it("tlsKey: the next key is there from the first run on, and is used after a year", () => {
  const { at, shown } = turns({});
  const first = at(0, {});
  assert.deepEqual(shown(first), ["20261121 signing", "20261121b published"]);
  const seen = at(1, first);
  assert.deepEqual(shown(at(364, seen)), ["20261121 signing", "20261121b published"]);
  const turned = at(365, seen);
  assert.deepEqual(shown(turned), ["20261121 retired", "20261121b signing", "20271121 published"]);
  assert.deepEqual(shown(at(372, turned)), ["20261121b signing", "20271121 published"]);
});

it("tlsKey: a key whose certificate has not been replaced yet keeps its record, however long that takes", () => {
  // As where the ACME server gives none.
  const { at, shown } = turns({}, { isSeen: () => true, isUnused: () => false });
  const turned = at(365, at(1, at(0, {})));
  assert.deepEqual(shown(at(500, turned)), ["20261121 retired", "20261121b signing", "20271121 published"]);
});

it("tlsKey: the host has the one in use alone, and a request that is another one with each", () => {
  const { settings, at } = turns({ tlsKey: { rotateDays: 30 } });
  const parts = (rotation: KeyRotation) => {
    const bundles = hostBundles(settings, rotation);
    const request = bundles
      .flatMap(({ files }) => files)
      .find(({ path }) => path === "/etc/mailhost/certificate.conf");
    const tls = bundles.find((bundle) => bundle.name === "tls");
    const keys = tls?.secretFiles.map(({ path, content }) => [
      path,
      content({
        ...noSecrets,
        tlsKeys: { "tls-20261121": "first", "tls-20261121b": "second" },
      }),
    ]);
    return { key: /^KEY=.*$/m.exec(request?.content ?? "")?.[0], keys };
  };
  const before = at(1, at(0, {}));
  assert.deepEqual(parts(before), {
    key: "KEY=tls-20261121",
    keys: [["/etc/mailhost/tls/privkey.pem", "first"]],
  });
  assert.deepEqual(parts(at(30, before)), {
    key: "KEY=tls-20261121b",
    keys: [["/etc/mailhost/tls/privkey.pem", "second"]],
  });
});

it("tlsKey: one that leaked goes at once, and its record when the host shows another", () => {
  const { at } = turns({});
  const before = at(1, at(0, {}));
  const revoking = turns({ tlsKey: { revoked: ["20261121"] } });
  const unswitched = turns(
    { tlsKey: { revoked: ["20261121"] } },
    { isSeen: () => true, isUnused: () => false },
  );
  const turned = revoking.at(2, before);
  assert.deepEqual(revoking.shown(turned), ["20261121 retired", "20261121b signing", "20261123 published"]);
  assert.deepEqual(revoking.shown(unswitched.at(2, turned)), revoking.shown(turned));
  assert.deepEqual(revoking.shown(revoking.at(2, turned)), [
    "20261121 revoked",
    "20261121b signing",
    "20261123 published",
  ]);
  assert.throws(() => settingsWith({ tlsKey: { revoked: ["20261121r"] } }), /is no key's name/);
  assert.equal(turned[name]?.length, 3);
});
