import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startFakeCloud } from "../fake-cloud.ts";

const account = "023e105f4ecef8ad9ca31a8372d0c353";
const script = `export default { fetch: () => new Response("hello") };`;

interface Envelope {
  readonly success: boolean;
  readonly errors: readonly { readonly code: number }[];
  readonly result: Readonly<Record<string, string>> | null;
}

async function bench(context: TestContext) {
  const cloud = await startFakeCloud(context);
  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${cloud.cloudflareUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${cloud.cloudflareToken}` },
      ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    return { status: response.status, ...((await response.json()) as Envelope) };
  };
  const zones = (await send("GET", "/zones?name=example.org")).result as unknown as { id: string }[];
  const zone = zones[0]?.id ?? "";
  const upload = (
    content: string,
    metadata: object = {},
    name = "web",
    type = "application/javascript+module",
  ) => {
    const form = new FormData();
    const whole = { main_module: "worker.js", compatibility_date: "2026-09-01", ...metadata };
    form.set("metadata", new Blob([JSON.stringify(whole)], { type: "application/json" }));
    form.set("worker.js", new File([content], "worker.js", { type }));
    return send("PUT", `/accounts/${account}/workers/scripts/${name}`, form);
  };
  const attach = (hostname: string, service = "web") =>
    send("PUT", `/accounts/${account}/workers/domains`, { zone_id: zone, hostname, service });
  return { ...cloud, send, zone, upload, attach };
}

const code = ({ errors }: Envelope) => errors[0]?.code;

test("a script and a domain: the name leads to the edge, which answers with the script", async (context) => {
  const { upload, attach, send, zone, world } = await bench(context);
  assert.equal((await upload(script)).success, true);
  assert.deepEqual(world.scripts, {});
  const made = await attach("www.example.org");
  assert.equal(made.result?.zone_name, "example.org");
  assert.deepEqual(world.scripts, { "www.example.org": script });
  assert.deepEqual(
    world.records.get("www.example.org A")?.map(({ rdata }) => rdata),
    [world.edge.address],
  );
  assert.equal((await attach("www.example.org")).result?.id, made.result?.id, "once more is the same");
  const next = script.replace("hello", "bye");
  await upload(next);
  assert.deepEqual(world.scripts, { "www.example.org": next });

  const records = (await send("GET", `/zones/${zone}/dns_records`)).result as unknown as { id: string }[];
  const own = `/zones/${zone}/dns_records/${records[0]?.id}`;
  assert.equal((await send("DELETE", own)).success, false, "its record goes with it, and not alone");
  assert.equal((await send("PATCH", own, { content: "2001:db8::1" })).success, false);

  const domain = `/accounts/${account}/workers/domains/${made.result?.id}`;
  assert.equal((await send("DELETE", domain)).success, true);
  assert.deepEqual(world.scripts, {});
  assert.equal(world.records.size, 0);
  assert.equal((await send("GET", domain)).status, 404);
});

test("a deleted script takes its domains along", async (context) => {
  const { upload, attach, send, world } = await bench(context);
  await upload(script);
  await attach("www.example.org");
  assert.equal((await send("DELETE", `/accounts/${account}/workers/scripts/web`)).success, true);
  assert.deepEqual([world.scripts, world.records.size], [{}, 0]);
  assert.equal(code(await send("DELETE", `/accounts/${account}/workers/scripts/web`)), 10007);
});

test("what no script is, and where none can be", async (context) => {
  const { upload, attach, send } = await bench(context);
  assert.equal(code(await upload("export default {")), 10021);
  assert.equal(code(await upload("throw new Error('no');")), 10021);
  assert.equal(code(await upload(script, { main_module: undefined })), 10021);
  assert.equal(code(await upload(script, { main_module: "other.js" })), 10021);
  assert.equal(code(await upload(script, { compatibility_date: "2999-01-01" })), 10021);
  assert.equal(code(await upload(script, {}, "web", "text/plain")), 10021);
  assert.equal(code(await upload(script, {}, "No-Name")), 10016);
  assert.equal(code(await upload(`${script}//${"x".repeat(3 * 1024 * 1024)}`)), 10027);
  assert.equal(code(await send("PUT", `/accounts/${account}/workers/scripts/web`, {})), 10001);
  assert.equal(code(await send("GET", `/accounts/${"0".repeat(32)}/workers/scripts`)), 10000);
  assert.equal(code(await attach("www.example.org")), 10007, "no such script");
});

test("a name that leads elsewhere, to another script, or out of the zone is refused", async (context) => {
  const { upload, attach, send, zone, world } = await bench(context);
  await upload(script);
  await upload(script, {}, "other");
  await send("POST", `/zones/${zone}/dns_records`, {
    type: "A",
    name: "www",
    content: "198.51.100.10",
    ttl: 300,
  });
  assert.equal(code(await attach("www.example.org")), 100117);
  assert.equal(code(await attach("www.example.net")), 9000);
  await attach("shop.example.org", "other");
  assert.equal(code(await attach("shop.example.org")), 100116);
  assert.deepEqual(world.scripts, { "shop.example.org": script });
});

test("what the nameservers refuse is not attached either", async (context) => {
  const { upload, attach, world } = await bench(context);
  await upload(script);
  world.failures.set("setRrset", new Error("no nameserver"));
  assert.equal((await attach("www.example.org")).status, 500);
  assert.deepEqual(world.scripts, {});
  assert.equal((await attach("www.example.org")).success, true);
});
