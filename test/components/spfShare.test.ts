/** The one SPF record of a name, which is somebody else's, at a real nameserver and at the simulated Cloudflare. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type SpfKeeper, spfKeeper } from "../../components/dns/spfPlace.ts";
import { partRecord, type SpfDone, spfStep } from "../../components/dns/spfShare.ts";
import { Cloudflare } from "../../dns/cloudflare.ts";
import type { SpfPart } from "../../plan/spf.ts";
import { startFakeCloud } from "../local/fake-cloud.ts";
import { startPrimary } from "../primary.ts";

const zone = "example.org";
const mx: SpfPart = { own: ["mx"] };

interface Place {
  readonly keeper: SpfKeeper;
  /** Every TXT record of the name, as its keeper shows it. */
  texts(): Promise<readonly string[]>;
  /** Somebody else's hand. */
  put(written: string): Promise<void>;
  take(written: string): Promise<void>;
}

const places: Readonly<Record<string, (t: TestContext) => Promise<Place>>> = {
  "a nameserver that takes updates": async (t) => {
    const primary = await startPrimary({ [zone]: [] });
    t.after(() => primary.close());
    const { server, port, key: name, algorithm, secret } = primary;
    const place = { provider: "rfc2136", zone, server, port, key: { name, algorithm } } as const;
    return {
      keeper: spfKeeper(place, zone, 300, { tsigSecret: secret }),
      texts: async () =>
        (await primary.records(zone)).filter(
          (line) => line.startsWith(`${zone}. `) && line.includes(" TXT "),
        ),
      put: (written) => primary.set(zone, zone, 7200, "TXT", written),
      take: (written) => primary.unset(zone, zone, "TXT", written),
    };
  },
  Cloudflare: async (t) => {
    const cloud = await startFakeCloud(t);
    const api = new Cloudflare({ url: cloud.cloudflareUrl, token: cloud.cloudflareToken });
    const { id = "" } = (await api.zones()).find(({ name }) => name === zone) ?? {};
    const path = `/zones/${id}/dns_records`;
    const all = () => api.recordsAt(id, zone, "TXT");
    return {
      keeper: spfKeeper({ provider: "cloudflare", zoneId: id }, zone, 300, {
        cloudflareToken: cloud.cloudflareToken,
        cloudflareUrl: cloud.cloudflareUrl,
      }),
      texts: async () =>
        (await all()).map(({ id: _id, ...record }) => {
          const { content, comment, ttl } = record as typeof record & { readonly ttl: number };
          return `${ttl} ${content} ; ${comment}`;
        }),
      put: (content) =>
        api.change("POST", path, { name: zone, type: "TXT", ttl: 7200, content, comment: "a shop's" }),
      take: async (content) => {
        const [found] = (await all()).filter((record) => record.content === content);
        await api.change("DELETE", `${path}/${found?.id}`);
      },
    };
  },
};

/** What the command does when the engine runs it. */
async function join({ keeper }: Place, part: SpfPart, before?: SpfDone): Promise<SpfDone> {
  const { from, to, ...done } = spfStep(zone, await keeper.look(), part, before);
  if (to !== undefined) await keeper.replace(from, to);
  return JSON.parse(JSON.stringify(done)) as SpfDone;
}

const spfOf = async ({ keeper }: Place) => (await keeper.look()).map(({ text }) => text);

for (const [title, start] of Object.entries(places))
  test(title, async (t) => {
    const place = await start(t);
    await place.put('"some-site-verification=1"');
    const theirs = '"v=spf1 include:_spf.sh" "op.example  ~all"';

    await t.test(
      "joined, changed and parted, a record is again what it was to the byte, and nothing else moves",
      async () => {
        await place.put(theirs);
        const before = await place.texts();
        const first = await join(place, mx);
        assert.deepEqual(await spfOf(place), ["v=spf1 mx include:_spf.shop.example  ~all"]);
        assert.deepEqual(await join(place, mx, first), first, "a run too many");
        const second = await join(place, { own: ["mx", "include:relay.example"], all: "-all" }, first);
        assert.deepEqual(await spfOf(place), [
          "v=spf1 mx include:relay.example include:_spf.shop.example  -all",
        ]);
        const third = await join(place, mx, second);
        assert.deepEqual(await spfOf(place), ["v=spf1 mx include:_spf.shop.example  ~all"]);
        await partRecord(place.keeper, third);
        assert.deepEqual(await place.texts(), before);
        await partRecord(place.keeper, third);
        assert.deepEqual(await place.texts(), before, "parted once more");
      },
    );

    await t.test(
      "what its owner changes meanwhile stays when it is joined again, and when it is parted",
      async () => {
        const done = await join(place, mx);
        const [standing] = await place.keeper.look();
        await place.keeper.replace(
          standing,
          '"v=spf1 mx include:_spf.shop.example include:news.example ~all"',
        );
        const again = await join(place, mx, done);
        assert.deepEqual(await spfOf(place), [
          "v=spf1 mx include:_spf.shop.example include:news.example ~all",
        ]);
        const [now] = await place.keeper.look();
        await place.keeper.replace(now, '"v=spf1 mx include:news.example ~all"');
        await partRecord(place.keeper, again);
        assert.deepEqual(await spfOf(place), ["v=spf1 include:news.example ~all"]);
      },
    );

    await t.test("what was taken out of it is put in again, and taken out at the end", async () => {
      const done = await join(place, mx);
      const [standing] = await place.keeper.look();
      await place.keeper.replace(standing, '"v=spf1 include:news.example ~all"');
      const again = await join(place, mx, done);
      assert.deepEqual(await spfOf(place), ["v=spf1 mx include:news.example ~all"]);
      await partRecord(place.keeper, again);
      assert.deepEqual(await spfOf(place), ["v=spf1 include:news.example ~all"]);
    });

    await t.test("where its owner deletes it, the host's alone is there, and goes with it", async () => {
      const done = await join(place, mx);
      const [standing] = await place.keeper.look();
      await place.keeper.replace(standing, undefined);
      const alone = await join(place, mx, done);
      assert.deepEqual(await spfOf(place), ["v=spf1 mx -all"]);
      const changed = await join(place, { own: ["a:mail.example.org"] }, alone);
      assert.deepEqual(await spfOf(place), ["v=spf1 a:mail.example.org -all"]);
      await partRecord(place.keeper, changed);
      assert.deepEqual(await spfOf(place), []);
      assert.equal((await place.texts()).length, 1);
    });

    await t.test(
      "two are refused, and stay both; what is another than it was seen is not overwritten",
      async () => {
        await place.put('"v=spf1 a -all"');
        const [seen] = await place.keeper.look();
        await place.put('"v=spf1 include:x.example -all"');
        const before = await place.texts();
        await assert.rejects(join(place, mx), /^Error: example\.org has 2 SPF records/);
        await partRecord(place.keeper, { found: null, change: { added: ["mx"] }, text: "v=spf1 mx -all" });
        assert.deepEqual(await place.texts(), before);
        await place.take('"v=spf1 a -all"');
        await assert.rejects(place.keeper.replace(seen, '"v=spf1 mx a -all"'), /Nothing was overwritten/);
        await place.take('"v=spf1 include:x.example -all"');
      },
    );
  });

test("a record that cannot be joined is refused with its text and the reason", () => {
  const standing = [{ text: "v=spf1 +all", written: '"v=spf1 +all"' }];
  assert.throws(() => spfStep(zone, standing, mx, undefined), {
    message:
      /^The SPF record of example\.org, which is somebody else's \(v=spf1 \+all\), lets everybody send/,
  });
});
