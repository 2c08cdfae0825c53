/** Each policy fires where it should, says what to do, and is quiet everywhere else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { OpenText, Rule, RuleConfig, Seen } from "../../policy/rule.ts";
import { rules } from "../../policy/rules.ts";
import { faults, good, type Made, type Scene } from "./scene.ts";

/** Stands for what is unknown in a preview, as the SDK's own wrapper does: who reads it is thrown out. */
function unknownUntilUp(inputs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const keys = Object.keys(inputs);
  return new Proxy(inputs, {
    get: (target, key) => {
      if (keys.includes(String(key)))
        throw new Error(`string value at .${String(key)} can't be known during preview`);
      return Reflect.get(target, key);
    },
  });
}

const urn = (name: string) => `urn:pulumi:dev::mailhost::${name}`;

function seen({ type, name, inputs, protect = false }: Made): Seen {
  return { urn: urn(name), type, properties: inputs, isProtected: protect };
}

function texts(value: unknown, path: readonly string[] = []): readonly OpenText[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => texts(inner, [...path, key]));
}

async function judged(
  rule: Rule,
  { resources, outputs }: Scene,
  config: RuleConfig = {},
  view: (inputs: Made["inputs"]) => Made["inputs"] = (inputs) => inputs,
): Promise<readonly string[]> {
  const stack = { type: "pulumi:pulumi:Stack", name: "mailhost-dev", inputs: outputs };
  const all = [...resources, stack].map((made) => seen({ ...made, inputs: view(made.inputs) }));
  if ("judge" in rule) return all.filter(({ type }) => type === rule.type).flatMap(rule.judge);
  if ("judgeOpen" in rule) return resources.flatMap(({ inputs }) => rule.judgeOpen(texts(inputs)));
  return (await rule.judgeStack(all, config)).map(({ text }) => text);
}

it("each policy has a name of its own and a fault in which it fires", () => {
  assert.deepEqual(
    rules.map(({ name }) => name),
    Object.keys(faults),
  );
});

it("docs/policies.md has a line for each, with its level", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/policies.md"), "utf8");
  const rows = page.matchAll(/^\| `([\w-]+)` \|.*\| (mandatory|advisory) \|$/gm);
  assert.deepEqual(
    Array.from(rows, ([, name, level]) => [name, level]),
    rules.map(({ name, level = "mandatory" }) => [name, level]),
  );
});

for (const rule of rules)
  describe(rule.name, () => {
    it("is quiet where all is well", async () => {
      assert.deepEqual(await judged(rule, good), []);
    });

    it("is quiet about what nobody knows before an up", async () => {
      assert.deepEqual(await judged(rule, good, {}, unknownUntilUp), []);
    });

    for (const { what, scene, remedy, word } of faults[rule.name] ?? [])
      it(`fires, and no other: ${what}`, async () => {
        const fired = await Promise.all(
          rules.map(async (each) => [each.name, await judged(each, scene)] as const),
        );
        assert.deepEqual(
          fired.filter(([, said]) => said.length > 0).map(([name]) => name),
          [rule.name],
          JSON.stringify(fired),
        );
        const [[, said] = assert.fail()] = fired.filter(([name]) => name === rule.name);
        assert.match(said.join("\n"), remedy);
        if (word !== undefined) assert.deepEqual(await judged(rule, scene, word), []);
      });
  });
