import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { z } from "zod";
import { settingsPage } from "../../docs/generate.ts";
import { schema } from "../../settings/schema.ts";

it("docs/settings.md is what the schema says", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/settings.md"), "utf8");
  assert.equal(page, settingsPage(), "docs/settings.md is stale: run `npm run docs`");
});

it("every key has a description, in the form that docs and editors read", () => {
  const missing: string[] = [];
  const visit = (node: z.core.JSONSchema._JSONSchema, path: string) => {
    if (typeof node === "boolean") return;
    if (!node.description && path !== "") missing.push(path);
    for (const [key, inner] of Object.entries(node.properties ?? {})) visit(inner, `${path}.${key}`);
    if (node.additionalProperties) visit(node.additionalProperties, `${path}.*`);
  };
  visit(z.toJSONSchema(schema, { io: "input" }), "");
  assert.deepEqual(missing, []);
});
