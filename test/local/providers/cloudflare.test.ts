import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { provider } from "../../../local/providers/cloudflare/provider.ts";
import type { Properties } from "../../../local/providers/framework.ts";
import { UNKNOWN } from "../../../local/providers/framework.ts";
import { startFakeCloud } from "../fake-cloud.ts";
import { connect, type Refused } from "./client.ts";

const record = "cloudflare:index/dnsRecord:DnsRecord";

async function bench(context: TestContext) {
  const cloud = await startFakeCloud(context);
  const client = await connect(provider);
  context.after(() => client.close());
  const { result } = await client.invoke("cloudflare:index/getZone:getZone", {
    filter: { name: "example.org" },
  });
  const zoneId = String(result.zoneId);
  const make = async (given: Properties) => {
    const { inputs, failures } = await client.check(record, { zoneId, ttl: 300, proxied: false, ...given });
    assert.deepEqual(failures, []);
    const { id, properties } = await client.create(record, inputs);
    return { id, inputs, state: properties };
  };
  type Made = Awaited<ReturnType<typeof make>>;
  return {
    ...cloud,
    client,
    zoneId,
    make,
    async refresh({ id, inputs, state }: Made) {
      const found = await client.read(record, id, state, inputs);
      return found.id === ""
        ? "gone"
        : (await client.diff(record, found.inputs, inputs, found.properties)).changes;
    },
    async changes(made: Made, news: Properties) {
      const { inputs } = await client.check(record, { ...made.inputs, ...news }, made.inputs);
      return (await client.diff(record, made.inputs, inputs, made.state)).changes;
    },
    /** By hand, past the stack. */
    async byHand(method: string, path: string, body?: object) {
      await fetch(`${cloud.cloudflareUrl}/zones/${zoneId}${path}`, {
        method,
        headers: { authorization: `Bearer ${cloud.cloudflareToken}` },
        ...(body && { body: JSON.stringify(body) }),
      });
    },
  };
}

const a = { type: "A", name: "mail.example.org", content: "198.51.100.10", comment: "mailhost: the host" };

test("records are made, unchanged by a refresh, and deleted, twice if need be", async (context) => {
  const { make, refresh, client, world } = await bench(context);
  const made = [
    await make(a),
    await make({ type: "MX", name: "example.org", content: "mail.example.org", priority: 10 }),
    await make({ type: "TXT", name: "example.org", content: '"v=spf1 mx -all"' }),
    await make({
      type: "TXT",
      name: "k._domainkey.example.org",
      content: `"${"k".repeat(255)}" "${"k".repeat(45)}"`,
    }),
    await make({
      type: "CAA",
      name: "example.org",
      data: { flags: 0, tag: "issue", value: "letsencrypt.org" },
    }),
    await make({
      type: "TLSA",
      name: "_25._tcp.mail.example.org",
      data: { usage: 3, selector: 1, matchingType: 1, certificate: "AB".repeat(32) },
    }),
    await make({ type: "A", name: "www", content: "198.51.100.11" }),
  ];
  for (const each of made) assert.deepEqual(await refresh(each), {}, String(each.inputs.name));
  for (const each of made) {
    await client.delete(record, each.id, each.state);
    assert.equal(await refresh(each), "gone");
    await client.delete(record, each.id, each.state);
  }
  assert.equal(world.records.size, 0);
});

test("one long unquoted string is a permanent difference, as with the official provider", async (context) => {
  const { make, refresh } = await bench(context);
  const made = await make({ type: "TXT", name: "long.example.org", content: "k".repeat(300) });
  assert.deepEqual(await refresh(made), { content: "update" });
});

