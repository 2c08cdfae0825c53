import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

const folder = new URL("../files/", import.meta.url);
const texts = new Map<string, string>();
const templates = new Map<string, HandlebarsTemplateDelegate>();

type HelperOptions = Handlebars.HelperOptions & {
  readonly loc: { readonly start: { readonly line: number } };
};

const handlebars = Handlebars.create();
// Strict mode does not look at what a block is given: a misspelt condition would quietly be false.
for (const name of ["if", "unless", "each"] as const) {
  const original = handlebars.helpers[name];
  handlebars.registerHelper(name, function (this: unknown, given: unknown, options: HelperOptions) {
    if (given === undefined)
      throw new Error(`line ${options.loc.start.line}: #${name} has nothing to look at`);
    return original?.call(this, given, options);
  });
}

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
 * that names the template, also in a condition (where something may be absent, the model says `false`);
 * a line that holds nothing but a block's tag leaves no line behind.
 */
export function render(path: string, model: object): string {
  let template = templates.get(path);
  if (template === undefined) {
    template = handlebars.compile(verbatim(path), { noEscape: true, strict: true });
    templates.set(path, template);
  }
  try {
    return template(model);
  } catch (error) {
    throw new Error(`files/${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
