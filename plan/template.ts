import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

const folder = new URL("../files/", import.meta.url);
const texts = new Map<string, string>();
const templates = new Map<string, HandlebarsTemplateDelegate>();

/**
 * The text of `files/<path>` as it lies in the checkout: the one thing that the plan reads. For programs and
 * for files that have nothing to fill in.
 */
export function verbatim(path: string): string {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(path, folder), "utf8");
  texts.set(path, text);
  return text;
}

/**
 * Renders the Handlebars template `files/<path>`. Nothing is escaped; a field that the model lacks is an error
 * that names the template (so a template can only test fields that are there, `undefined` and `false`
 * included); a line that holds nothing but a block's tag leaves no line behind.
 */
export function render(path: string, model: object): string {
  let template = templates.get(path);
  if (template === undefined) {
    template = Handlebars.compile(verbatim(path), { noEscape: true, strict: true });
    templates.set(path, template);
  }
  try {
    return template(model);
  } catch (error) {
    throw new Error(`files/${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
