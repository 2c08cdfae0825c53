/** Sets at a real nameserver that takes updates, of which some are somebody else's. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { publishSet, refuseForeignSet, type WantedSet, withdrawSet } from "../../components/dns/recordSet.ts";
import { type Primary, startPrimary } from "../primary.ts";

const zone = "example.org";
let primary: Primary;
before(async () => {
  primary = await startPrimary({ [zone]: [] });
});
after(() => primary.close());

function wanted(more: Partial<WantedSet>): WantedSet {
  const { server, port, key: name, algorithm } = primary;
  const place = { server, port, key: { name, algorithm }, zone, name: zone, type: "TXT", ttl: 300 } as const;
  return { ...place, values: [], hasOtherAddresses: false, ...more };
}

const publish = (set: WantedSet, before: readonly string[] = []) => publishSet(set, before, primary.secret);
const withdraw = (set: WantedSet, before: readonly string[]) => withdrawSet(set, before, primary.secret);

/** Everything at a name. */
async function at(name: string): Promise<readonly string[]> {
  return (await primary.records(zone))
    .filter((line) => line.startsWith(`${name}. `) && !line.includes(" NS "))
    .map((line) => line.slice(name.length + 2));
}

test("a run that died after its update is taken up where it was, and one too many changes nothing", async () => {
  const set = wanted({ name: `a.${zone}`, type: "A", values: ["192.0.2.1", "192.0.2.2"] });
  await publish(set);
  await publish(set);
  assert.deepEqual(await at(set.name), ["300 A 192.0.2.1", "300 A 192.0.2.2"]);
  // The next one knows nothing of either.
  await publish({ ...set, values: ["192.0.2.2", "192.0.2.3"] }, set.values);
  await publish({ ...set, values: ["192.0.2.2", "192.0.2.3"] }, set.values);
  assert.deepEqual(await at(set.name), ["300 A 192.0.2.2", "300 A 192.0.2.3"]);
  await withdraw(set, ["192.0.2.2", "192.0.2.3"]);
  await withdraw(set, ["192.0.2.2", "192.0.2.3"]);
  assert.deepEqual(await at(set.name), []);
});

test("what is foreign and contradicts nothing keeps its time to live, and ours takes that", async () => {
  await primary.set(zone, zone, 7200, "TXT", '"some-site-verification=1"');
  const set = wanted({ values: ["v=spf1 mx -all"] });
  await publish(set);
  assert.deepEqual(await at(zone), ['7200 TXT "some-site-verification=1"', '7200 TXT "v=spf1 mx -all"']);
  await publish({ ...set, ttl: 3600, values: ["v=spf1 a -all"] }, set.values);
  assert.deepEqual(await at(zone), ['7200 TXT "some-site-verification=1"', '7200 TXT "v=spf1 a -all"']);
  await withdraw(set, ["v=spf1 a -all"]);
  assert.deepEqual(await at(zone), ['7200 TXT "some-site-verification=1"']);
});

test("a lone set gets its new time to live", async () => {
  const set = wanted({ name: `ttl.${zone}`, values: ["v=spf1 -all"] });
  await publish(set);
  await publish({ ...set, ttl: 3600 }, set.values);
  assert.deepEqual(await at(set.name), ['3600 TXT "v=spf1 -all"']);
});

test("what is foreign and contradicts is refused, named, and stays: of the same type, an alias, the other kind of address", async () => {
  const name = `mail.${zone}`;
  const a = wanted({ name, type: "A", values: ["192.0.2.25"] });
  for (const [type, rdata, shown] of [
    ["A", "192.0.2.9", "192.0.2.9"],
    ["AAAA", "2001:db8::9", "2001:db8::9"],
    ["CNAME", "elsewhere.example.", "elsewhere.example"],
  ] as const) {
    await primary.set(zone, name, 60, type, rdata);
    const refusal = new RegExp(
      `^Error: The zone already has a record where mail\\.example\\.org A is to be; nothing was overwritten\\.\n  mail\\.example\\.org ${type} ${shown}\n    delete it at 127\\.0\\.0\\.1`,
    );
    await assert.rejects(publish(a), refusal);
    // In the preview before the first `up` the address is unknown.
    await assert.rejects(refuseForeignSet({ ...a, values: [] }, [], primary.secret), refusal);
    assert.deepEqual(await at(name), [`60 ${type} ${rdata}`]);
    await primary.unset(zone, name, type, rdata);
  }
  await primary.set(zone, name, 60, "AAAA", "2001:db8::25");
  await publish({ ...a, hasOtherAddresses: true });
  assert.deepEqual(await at(name), ["300 A 192.0.2.25", "60 AAAA 2001:db8::25"]);
});

test("a wildcard's answer is nothing that stands at the name", async () => {
  await primary.set(zone, `*.wild.${zone}`, 60, "A", "192.0.2.80");
  const set = wanted({ name: `mail.wild.${zone}`, type: "A", values: ["192.0.2.25"] });
  await publish(set);
  assert.deepEqual(await at(set.name), ["300 A 192.0.2.25"]);
});

test("a server that has no such zone is said not to be responsible for it", async () => {
  await assert.rejects(
    publish(wanted({ zone: "example.com", name: "example.com", values: ["v=spf1 -all"] })),
    /127\.0\.0\.1 is not responsible for example\.com/,
  );
});