test("type and zone replace; everything else is updated", async (context) => {
  const { make, changes, client } = await bench(context);
  const made = await make(a);
  assert.deepEqual(await changes(made, { type: "TXT" }), { type: "update-replace" });
  assert.deepEqual(await changes(made, { zoneId: "0".repeat(32) }), { zoneId: "update-replace" });
  assert.deepEqual(await changes(made, { name: "mx.example.org", ttl: 600 }), {
    name: "update",
    ttl: "update",
  });
  assert.deepEqual(await changes(made, { name: "Mail.example.org", type: "a" }), {});
  const state = await client.update(record, made.id, made.state, made.inputs, { ...made.inputs, ttl: 600 });
  assert.equal(state.ttl, 600);
});

test("drift shows: a record edited or deleted by hand", async (context) => {
  const { make, refresh, byHand } = await bench(context);
  const made = await make(a);
  await byHand("PATCH", `/dns_records/${made.id}`, { content: "203.0.113.66", comment: "mine" });
  assert.deepEqual(await refresh(made), { content: "update", comment: "update" });
  await byHand("DELETE", `/dns_records/${made.id}`);
  assert.equal(await refresh(made), "gone");
});

test("a record that is there already is refused with Cloudflare's code, and imported by its ids", async (context) => {
  const { make, client, byHand, zoneId } = await bench(context);
  await byHand("POST", "/dns_records", { type: "A", name: "mail", content: "198.51.100.10" });
  await assert.rejects(make(a), (error: Refused) =>
    /An identical record already exists\. \(81058\)/.test(error.message),
  );
  const { result } = await client.invoke("cloudflare:index/getDnsRecords:getDnsRecords", {
    zoneId,
    name: { exact: "mail.example.org" },
  });
  const [found] = result.results as readonly Properties[];
  const imported = await client.read(record, `${zoneId}/${String(found?.id)}`);
  assert.equal(imported.id, found?.id);
  assert.deepEqual(imported.inputs, {
    zoneId,
    name: "mail.example.org",
    type: "A",
    ttl: 1,
    content: "198.51.100.10",
    proxied: false,
  });
  await assert.rejects(client.read(record, String(found?.id)), /import it as <zone_id>\/<dns_record_id>/);
});

test("a run that was killed after the API's answer finds its record", async (context) => {
  const { make } = await bench(context);
  const first = await make(a);
  assert.equal((await make(a)).id, first.id);
});

test("what is wrong is said before anything is asked", async (context) => {
  const { client } = await bench(context);
  const mistakes = async (given: Properties) =>
    (await client.check(record, { zoneId: "z", ttl: 300, ...a, ...given })).failures
      .map((failure) => failure.reason)
      .join("\n");
  assert.match(await mistakes({ ttl: undefined }), /"ttl" is required/);
  assert.match(await mistakes({ proxied: true }), /ttl must be set to 1/);
  assert.match(await mistakes({ type: "MAIL" }), /type value must be one of/);
  assert.match(await mistakes({ priority: 70000 }), /between 0 and 65535/);
  assert.match(await mistakes({ value: "x" }), /Invalid or unknown key/);
  assert.match(await mistakes({ data: { flags: 0 } }), /conflicts with data/);
  assert.equal(await mistakes({ zoneId: UNKNOWN, content: UNKNOWN, name: UNKNOWN }), "");
});

test("zones: one or a clear error", async (context) => {
  const { client, zoneId } = await bench(context);
  const zone = (args: Properties) =>
    client.invoke("cloudflare:index/getZone:getZone", args).then(({ result }) => result);
  assert.equal((await zone({ zoneId })).name, "example.org");
  await assert.rejects(
    zone({ filter: { name: "example.net" } }),
    /no zone fits .*is the domain in this Cloudflare account/,
  );
  const { result } = await client.invoke("cloudflare:index/getZones:getZones", {});
  assert.equal((result.results as readonly Properties[]).length, 2);
});

