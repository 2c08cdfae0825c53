import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { it } from "node:test";
import { options } from "../../options/list.ts";
import type { Option } from "../../options/option.ts";
import { hostBundles } from "../../plan/host.ts";
import { dnsRecords } from "../../plan/records.ts";
import { schema } from "../../settings/schema.ts";
import { settingsWith } from "./settings.ts";

const root = resolve(import.meta.dirname, "../..");
const all: readonly Option[] = options;
const keys = all.map(({ key }) => key);

it("every file in options/ is in the list, under the name of its key", () => {
  const files = globSync("options/*.ts", { cwd: root })
    .map((path) => basename(path, ".ts"))
    .filter((name) => name !== "list" && name !== "option");
  assert.deepEqual(keys.toSorted(), files.toSorted());
});

it("an option is left out without a mistake, is described, and hides no other key", () => {
  for (const { key, schema: own } of all) {
    assert.equal(own.safeParse(undefined).success, true, key);
    assert.equal(schema.shape[key as keyof typeof schema.shape], own, `${key} is a key of something else`);
    assert.ok(own.meta()?.description, `${key} has no description`);
  }
});

it("an option's mistake is reported beside all the others, with its path", () => {
  assert.throws(
    () => settingsWith({ pop3s: "maybe", hostname: "no name" }),
    /mailhost:hostname[\s\S]*mailhost:pop3s/,
  );
});

it("every option has its test, and is spoken of in a page", () => {
  const pages = globSync("docs/*.md", { cwd: root, exclude: ["docs/settings.md"] })
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  for (const key of keys) {
    assert.equal(globSync(`test/options/${key}.test.ts`, { cwd: root }).length, 1, `no test for ${key}`);
    assert.match(pages, new RegExp(`\`mailhost:${key}\\b`), `no page speaks of mailhost:${key}`);
  }
});

it("what the options bring goes into the plan, and nothing else does", () => {
  const settings = settingsWith({});
  const names = (some: ReturnType<typeof settingsWith>) => hostBundles(some).map(({ name }) => name);
  const added = names(settingsWith({ pop3s: true })).filter((name) => !names(settings).includes(name));
  assert.deepEqual(added, ["pop3s"]);
  assert.deepEqual(
    dnsRecords(settingsWith({ pop3s: true }), "2026-11-21").length,
    dnsRecords(settings, "2026-11-21").length,
  );
});
