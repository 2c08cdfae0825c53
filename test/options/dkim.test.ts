import assert from "node:assert/strict";
import { it } from "node:test";
import { dkimSelectors } from "../../plan/dkim.ts";
import { recordContent } from "../../plan/facts.ts";
import { hostBundles } from "../../plan/host.ts";
import { dnsRecords } from "../../plan/records.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import { rotate } from "../../plan/turns.ts";
import { allSeen, nothingSeen } from "../plan/seen.ts";
import { settingsWith } from "./settings.ts";

const day = 86_400_000;
const began = Date.parse("2026-11-21T09:00:00Z");

function keyRecords(dkim: object, rotation: KeyRotation, today = "2026-11-21"): string[] {
  const settings = settingsWith({ dkim });
  const keys = dkimSelectors(settings, rotation);
  const publicKeys = Object.fromEntries(keys.map(({ name }) => [name, "KEY"]));
  return dnsRecords(settings, today, rotation)
    .filter(({ name }) => name.endsWith("._domainkey.example.org"))
    .map((record) => `${record.name} ${recordContent(record, { publicIpv4: "", publicKeys })}`);
}

it("dkim: the next pair is published from the first run on, and is no business of the host's yet", () => {
  const settings = settingsWith({});
  const rotation = rotate(settings, {}, new Date(began), nothingSeen);
  assert.deepEqual(keyRecords({}, rotation), [
    "20261121r._domainkey.example.org v=DKIM1; h=sha256; k=rsa; p=KEY",
    "20261121e._domainkey.example.org v=DKIM1; h=sha256; k=ed25519; p=KEY",
    "20261121br._domainkey.example.org v=DKIM1; h=sha256; k=rsa; p=KEY",
    "20261121be._domainkey.example.org v=DKIM1; h=sha256; k=ed25519; p=KEY",
  ]);
  const onHost = JSON.stringify(hostBundles(settings, rotation).find(({ name }) => name === "rspamd"));
  assert.match(onHost, /20261121r/);
  assert.doesNotMatch(onHost, /20261121b/);
});

it("dkim: after the days of the stack file the host signs with the next one", () => {
  const settings = settingsWith({ dkim: { rotateDays: 30 } });
  const at = (days: number, before: KeyRotation) =>
    rotate(settings, before, new Date(began + days * day), allSeen);
  const after = at(30, at(1, at(0, {})));
  assert.deepEqual(
    dkimSelectors(settings, after)
      .filter(({ domain, algorithm }) => domain === "example.org" && algorithm === "rsa")
      .map(({ selector, state }) => `${selector} ${state}`),
    ["20261121r retired", "20261121br signing", "20261221r published"],
  );
  const signing = hostBundles(settings, after)
    .flatMap(({ files }) => files)
    .find(({ path }) => path === "/etc/rspamd/local.d/dkim_signing.conf")?.content;
  assert.match(signing ?? "", /selector = "20261121br"/);
  assert.doesNotMatch(signing ?? "", /selector = "20261121r"/);
});

it("dkim: a revoked key's record is there and has no key", () => {
  const rotation: KeyRotation = {
    "example.org": [
      { generation: "20261121", state: "revoked", since: "2026-12-01T00:00:00Z" },
      { generation: "20261121b", state: "signing", since: "2026-12-01T00:00:00Z" },
    ],
  };
  assert.deepEqual(keyRecords({}, rotation).slice(0, 2), [
    "20261121r._domainkey.example.org v=DKIM1; h=sha256; k=rsa; p=",
    "20261121e._domainkey.example.org v=DKIM1; h=sha256; k=ed25519; p=",
  ]);
});

it("dkim: t=y while the domain is new, and only where the stack file says so", () => {
  const isTested = (dkim: object, today: string) =>
    keyRecords(dkim, {}, today).every((line) => / k=\w+; t=y; p=KEY$/.test(line));
  assert.deepEqual(
    [
      isTested({ testing: true }, "2026-11-21"),
      isTested({ testing: true }, "2026-12-06"),
      isTested({}, "2026-11-21"),
    ],
    [true, false, false],
  );
});

it("dkim: what would leave mail on its way without its key is refused", () => {
  assert.throws(
    () => settingsWith({ queue: { days: 14 }, dkim: { overlapDays: 14 } }),
    /mailhost:dkim\.overlapDays.*write 15 at least/,
  );
  for (const dkim of [
    { overlapDays: 3 },
    { rotateDays: 1 },
    { revoked: ["2026-11-21"] },
    { revoked: ["20261121r"] },
  ])
    assert.throws(() => settingsWith({ dkim }), /mailhost:dkim/);
});
