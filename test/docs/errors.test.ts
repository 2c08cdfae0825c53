/** docs/errors.md has each refusal whose words are this program's own. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { pageOf } from "./fenced.ts";

const root = resolve(import.meta.dirname, "../..");

/** Where the words of a refusal stand in a file of the host's; the last group is the words. */
const forms: readonly { readonly files: string; readonly form: RegExp; readonly least: number }[] = [
  // rspamd's programs: task:set_pre_result, its table, and words added to a refusal.
  {
    files: "files/etc/rspamd/lua.local.d/*.lua",
    form: /(?:set_pre_result\('(?:soft )?reject',|message =|append_message\()\s*(?:string\.format\(\s*)?'([^']+)'/g,
    least: 8,
  },
  { files: "files/etc/rspamd/local.d/*", form: /^\s*(?:reject_)?message = ["']([^"']+)["']/gm, least: 4 },
  // Postfix: tables, and settings that hold an answer.
  {
    files: "files/etc/postfix/*",
    form: /(?:REJECT|\s[45]\d\d [45]\.\d\.\d|_reason =|= error:) ?([^\s=].*)$/gm,
    least: 5,
  },
  { files: "files/etc/dovecot/**/*.conf", form: /_overquota = (.+)$/gm, least: 1 },
  { files: "files/etc/nginx/*", form: /return 4\d\d "([^"\\]+)/g, least: 1 },
  { files: "files/usr/local/lib/mailhost/reports", form: /"([45]\d\d [45]\.\d\.\d [^"]+)"/g, least: 3 },
];

/** As the page writes it: what is filled in is `…`. */
function shown(words: string): string {
  return words
    .trim()
    .replace(/^%s$/, "")
    .replaceAll(/%[sd]|\$\{\w+\}|\$\d|\{\{\w+\}\}/g, "…")
    .replaceAll(/…+/g, "…");
}

const refusals = forms.map(({ files, form, least }) => {
  const texts = globSync(files, { cwd: root })
    .map((path) => readFileSync(join(root, path), "utf8"))
    .flatMap((text) => [...text.matchAll(form)].map((found) => shown(found.at(-1) ?? "")));
  return { files, least, texts: [...new Set(texts)] };
});

it("the refusals that this program writes are found where they stand", () => {
  for (const { files, least, texts } of refusals)
    assert.ok(texts.length >= least, `${files}: ${texts.join(" | ")}`);
});

it("docs/errors.md has each of them, as it is said", () => {
  const { text } = pageOf("docs/errors.md");
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  assert.deepEqual(
    refusals.flatMap(({ texts }) => texts).filter((words) => !spans.some((span) => span.includes(words))),
    [],
  );
});
