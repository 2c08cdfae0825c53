/** Writes the reference pages that are generated from code. `npm run docs` after a change of the settings' schema. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { yamlFlow } from "../settings/form.ts";
import { schema } from "../settings/schema.ts";

/** What of JSON Schema (draft 2020-12) the settings use. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
}

/** `docs/settings.md`. */
export function settingsPage(): string {
  const root = z.toJSONSchema(schema, { io: "input" }) as Node;
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
  const nested = properties.flatMap(([key, property]) => {
    if (property.properties) return sections(property, `${path}${key}.`, `${path}${key}`);
    const entry = property.additionalProperties;
    const name = `${path}${key}.<name>`;
    return typeof entry === "object" && entry.properties ? sections(entry, `${name}.`, name) : [];
  });
  return [[heading, ...intro, table].join("\n\n"), ...nested];
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

function formOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(", ");
  if (node.anyOf) return "text or list of texts";
  if (node.type === "integer" || node.type === "number") return `${node.minimum} to ${node.maximum}`;
  if (node.type === "boolean") return "`true`, `false`";
  if (node.type === "array") return "list of texts";
  return node.type === "object" ? "mapping" : "text";
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

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(import.meta.dirname, "settings.md"), settingsPage());
}
