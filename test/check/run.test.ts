import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { Item } from "../../check/host.ts";
import { insideItem } from "../../check/inside.ts";
import { report } from "../../check/report.ts";
import { runCheck } from "../../check/run.ts";
import { leftOut, right, wrong } from "../../check/types.ts";
import { target } from "./fixtures.ts";

const items: Item[] = [
  { name: "late", group: "Mail", look: async () => [right("mail comes")] },
  {
    name: "early",
    group: "Names",
    look: async () => [wrong("a name is wrong", "Do this."), right("another is right")],
  },
  {
    name: "broken",
    group: "Ports",
    look: async () => {
      throw new Error("127.0.0.1 port 25: refused");
    },
  },
];

test("lines come in the order of the groups, and what could not be looked at is wrong", async () => {
  const results = await runCheck(target(), items);
  assert.deepEqual(
    results.map(({ group, item, right, text }) => [group, item, right, text]),
    [
      ["Names", "early", false, "a name is wrong"],
      ["Names", "early", true, "another is right"],
      ["Ports", "broken", false, "broken: could not be looked at: 127.0.0.1 port 25: refused"],
      ["Mail", "late", true, "mail comes"],
    ],
  );
  assert.ok(results.every(({ right, remedy }) => right || remedy));
});

test("that nobody gets in is told once, with what to do", async () => {
  const ssh = { host: "127.0.0.1", port: 1, user: "admin", privateKey: "", hostKey: "ssh-ed25519 AAAA" };
  const inside = ["one", "two"].map((name) => insideItem(name, "true", () => []));
  const results = await runCheck(target({ ssh }), inside);
  assert.deepEqual(
    results.map(({ text }) => text.replace(/port 1: .*/, "port 1")),
    ["nothing inside the host could be looked at: no login at admin@127.0.0.1 port 1"],
  );
  assert.match(
    results[0]?.remedy ?? "",
    /checkip\.amazonaws\.com.* in mailhost:ssh\.from \(127\.0\.0\.0\/8\)/,
  );
});

test("the report says right and wrong in words, with the remedy, and counts", async () => {
  const results = await runCheck(target(), items.slice(0, 2));
  assert.equal(
    report(results, false),
    [
      "Names",
      "  ✗ WRONG: a name is wrong",
      "      → Do this.",
      "  ✓ another is right",
      "",
      "Mail",
      "  ✓ mail comes",
      "",
      "2 right, 1 wrong",
    ].join("\n"),
  );
  assert.ok(report(results, true).includes("\x1b[31m✗ WRONG:\x1b[0m"));
});

test("what the check has no means to look at is neither right nor wrong", () => {
  const result = {
    group: "Mail",
    item: "incoming",
    about: "incoming",
    ...leftOut("mail from elsewhere"),
  } as const;
  assert.equal(
    report([result], false),
    ["Mail", "  – not looked at: mail from elsewhere", "", "0 right, 0 wrong, 1 not looked at"].join("\n"),
  );
});

test("a command without an engine says so and ends with 2", () => {
  const main = join(import.meta.dirname, "../../check/main.ts");
  assert.throws(
    () => execFileSync(process.execPath, [main], { env: { PATH: "/nowhere" }, stdio: "pipe" }),
    ({ status, stderr }: { status: number; stderr: Buffer }) => {
      assert.equal(status, 2);
      assert.match(stderr.toString(), /pulumi config --json failed/);
      return true;
    },
  );
});