test("Workers of an account, where the token has the right to them", async (context) => {
  const { client, cloudflare } = await bench(context);
  const invoke = () =>
    client.invoke("cloudflare:index/getWorkersScripts:getWorkersScripts", {
      accountId: "023e105f4ecef8ad9ca31a8372d0c353",
    });
  assert.deepEqual((await invoke()).result.results, []);
  cloudflare.setSwitches({ workers: false });
  await assert.rejects(invoke(), /10000.*Authentication error|Authentication error.*10000/);
});

test("DNSSEC of a zone", async (context) => {
  const { client, zoneId, world } = await bench(context);
  const type = "cloudflare:index/zoneDnssec:ZoneDnssec";
  world.records.set("example.org DS", [
    { name: "example.org", type: "DS", ttl: 60, rdata: "2371 13 2 AB12" },
  ]);
  const { inputs } = await client.check(type, { zoneId, status: "active" });
  const made = await client.create(type, inputs);
  assert.deepEqual([made.id, made.properties.keyTag, made.properties.status], [zoneId, 2371, "active"]);
});

test("a person's own token is not handed to the local cloud", async (context) => {
  const { client, cloudflareUrl } = await bench(context);
  process.env.CLOUDFLARE_API_TOKEN = "a real one";
  try {
    await client.invoke("cloudflare:index/getZones:getZones", {});
    process.env.CLOUDFLARE_BASE_URL = cloudflareUrl;
    await assert.rejects(
      client.invoke("cloudflare:index/getZones:getZones", {}),
      /Invalid request headers \(6003\)/,
    );
  } finally {
    delete process.env.CLOUDFLARE_API_TOKEN;
    delete process.env.CLOUDFLARE_BASE_URL;
  }
});

test("a Worker's script and a custom domain: made, unchanged by a refresh, changed, and deleted twice", async (context) => {
  const { client, zoneId, world } = await bench(context);
  const script = "cloudflare:index/workersScript:WorkersScript";
  const domain = "cloudflare:index/workersCustomDomain:WorkersCustomDomain";
  const accountId = "023e105f4ecef8ad9ca31a8372d0c353";
  const content = 'export default { fetch: () => new Response("grüß dich") };';
  const given = {
    [script]: {
      accountId,
      scriptName: "web",
      content,
      mainModule: "worker.js",
      compatibilityDate: "2026-09-01",
    },
    [domain]: { accountId, zoneId, hostname: "www.example.org", service: "web" },
  };
  const made: { type: string; id: string; inputs: Properties; state: Properties }[] = [];
  for (const [type, wanted] of Object.entries(given)) {
    const { inputs, failures } = await client.check(type, wanted);
    assert.deepEqual(failures, []);
    const { id, properties } = await client.create(type, inputs);
    made.push({ type, id, inputs, state: properties });
    const found = await client.read(type, id, properties, inputs);
    assert.deepEqual((await client.diff(type, found.inputs, inputs, found.properties)).changes, {});
    const imported = await client.read(type, `${accountId}/${id}`, {}, {});
    assert.deepEqual((await client.diff(type, imported.inputs, inputs, imported.properties)).changes, {});
  }
  assert.deepEqual(world.scripts, { "www.example.org": content });

  const [first = assert.fail()] = made;
  const next = { ...first.inputs, content: content.replace("dich", "euch") };
  assert.deepEqual((await client.diff(script, first.inputs, next, first.state)).changes, {
    content: "update",
  });
  await client.update(script, first.id, first.state, first.inputs, next);
  assert.match(world.scripts["www.example.org"] ?? "", /euch/);
  const renamed = { ...first.inputs, scriptName: "other" };
  assert.deepEqual((await client.diff(script, first.inputs, renamed, first.state)).changes, {
    scriptName: "update-replace",
  });

  for (const { type, id, state, inputs } of made.toReversed()) {
    await client.delete(type, id, state);
    assert.equal((await client.read(type, id, state, inputs)).id, "");
    await client.delete(type, id, state);
  }
  assert.deepEqual([world.scripts, world.records.size], [{}, 0]);
});
