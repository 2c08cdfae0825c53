import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createCloudflareService } from "../../../local/cloudflare/service.ts";
import { type FakeCloud, startFakeCloud } from "../fake-cloud.ts";

interface ApiRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly ttl: number;
  readonly priority?: number;
  readonly comment: string | null;
  readonly proxied: boolean;
}

interface Envelope<T> {
  readonly success: boolean;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  readonly result: T;
  readonly result_info?: Readonly<Record<string, number>>;
}

/** The account of a test, asked over HTTP as every client asks it. */
interface Bench extends FakeCloud {
  /** Id of example.org. */
  readonly zone: string;
  send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number } & Envelope<T>>;
  /** POST of a record in example.org, which is accepted. */
  add(record: object): Promise<ApiRecord>;
  /** Code of the one error that a POST of a record leads to. */
  refusal(record: object): Promise<number>;
  /** What the nameservers serve. */
  served(name: string, type: string): string[];
}

async function bench(context: TestContext): Promise<Bench> {
  const cloud = await startFakeCloud(context);
  const send = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(`${cloud.cloudflareUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${cloud.cloudflareToken}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, ...((await response.json()) as Envelope<T>) };
  };
  const zones = await send<{ id: string }[]>("GET", "/zones?name=example.org");
  const zone = zones.result[0]?.id ?? "";
  return {
    ...cloud,
    zone,
    send,
    async add(record) {
      const answer = await send<ApiRecord>("POST", `/zones/${zone}/dns_records`, record);
      assert.deepEqual(answer.errors, []);
      assert.equal(answer.status, 200);
      return answer.result;
    },
    async refusal(record) {
      const answer = await send("POST", `/zones/${zone}/dns_records`, record);
      assert.equal(answer.success, false, "it was accepted");
      assert.equal(answer.status, 400);
      assert.equal(answer.errors.length, 1);
      return answer.errors[0]?.code ?? 0;
    },
    served: (name, type) =>
      (cloud.world.records.get(`${name} ${type}`) ?? []).map((record) => record.rdata).toSorted(),
  };
}

const a = { type: "A", name: "mail", content: "198.51.100.10", ttl: 300 };

test("only the account's token is let in, with Cloudflare's codes for the others", async (context) => {
  const { send, zone, cloudflareUrl } = await bench(context);
  const code = async (authorization: string, path = `/zones/${zone}/dns_records`) =>
    (await send("GET", path, undefined, { authorization })).errors[0]?.code;
  assert.equal(await code(`Bearer ${"x".repeat(40)}`), 10000);
  assert.equal(await code("Bearer short"), 9109);
  assert.equal(await code("Basic abc"), 6003);
  assert.equal(await code(`Bearer ${"x".repeat(40)}`, "/user/tokens/verify"), 1000);
  const none = await fetch(`${cloudflareUrl}/zones`);
  assert.equal(((await none.json()) as Envelope<null>).errors[0]?.code, 9106);
  const verified = await send<{ status: string }>("GET", "/user/tokens/verify");
  assert.equal(verified.result.status, "active");
});

test("zones: by name, by id, and what is no zone", async (context) => {
  const { send, zone } = await bench(context);
  const all = await send<{ name: string; name_servers: string[] }[]>("GET", "/zones");
  assert.deepEqual(all.result.map((each) => each.name).toSorted(), ["example.com", "example.org"]);
  assert.deepEqual(all.result[0]?.name_servers, ["a.ns.example", "b.ns.example"]);
  assert.deepEqual((await send("GET", "/zones?name=example.net")).result, []);
  assert.equal((await send<{ name: string }>("GET", `/zones/${zone}`)).result.name, "example.org");
  assert.equal((await send("GET", "/zones/example.org")).errors[0]?.code, 7003);
  assert.equal((await send("GET", `/zones/${"0".repeat(32)}`)).errors[0]?.code, 1001);
  assert.equal((await send("GET", "/nothing")).errors[0]?.code, 7000);
});

test("a record is served before the answer, and gone with its deletion", async (context) => {
  const { add, send, zone, served, world } = await bench(context);
  const record = await add(a);
  assert.match(record.id, /^[0-9a-f]{32}$/);
  assert.equal(record.name, "mail.example.org");
  assert.deepEqual(world.records.get("mail.example.org A"), [
    { name: "mail.example.org", type: "A", ttl: 300, rdata: "198.51.100.10" },
  ]);
  await add({ ...a, content: "198.51.100.11", ttl: 60 });
  assert.deepEqual(served("mail.example.org", "A"), ["198.51.100.10", "198.51.100.11"]);
  assert.deepEqual(
    world.records.get("mail.example.org A")?.map((each) => each.ttl),
    [60, 60],
    "one TTL for the whole RRset",
  );
  const gone = await send<{ id: string }>("DELETE", `/zones/${zone}/dns_records/${record.id}`);
  assert.deepEqual(gone.result, { id: record.id });
  assert.deepEqual(served("mail.example.org", "A"), ["198.51.100.11"]);
  const missing = await send("GET", `/zones/${zone}/dns_records/${record.id}`);
  assert.deepEqual([missing.status, missing.errors[0]?.code], [404, 81044]);
});

test("names are made whole and lower case, and wrong ones refused", async (context) => {
  const { add, refusal } = await bench(context);
  assert.equal((await add({ ...a, name: "@" })).name, "example.org");
  assert.equal((await add({ ...a, name: "Mail.Example.ORG." })).name, "mail.example.org");
  assert.equal((await add({ ...a, name: "mail.example.net" })).name, "mail.example.net.example.org");
  for (const name of ["a..b", "-a", `${"a".repeat(64)}`, "a b", "", "x.*"])
    assert.equal(await refusal({ ...a, name }), 9000, name);
});

test("what stands beside what", async (context) => {
  const { add, refusal } = await bench(context);
  await add(a);
  assert.equal(await refusal(a), 81058);
  assert.equal(await refusal({ ...a, ttl: 600, comment: "the same record still" }), 81058);
  assert.equal(await refusal({ type: "CNAME", name: "mail", content: "other.example.org" }), 81053);
  await add({ type: "CNAME", name: "www", content: "other.example.org." });
  assert.equal(await refusal({ ...a, name: "www" }), 81054);
  assert.equal(await refusal({ type: "CNAME", name: "www", content: "another.example.org" }), 81053);
  await add({ type: "TXT", name: "t", content: '"v=spf1 -all"' });
  assert.equal(
    await refusal({ type: "TXT", name: "t", content: "v=spf1 -all" }),
    81058,
    "quotes make no other text",
  );
  await add({ type: "TXT", name: "t", content: '"v=spf1 mx -all"' });
});

test("a CNAME at the zone's own name is flattened, and mail's records stand beside it", async (context) => {
  const { add, refusal, served, world } = await bench(context);
  await add({ type: "CNAME", name: "@", content: "sites.example.net" });
  assert.deepEqual(served("example.org", "CNAME"), []);
  assert.deepEqual(served("example.org", "A"), [world.edge.address]);
  await add({ type: "TXT", name: "@", content: '"v=spf1 -all"' });
  await add({ type: "MX", name: "@", content: "mail.example.org", priority: 10 });
  assert.equal(await refusal({ ...a, name: "@" }), 81054);
  assert.equal(await refusal({ type: "CNAME", name: "@", content: "other.example.net" }), 81053);
});

test("values: what each type takes, and the code for what it does not", async (context) => {
  const { add, refusal } = await bench(context);
  assert.equal(await refusal({ ...a, content: "mail.example.org" }), 9005);
  assert.equal(await refusal({ ...a, content: "198.51.100" }), 9005);
  assert.equal(await refusal({ type: "AAAA", name: "mail", content: "198.51.100.10" }), 9006);
  assert.equal(
    (await add({ type: "AAAA", name: "mail", content: "2001:DB8:0::10" })).content,
    "2001:db8::10",
  );
  assert.equal(await refusal({ type: "MX", name: "@", content: "mail.example.org" }), 9100);
  assert.equal(await refusal({ type: "MX", name: "@", content: "198.51.100.10", priority: 10 }), 9009);
  assert.equal(await refusal({ type: "MX", name: "@", content: "mail.example.org", priority: 70000 }), 9008);
  const mx = await add({ type: "MX", name: "@", content: "Mail.example.org.", priority: 10 });
  assert.deepEqual([mx.content, mx.priority], ["mail.example.org", 10]);
  assert.equal(await refusal({ type: "MAIL", name: "@", content: "x" }), 9020);
  assert.equal(await refusal({ ...a, ttl: 59 }), 9021);
  assert.equal(await refusal({ ...a, ttl: 86401 }), 9021);
  assert.equal(await refusal({ ...a, comment: "c".repeat(101) }), 9313);
  assert.equal(await refusal({ ...a, tags: ["a:b"] }), 9300);
  assert.equal(await refusal({ type: "TXT", name: "t", content: "x", proxied: true }), 9004);
  assert.equal(await refusal({ ...a, colour: "red" }), 9207);
  assert.equal((await add({ ...a, comment: "c".repeat(100), ttl: 1 })).ttl, 1);
});

test("TXT: short text stays as it came, a long string comes back split, and both are served right", async (context) => {
  const { add, refusal, served } = await bench(context);
  const text = async (content: string, name: string) => (await add({ type: "TXT", name, content })).content;
  assert.equal(await text("v=spf1 mx -all", "bare"), "v=spf1 mx -all");
  assert.deepEqual(served("bare.example.org", "TXT"), ['"v=spf1 mx -all"']);
  assert.equal(await text('"one" "two"', "two"), '"one" "two"');
  assert.deepEqual(served("two.example.org", "TXT"), ['"one" "two"']);
  const long = "k".repeat(300);
  const split = `"${"k".repeat(255)}" "${"k".repeat(45)}"`;
  assert.equal(await text(long, "long"), split);
  assert.equal(await text(`"${long}"`, "quoted"), split);
  assert.equal(await text(split, "split"), split, "what is split already is left alone");
  assert.deepEqual(served("long.example.org", "TXT"), [split]);
  assert.equal(await text('"a \\"b\\" \\\\c"', "escaped"), '"a \\"b\\" \\\\c"');
  assert.deepEqual(served("escaped.example.org", "TXT"), ['"a \\"b\\" \\\\c"']);
  await add({ type: "TXT", name: "umlaut", content: '"für"' });
  assert.deepEqual(served("umlaut.example.org", "TXT"), ['"f\\195\\188r"']);
  assert.equal(await refusal({ type: "TXT", name: "open", content: '"one' }), 9207);
  assert.equal(await refusal({ type: "TXT", name: "open", content: '"one" two' }), 9207);
  assert.equal(await refusal({ type: "TXT", name: "open", content: "k".repeat(2049) }), 9015);
});

test("records of several parts come as data", async (context) => {
  const { send, zone, served, refusal } = await bench(context);
  const add = (record: object) => send<ApiRecord>("POST", `/zones/${zone}/dns_records`, record);
  await add({ type: "CAA", name: "@", data: { flags: 0, tag: "issue", value: "letsencrypt.org" } });
  assert.deepEqual(served("example.org", "CAA"), ['0 issue "letsencrypt.org"']);
  await add({
    type: "SRV",
    name: "_imaps._tcp",
    data: { priority: 0, weight: 1, port: 993, target: "mail.example.org" },
  });
  assert.deepEqual(served("_imaps._tcp.example.org", "SRV"), ["0 1 993 mail.example.org."]);
  const tlsa = await add({
    type: "TLSA",
    name: "_25._tcp.mail",
    data: { usage: 3, selector: 1, matching_type: 1, certificate: "ab".repeat(32) },
  });
  assert.equal(tlsa.result.content, `3 1 1 ${"AB".repeat(32)}`, "hexadecimal comes back in capitals");
  await add({ type: "MX", name: "none", content: ".", priority: 0 });
  assert.deepEqual(served("none.example.org", "MX"), ["0 ."]);
  assert.equal(await refusal({ type: "CAA", name: "@", content: '0 issue "letsencrypt.org"' }), 9101);
});

test("PUT replaces, PATCH changes, and a change of name or type moves what is served", async (context) => {
  const { add, send, zone, served } = await bench(context);
  const record = await add({ ...a, comment: "first" });
  const path = `/zones/${zone}/dns_records/${record.id}`;
  const patched = await send<ApiRecord>("PATCH", path, { ttl: 600 });
  assert.deepEqual([patched.result.ttl, patched.result.comment], [600, "first"]);
  const put = await send<ApiRecord>("PUT", path, { ...a, name: "mx" });
  assert.deepEqual([put.result.name, put.result.comment], ["mx.example.org", null]);
  assert.deepEqual(served("mail.example.org", "A"), []);
  assert.deepEqual(served("mx.example.org", "A"), ["198.51.100.10"]);
  await send("PATCH", path, { type: "TXT", content: '"text"' });
  assert.deepEqual(served("mx.example.org", "A"), []);
  assert.deepEqual(served("mx.example.org", "TXT"), ['"text"']);
  assert.equal((await send("PATCH", path, { ttl: 5 })).errors[0]?.code, 9021);
  assert.equal((await send("PUT", `/zones/${zone}/dns_records/${"0".repeat(32)}`, a)).errors[0]?.code, 81044);
});

test("lists filter, order and page", async (context) => {
  const { add, send, zone } = await bench(context);
  await add({ ...a, name: "one", comment: "mailhost: one" });
  await add({ ...a, name: "two", content: "198.51.100.12" });
  await add({ type: "TXT", name: "one", content: '"Text"' });
  const names = async (query: string) =>
    (await send<ApiRecord[]>("GET", `/zones/${zone}/dns_records?${query}`)).result.map(
      (record) => `${record.name.split(".")[0]} ${record.type}`,
    );
  assert.deepEqual(await names("type=A"), ["one A", "two A"]);
  assert.deepEqual(await names("name=ONE.example.org"), ["one A", "one TXT"]);
  assert.deepEqual(await names("name.startswith=tw"), ["two A"]);
  assert.deepEqual(await names("content.contains=text"), ["one TXT"]);
  assert.deepEqual(await names("comment.startswith=mailhost"), ["one A"]);
  assert.deepEqual(await names("comment.absent=true"), ["one TXT", "two A"]);
  assert.deepEqual(await names("match=any&name.startswith=tw&type=TXT"), ["one TXT", "two A"]);
  assert.deepEqual(await names("type=A&order=name&direction=desc"), ["two A", "one A"]);
  const page = await send<ApiRecord[]>("GET", `/zones/${zone}/dns_records?per_page=2&page=2`);
  assert.equal(page.result.length, 1);
  assert.deepEqual(page.result_info, { page: 2, per_page: 2, count: 1, total_count: 3, total_pages: 2 });
  assert.equal((await send("GET", `/zones/${zone}/dns_records?colour=red`)).errors[0]?.code, 1004);
});

test("a batch happens whole or not at all", async (context) => {
  const { add, send, zone, served } = await bench(context);
  const record = await add(a);
  const batch = (body: object) => send("POST", `/zones/${zone}/dns_records/batch`, body);
  const failed = await batch({ deletes: [{ id: record.id }], posts: [{ ...a, content: "no address" }] });
  assert.equal(failed.errors[0]?.code, 9005);
  assert.deepEqual(served("mail.example.org", "A"), ["198.51.100.10"]);
  const done = await batch({
    deletes: [{ id: record.id }],
    posts: [{ type: "CNAME", name: "mail", content: "x.example.org" }],
  });
  assert.equal(done.success, true);
  assert.deepEqual(served("mail.example.org", "A"), []);
  assert.deepEqual(served("mail.example.org", "CNAME"), ["x.example.org."]);
});

test("what the nameservers refuse is not in the account either", async (context) => {
  const { send, zone, world } = await bench(context);
  world.failures.set("setRrset", new Error("the zone is locked"));
  const answer = await send("POST", `/zones/${zone}/dns_records`, a);
  assert.equal(answer.status, 500);
  assert.deepEqual((await send("GET", `/zones/${zone}/dns_records`)).result, []);
});

test("an eventually consistent account serves later than it answers", async (context) => {
  const { add, served, cloudflare } = await bench(context);
  cloudflare.setSwitches({ publishAfter: 50 });
  await add(a);
  assert.deepEqual(served("mail.example.org", "A"), []);
  await cloudflare.settled();
  assert.deepEqual(served("mail.example.org", "A"), ["198.51.100.10"]);
});

test("a creation with a key is done once, until its record is changed", async (context) => {
  const { send, zone } = await bench(context);
  const post = () =>
    send<ApiRecord>("POST", `/zones/${zone}/dns_records`, a, { "idempotency-key": "one" }).then(
      ({ result }) => result,
    );
  const first = await post();
  assert.equal((await post()).id, first.id);
  await send("DELETE", `/zones/${zone}/dns_records/${first.id}`);
  assert.notEqual((await post()).id, first.id);
});

test("records outlive the daemon, and one that it could not publish is published by the next", async (context) => {
  const { add, send, zone, world, folder, served } = await bench(context);
  await add(a);
  const publish = world.dns.setRrset;
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  Object.assign(world.dns, {
    setRrset: () => {
      reach();
      return new Promise(() => undefined);
    },
  });
  const cut = send("POST", `/zones/${zone}/dns_records`, { ...a, name: "cut" }).catch(() => undefined);
  await reached;
  Object.assign(world.dns, { setRrset: publish });
  const stateDir = join(folder, "cloudflare");
  for (const file of ["cloudflare.json", "cloudflare.log"]) {
    assert.equal(statSync(join(stateDir, file)).mode & 0o777, 0o600);
  }
  assert.ok(!readFileSync(join(stateDir, "cloudflare.log"), "utf8").includes("Bearer"));
  const after = createCloudflareService({
    stateDir,
    world,
    token: "",
    nameservers: [],
    log: () => undefined,
  });
  assert.deepEqual(served("cut.example.org", "A"), []);
  await after.restore();
  assert.deepEqual(served("cut.example.org", "A"), ["198.51.100.10"]);
  assert.deepEqual(served("mail.example.org", "A"), ["198.51.100.10"]);
  context.after(() => cut);
});

test("DNSSEC shows the key that the zone is signed with, and what is missing at the registrar", async (context) => {
  const { send, zone, world } = await bench(context);
  const rdata = (type: string, text: string) => [{ name: "example.org", type, ttl: 60, rdata: text }];
  world.records.set("example.org DNSKEY", rdata("DNSKEY", "257 3 13 a2V5 ZGF0YQ=="));
  const dnssec = async (method = "GET", body?: object) =>
    (await send<Record<string, string | number>>(method, `/zones/${zone}/dnssec`, body)).result;
  assert.equal((await dnssec()).status, "pending");
  world.records.set("example.org DS", rdata("DS", "2371 13 2 AB12 CD34"));
  const active = await dnssec();
  assert.deepEqual(
    [active.status, active.key_tag, active.digest, active.public_key, active.ds],
    ["active", 2371, "AB12CD34", "a2V5ZGF0YQ==", "example.org. 3600 IN DS 2371 13 2 AB12 CD34"],
  );
  assert.equal((await dnssec("PATCH", { status: "disabled" })).status, "disabled");
});
