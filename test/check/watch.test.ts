import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckResult } from "../../check/types.ts";
import { changes, type WatchOptions, watch } from "../../check/watch.ts";

const line = (about: string, right: boolean, text: string, more: Partial<CheckResult> = {}): CheckResult => ({
  group: "Inside the host",
  item: about.split(".")[0] ?? "",
  about,
  right,
  text,
  ...(right ? {} : { remedy: "Mend it." }),
  ...more,
});
const fine = line("queue", true, "the queue is empty");
const full = line("resources./srv", false, "/srv is 90 % full");
const fuller = line("resources./srv", false, "/srv is 91 % full");
const down = line("services.rspamd.service", false, "rspamd.service is failed");
const silent = line("gtube", false, "whether spam is refused is unknown", { cause: down.about });

test("changes: what is new and what is over; another number, a consequence and what is right are no news", () => {
  assert.deepEqual(changes([], [fine, full]), { wrong: [full], over: [] });
  assert.deepEqual(changes([fine, full], [fuller]), { wrong: [], over: [] });
  assert.deepEqual(changes([full], [fine, down, silent]), { wrong: [down], over: [full] });
  assert.deepEqual(changes([down, silent], []), { wrong: [], over: [down] });
  // What had a line of its own is not mended when it becomes a consequence.
  const { cause: _, ...alone } = silent;
  assert.deepEqual(changes([alone], [down, silent]), { wrong: [down], over: [] });
});

/** What is said over these looks, an error being one that fails. */
async function watched(
  looks: readonly (readonly CheckResult[] | Error)[],
  options: Partial<WatchOptions> = {},
): Promise<{ said: string[]; last: readonly CheckResult[] }> {
  const said: string[] = [];
  const controller = new AbortController();
  let next = 0;
  const last = await watch({
    look: async () => {
      const found = looks[next] ?? [];
      next += 1;
      if (next === looks.length) controller.abort();
      if (found instanceof Error) throw found;
      return found;
    },
    every: 0,
    json: false,
    colours: false,
    say: (text) => said.push(text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "(then)")),
    complain: (text) => said.push(`complaint: ${text}`),
    signal: controller.signal,
    ...options,
  });
  return { said, last };
}

test("watch: all of the first look, then only what changed, and the last look comes back", async () => {
  const { said, last } = await watched([[fine, full], [fine, fuller], [full, down, silent], [fine]]);
  assert.deepEqual(said, [
    "Inside the host\n  ✓ the queue is empty\n  ✗ WRONG: /srv is 90 % full\n      → Mend it.\n\n1 right, 1 wrong",
    "\n(then)\n  ✗ WRONG: rspamd.service is failed\n      → Mend it.",
    "\n(then)\n  ✓ no longer: /srv is 90 % full\n  ✓ no longer: rspamd.service is failed",
  ]);
  assert.deepEqual(last, [fine]);
});

test("watch: colours where they are wanted; one JSON object a line for programs", async () => {
  const coloured = await watched([[], [full], []], { colours: true });
  assert.ok(coloured.said[1]?.includes("\x1b[31m✗ WRONG:\x1b[0m /srv"));
  const { said } = await watched([[full], [full], [fine]], { json: true });
  assert.deepEqual(
    said.map((text) => JSON.parse(text)),
    [
      { at: "(then)", wrong: [full], over: [] },
      { at: "(then)", wrong: [], over: [full] },
    ],
  );
});

test("watch: a look that fails is told once, and no look is lost by it; at the beginning it ends all", async () => {
  const away = new Error("no such stack");
  const { said, last } = await watched([[full], away, away, [full]]);
  assert.deepEqual(said.slice(1), ["complaint: no such stack"]);
  assert.deepEqual(last, [full]);
  await assert.rejects(watched([away]), /no such stack/);
});
