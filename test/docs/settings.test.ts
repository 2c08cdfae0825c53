import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { formOf, settingsPage } from "../../docs/generate.ts";
import { schema } from "../../settings/schema.ts";

/** Every key that a stack file may have, at each depth, with what the schema says of it. */
function keysOf(node: z.core.JSONSchema._JSONSchema, path: string): [string, z.core.JSONSchema.BaseSchema][] {
  if (typeof node === "boolean") return [];
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
      const found = `${path}${key}`;
      return typeof inner === "boolean"
        ? []
        : [[found, inner] as [string, typeof inner], ...keysOf(inner, `${found}.`)];
    }),
    ...(node.anyOf ?? []).flatMap((inner) => keysOf(inner, path)),
    ...keysOf((node.items ?? false) as typeof node, path.replace(/\.$/, "[].")),
    ...keysOf(node.additionalProperties ?? false, `${path}<name>.`),
  ];
}

const keys = keysOf(z.toJSONSchema(schema, { io: "input" }), "mailhost:");

it("every key has a description, in the form that docs and editors read", () => {
  const missing = keys.filter(([, { description }]) => !description).map(([path]) => path);
  assert.deepEqual(missing, []);
});

describe("docs/settings.md has", () => {
  /** Form and default by the key's whole path, as the page's tables have them. */
  const rows = new Map(
    settingsPage()
      .split("\n## ")
      .slice(1)
      .flatMap((section) => {
        const [, below = ""] = /^`(.*)`\n/.exec(section) ?? [];
        return [...section.matchAll(/^\| `(\w+)` +\| (.*?) +\| (.*?) *\| /gm)].map(
          ([, key, form = "", usual = ""]): [string, { form: string; usual: string }] => [
            below === "" ? `mailhost:${key}` : `${below}.${key}`,
            { form, usual },
          ],
        );
      }),
  );

  it("a row for each key, and no other", () => {
    assert.ok(keys.some(([path]) => path === "mailhost:lists.dns[].zone"));
    assert.ok(keys.some(([path]) => path === "mailhost:domains.<name>.mailboxes.<name>.quota"));
    assert.deepEqual([...rows.keys()].sort(), keys.map(([path]) => path).sort());
  });

  const forms: readonly [string, string][] = [
    ["hostname", "text"],
    ["ssh.from", "`the-whole-internet`, text or list of texts"],
    ["server.architecture", "`arm64` or `amd64`"],
    ["server.dataSize", "1 to 16384"],
    ["domains", "mapping"],
    ["domains.<name>.aliases", "mapping of names to texts or lists of texts"],
    ["domains.<name>.mailboxes.<name>.suspended", "`true` or `false`"],
    ["domains.<name>.mailboxes.<name>.quota", "number from 0 to 1000000"],
    ["backupMx", "mapping of names to texts"],
    ["lists.dns", "list of mappings"],
    ["lists.dns[].of", "`addresses` or `domains`"],
    ["lists.dns[].score", "number from -20 to 20"],
    ["ownPasswords", "`true`, `false` or mapping"],
    ["ownPasswords.shortest", "8 to 64"],
    ["quota.warnings", "list of numbers from 1 to 99"],
    ["search", "`false` or mapping"],
    ["search.languages", "list of words"],
    ["swap", "`false` or mapping"],
    ["swap.size", "128 to 16384"],
    ["upgrades.reboot", "`never` or text"],
    ["web", "`true`, `false` or mapping"],
    ["web.names", "list of texts"],
  ];
  for (const [key, form] of forms)
    it(`the form of ${key}`, () => assert.equal(rows.get(`mailhost:${key}`)?.form, form));

  it("defaults and examples of values that are brought into another form, too", () => {
    assert.equal(rows.get("mailhost:web")?.usual, "`false`");
    assert.equal(rows.get("mailhost:lists.dns")?.usual, "`[]`");
    assert.match(settingsPage(), /Example: `\[\{ zone: bl\.example\.net, score: 15 \}\]`/);
  });

  it("for a list of few words these, for one of many none", () => {
    const list = (words: string[]) => formOf({ type: "array", items: { type: "string", enum: words } });
    assert.equal(list(["a", "b"]), "list of `a` or `b`");
    assert.equal(list(["a", "b", "c", "d", "e"]), "list of words");
  });
});
