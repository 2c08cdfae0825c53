import assert from "node:assert/strict";
import { test } from "node:test";
import { daily, type Teller, type Told, toldIn } from "../../check/daily.ts";
import type { CheckResult } from "../../check/types.ts";
import { type Changes, lasting } from "../../check/watch.ts";

const line = (about: string, right: boolean, text: string): CheckResult => ({
  group: "Inside the host",
  item: about,
  about,
  right,
  text,
  ...(right ? {} : { remedy: "Mend it." }),
});
const fine = line("queue", true, "the queue is empty");
const full = line("resources", false, "/srv is 90 % full");
const fuller = line("resources", false, "/srv is 91 % full");
const down = line("services", false, "rspamd.service is failed");

const texts = ({ wrong, over }: Changes) => ({
  wrong: wrong.map(({ text }) => text),
  over: over.map(({ text }) => text),
});

test("lasting: what both looks say; what only one of them says is no news", () => {
  assert.deepEqual(lasting([], [full, down], [fuller]), { wrong: [fuller], over: [] });
  assert.deepEqual(lasting([], [full], [fine]), { wrong: [], over: [] });
  assert.deepEqual(lasting([], [fine], [full]), { wrong: [], over: [] });
  assert.deepEqual(lasting([full, down], [fine], [fine, down]), { wrong: [], over: [full] });
  assert.deepEqual(lasting([full, down], [full], [down]), { wrong: [], over: [] });
});

/** One run over these looks. A teller that is in `broken` does not get through. */
async function run(
  looks: readonly (readonly CheckResult[] | Error)[],
  told: Told = {},
  broken: readonly string[] = [],
  names: readonly string[] = ["owner"],
) {
  const left = [...looks];
  const news: string[] = [];
  const complaints: string[] = [];
  const tellers: Teller[] = names.map((name) => ({
    name,
    async tell(changes) {
      if (broken.includes(name)) throw new Error("nobody answers");
      news.push(`${name}: ${JSON.stringify(texts(changes))}`);
    },
  }));
  const after = await daily({
    look: async () => {
      const found = left.shift() ?? assert.fail("it looks too often");
      if (found instanceof Error) throw found;
      return found;
    },
    between: 0,
    tellers,
    told,
    complain: (text) => complaints.push(text),
  });
  return { news, complaints, after, unused: left.length };
}

test("daily: a first run with nothing wrong says nothing, and does not look twice", async () => {
  const { news, after, unused } = await run([[fine], [fine]]);
  assert.deepEqual({ news, after, unused }, { news: [], after: { owner: [] }, unused: 1 });
});

test("daily: what stays wrong is told once, with other numbers, too; what is mended is told once", async () => {
  const first = await run([[full], [full]]);
  assert.deepEqual(first.news, ['owner: {"wrong":["/srv is 90 % full"],"over":[]}']);
  const second = await run([[fuller], [fuller]], first.after);
  assert.deepEqual([second.news, second.unused], [[], 1]);
  const third = await run([[fine], [fine]], second.after);
  assert.deepEqual(third.news, ['owner: {"wrong":[],"over":["/srv is 90 % full"]}']);
  assert.deepEqual((await run([[fine]], third.after)).news, []);
});

test("daily: what is wrong for a moment is not told, nor forgotten when it is right for a moment", async () => {
  const passing = await run([[full], [fine]]);
  assert.deepEqual([passing.news, passing.after], [[], { owner: [] }]);
  const { after } = await run([[down], [down]]);
  const blink = await run([[fine], [down]], after);
  assert.deepEqual([blink.news, blink.after], [[], after]);
});

test("daily: who cannot be told is told the next day, the others are not told again", async () => {
  const names = ["owner", "webhook"];
  const first = await run([[full], [full]], {}, ["webhook"], names);
  assert.deepEqual(first.news, ['owner: {"wrong":["/srv is 90 % full"],"over":[]}']);
  assert.deepEqual(first.complaints, ["webhook: nobody answers"]);
  const second = await run([[full], [full]], first.after, [], names);
  assert.deepEqual(second.news, ['webhook: {"wrong":["/srv is 90 % full"],"over":[]}']);
  // Nobody is asked whether they have heard of what was over before they were told of it.
  const third = await run([[fine], [fine]], first.after, [], names);
  assert.deepEqual(third.news, ['owner: {"wrong":[],"over":["/srv is 90 % full"]}']);
});

test("daily: a look that fails twice is told like a finding, and nothing is over by it", async () => {
  const dead = new Error("there is no such file");
  const text = "the daily check could not look: there is no such file";
  const { news, after } = await run([dead, dead], { owner: [full] });
  assert.deepEqual(news, [`owner: ${JSON.stringify({ wrong: [text], over: [] })}`]);
  assert.deepEqual((await run([dead], after)).news, []);
  const mended = await run([[full], [full]], after);
  assert.deepEqual(mended.news, [`owner: ${JSON.stringify({ wrong: [], over: [text] })}`]);
  assert.deepEqual((await run([dead, [fine]])).news, []);
});

test("toldIn: what is empty, cut off or of another kind is taken for nothing told", () => {
  for (const text of [undefined, "", '{"owner":[', "null", "3"]) assert.deepEqual(toldIn(text), {});
  assert.deepEqual(toldIn('{"owner":"x","to":[]}'), { to: [] });
  assert.deepEqual(toldIn(JSON.stringify({ owner: [full] })), { owner: [full] });
});
