/** Writes what is generated from code: the reference page, and what editors read. `npm run docs` after a change of the settings' schema. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { yamlFlow } from "../settings/form.ts";
import { type Node, partSchema, settingsSchema, stackFileSchema } from "../settings/jsonSchema.ts";

/** `docs/settings.md`. */
export function settingsPage(): string {
  const root = settingsSchema();
  return `<!-- Written by docs/generate.ts from settings/schema.ts; change that. -->
# Settings

What a stack file (\`Pulumi.<stack>.yaml\`) says about the host, under \`config:\`. The smallest one:

\`\`\`yaml
config:
  mailhost:hostname: mail.example.org
  mailhost:owner: ann@example.org
  mailhost:ssh: { from: [203.0.113.7/32] }
  mailhost:domains:
    example.org:
      since: 2026-11-21
      mailboxes: { ann: {} }
\`\`\`

- Every mistake in the file is reported at once, with its place, before anything is touched.
- \`\${NAME}\` in any text is replaced by the environment variable of that name, which must be set.
- Names of domains may be written in their own script; they become A-labels (\`xn--…\`). Names of mailboxes and aliases
  are the same in upper and lower case.
- Mail for \`ann+anything@\` reaches \`ann@\`.
- postmaster@, abuse@ and dmarc@ exist in every domain: where no mailbox or alias has the name, the owner gets the mail.

${sections(root, "mailhost:").join("\n\n")}
`;
}

/** A table of a mapping's keys, and one for each mapping among them. */
function sections(node: Node, path: string, title?: string): string[] {
  const properties = Object.entries(node.properties ?? {});
  const rows = properties.map(([key, property]) => {
    const isRequired = node.required?.includes(key) ?? false;
    return [`\`${key}\``, formOf(property), defaultOf(property, isRequired), meaning(property)];
  });
  const table = markdownTable(["key", "form", "default", "meaning"], rows);
  const heading = title === undefined ? "## All keys" : `## \`${title}\``;
  const intro = title === undefined || !node.description ? [] : [node.description];
  const nested = properties.flatMap(([key, property]) => mappings(property, `${path}${key}`));
  return [[heading, ...intro, table].join("\n\n"), ...nested];
}

/** The tables of the mappings that a value may be, or hold: a list's, a union's, those below names of one's own. */
function mappings(node: Node, path: string): string[] {
  const { description } = node;
  const described = (inner: Node): Node => (description === undefined ? inner : { description, ...inner });
  if (node.properties) return sections(node, `${path}.`, path);
  if (node.items) return mappings(described(node.items), `${path}[]`);
  if (node.anyOf) return node.anyOf.flatMap((one) => mappings(described(one), path));
  const entry = node.additionalProperties;
  return typeof entry === "object" ? mappings(described(entry), `${path}.<name>`) : [];
}

/** With columns of one width, as the formatter wants them. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** How a value is written: `never` or text; list of mappings. */
export function formOf(node: Node): string {
  const forms = alternatives(node);
  return [forms.slice(0, -1).join(", "), forms.at(-1)].filter(Boolean).join(" or ");
}

function alternatives(node: Node): string[] {
  const { minimum, maximum, items, additionalProperties: entry } = node;
  if (node.const !== undefined) return [`\`${node.const}\``];
  if (node.anyOf) return [...new Set(node.anyOf.flatMap(alternatives))];
  if (node.type === "boolean") return ["`true`", "`false`"];
  if (node.enum) return node.enum.map((value) => `\`${value}\``);
  if (node.type === "integer") return [`${minimum} to ${maximum}`];
  if (node.type === "number") return [`number from ${minimum} to ${maximum}`];
  if (node.type === "array") return [`list of ${several(items)}`];
  if (node.type !== "object") return ["text"];
  return [
    typeof entry === "object" && !entry.properties ? `mapping of names to ${several(entry)}` : "mapping",
  ];
}

/** What the entries of a list or mapping are. */
function several(entry: Node = {}): string {
  // More than a few are in the key's description.
  if (entry.enum) return entry.enum.length > 4 ? "words" : formOf(entry);
  if (entry.type === "integer") return `numbers from ${formOf(entry)}`;
  return alternatives(entry)
    .map((form) => form.replace(/^(text|mapping|list|number)\b/, "$1s"))
    .join(" or ");
}

function defaultOf(node: Node, isRequired: boolean): string {
  if (isRequired) return "**required**";
  const isNothing = node.default === undefined || node.type === "object";
  return isNothing ? "" : `\`${yamlFlow(node.default)}\``;
}

function meaning(node: Node): string {
  const { description = "", examples = [] } = node;
  const known = [defaultOf(node, false), formOf(node)].join(" ");
  const shown = examples.map((value) => `\`${yamlFlow(value)}\``).filter((text) => !known.includes(text));
  const example = shown.join(" or ");
  const text = example === "" ? description : `${description} Example: ${example}`;
  return text.replaceAll("|", "\\|");
}

/** What is generated, by its name in this folder. */
export function generated(): Readonly<Record<string, string>> {
  const json = (schema: object) => `${JSON.stringify(schema, undefined, 2)}\n`;
  return {
    "settings.md": settingsPage(),
    "stack.schema.json": json(stackFileSchema()),
    "part.schema.json": json(partSchema()),
  };
}

if (process.argv[1] === import.meta.filename)
  for (const [name, text] of Object.entries(generated()))
    writeFileSync(join(import.meta.dirname, name), text);
