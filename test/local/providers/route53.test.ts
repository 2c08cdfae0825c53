/** Record sets of Route 53: as the official provider treats them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bench } from "./bench.ts";

const type = "aws:route53/record:Record";

async function inZone(test: Parameters<typeof bench>[0]) {
  const self = await bench(test);
  const { result } = await self.client.invoke("aws:route53/getZone:getZone", { name: "example.info" });
  const zoneId = String(result.zoneId);
  const served = (name: string, kind: string) =>
    (self.world.records.get(`${name} ${kind}`) ?? []).map(({ ttl, rdata }) => `${ttl} ${rdata}`);
  return { ...self, zoneId, served };
}

test("sets are made, served, unchanged by a refresh, changed and deleted", async (t) => {
  const { zoneId, make, changes, refresh, update, client, served } = await inZone(t);
  const key = `${"k".repeat(255)}" "${"k".repeat(45)}`;
  const made = [
    await make(type, { zoneId, name: "mail.example.info", type: "A", ttl: 300, records: ["192.0.2.1"] }),
    await make(type, { zoneId, name: "k._domainkey.example.info", type: "TXT", ttl: 300, records: [key] }),
    await make(type, {
      zoneId,
      name: "*._domainkey.example.info",
      type: "TXT",
      ttl: 300,
      records: ["v=DKIM1; p="],
    }),
    await make(type, {
      zoneId,
      name: "example.info",
      type: "MX",
      ttl: 300,
      records: ["20 b.example.info.", "10 a.example.info."],
    }),
  ];
  assert.deepEqual(served("k._domainkey.example.info", "TXT"), [`300 "${key}"`]);
  assert.deepEqual(served("*._domainkey.example.info", "TXT"), ['300 "v=DKIM1; p="']);
  for (const each of made) assert.deepEqual(await refresh(type, each), {}, each.id);
  const [, , , mx = assert.fail()] = made;
  assert.deepEqual(
    await changes(type, mx, { ...mx.inputs, records: ["10 a.example.info.", "20 b.example.info."] }),
    {},
  );
  await update(type, mx, { ...mx.inputs, ttl: 3600, records: ["10 a.example.info."] });
  assert.deepEqual(served("example.info", "MX"), ["3600 10 a.example.info."]);
  for (const { id, state } of made) await client.delete(type, id, state);
  for (const { id, state } of made) await client.delete(type, id, state);
  assert.deepEqual(served("k._domainkey.example.info", "TXT"), []);
});

test("what is there already is not overwritten, unless that is asked for", async (t) => {
  const { zoneId, make, served } = await inZone(t);
  const set = { zoneId, name: "example.info", type: "TXT", ttl: 300 };
  await make(type, { ...set, records: ["one"] });
  await assert.rejects(
    make(type, { ...set, records: ["two"] }),
    /operation error Route 53: ChangeResourceRecordSets, api error InvalidChangeBatch: \[Tried to create resource record set \[name='example\.info\.', type='TXT'\] but it already exists\]/,
  );
  assert.deepEqual(served("example.info", "TXT"), ['300 "one"']);
  await make(type, { ...set, records: ["two"], allowOverwrite: true });
  assert.deepEqual(served("example.info", "TXT"), ['300 "two"']);
});

test("what Route 53 takes no is refused in its words, and nothing of the batch is done", async (t) => {
  const { zoneId, call, served } = await inZone(t);
  const set = (name: string, kind: string, ...values: readonly string[]) => ({
    Name: name,
    Type: kind,
    TTL: 60,
    ResourceRecords: values.map((Value) => ({ Value })),
  });
  const batch = (...changes: readonly (readonly [string, object])[]) =>
    call("ChangeResourceRecordSets", {
      HostedZoneId: zoneId,
      ChangeBatch: { Changes: changes.map(([Action, ResourceRecordSet]) => ({ Action, ResourceRecordSet })) },
    });
  const a = set("a.example.info", "A", "192.0.2.1");
  await assert.rejects(batch(["CREATE", a], ["CREATE", a]), /already exists/);
  assert.deepEqual(served("a.example.info", "A"), []);
  await batch(["CREATE", a]);
  for (const [change, words] of [
    [["DELETE", set("a.example.info", "A", "192.0.2.2")], /values provided do not match/],
    [["DELETE", set("b.example.info", "A", "192.0.2.2")], /but it was not found/],
    [["CREATE", set("a.example.info", "CNAME", "b.example.")], /conflicting RRSet/],
    [["CREATE", set("a.example.org", "A", "192.0.2.1")], /not permitted in zone example\.info/],
    [["CREATE", set("t.example.info", "TXT", "bare")], /InvalidCharacterString/],
    [["CREATE", set("t.example.info", "TXT", `"${"x".repeat(256)}"`)], /CharacterStringTooLong/],
  ] as const)
    await assert.rejects(batch(change), words);
  await assert.rejects(
    call("ListResourceRecordSets", { HostedZoneId: "Z0" }),
    /No hosted zone found with ID: Z0/,
  );
});

test("a zone's sets are listed as the API writes them: with a last dot, and an escaped star", async (t) => {
  const { zoneId, make, client } = await inZone(t);
  await make(type, { zoneId, name: "*.old.example.info", type: "TXT", ttl: 60, records: ["one", "two"] });
  const { result } = await client.invoke("aws:route53/getRecords:getRecords", { zoneId });
  assert.deepEqual(result.resourceRecordSets, [
    {
      name: "\\052.old.example.info.",
      type: "TXT",
      ttl: 60,
      resourceRecords: [{ value: '"one"' }, { value: '"two"' }],
    },
  ]);
});

test("a zone that the account has not is not found", async (t) => {
  const { client } = await inZone(t);
  await assert.rejects(
    client.invoke("aws:route53/getZone:getZone", { name: "example.org" }),
    /no matching Route 53 Hosted Zone found/,
  );
});
