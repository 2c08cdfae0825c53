import assert from "node:assert/strict";
import { it } from "node:test";
import { recordContent } from "../../plan/facts.ts";
import { makePlan } from "../../plan/plan.ts";
import type { KeyRotation } from "../../plan/rotation.ts";
import { rotate } from "../../plan/turns.ts";
import { nothingSeen } from "../plan/seen.ts";
import { settingsWith } from "./settings.ts";

const today = "2026-11-21";

function planned(
  keys: Readonly<Record<string, unknown>>,
  rotation: KeyRotation = rotate(settingsWith(keys), {}, new Date(today), nothingSeen),
) {
  const { records, inbound, first } = makePlan(settingsWith(keys), { today, rotation, ramps: {} });
  const isOurs = ({ type }: { readonly type: string }) => type === "TLSA";
  assert.ok(!first.some(isOurs), "they come when the host is there");
  assert.deepEqual(inbound.filter(isOurs), records.filter(isOurs));
  return records.filter(isOurs);
}

it("dane: off there are no such records", () => {
  assert.deepEqual(planned({ dane: false }), []);
});

it("dane: by default the key in use and the next one have theirs", () => {
  const publicKeys = { "tls-20261121": "AA", "tls-20261121b": "BB" };
  assert.deepEqual(
    planned({}).map((record) => [
      record.name,
      record.zone,
      record.label,
      recordContent(record, { publicIpv4: "", publicKeys }),
    ]),
    [
      ["_25._tcp.mail.example.org", "example.org", "20261121", "3 1 1 AA"],
      ["_25._tcp.mail.example.org", "example.org", "20261121b", "3 1 1 BB"],
    ],
  );
});

it("dane: what was used stays for a while, what is void has none", () => {
  const since = "2026-11-21T00:00:00Z";
  const rotation: KeyRotation = {
    "_25._tcp.mail.example.org": [
      { generation: "20260101", state: "revoked", since },
      { generation: "20260102", state: "retired", since },
      { generation: "20260103", state: "signing", since },
    ],
  };
  assert.deepEqual(
    planned({}, rotation).map(({ label }) => label),
    ["20260102", "20260103"],
  );
});
