/** Every value by itself: filled in from the environment, of the type the schema asks for, refused or not. */
import { z } from "zod";
import { keyText, type Mistake, nearest, type Path } from "./mistakes.ts";
import { secretKeys } from "./plainSecrets.ts";
import { type Remains, remains, schema } from "./schema.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Report = (path: Path, message: string) => void;
type Tree = Record<string, unknown>;

export interface Formed {
  /** What is without mistakes by itself. */
  readonly remains: Remains;
  /** The keys as they were written, without defaults. */
  readonly written: Tree;
  readonly mistakes: readonly Mistake[];
}

export function form(raw: Readonly<Record<string, unknown>>, environment: Environment): Formed {
  const mistakes: Mistake[] = [];
  const report: Report = (path, message) => mistakes.push({ path, message });
  const tree = prepared(raw, schema, [], environment, report) as Tree;
  const isReported = (path: Path) => mistakes.some((mistake) => startsWith(path, mistake.path));

  const issues = schema.safeParse(tree).error?.issues ?? [];
  const misspelt = new Set(issues.flatMap(guesses).map((path) => path.join("\n")));
  for (const found of issues.flatMap((issue) => described(issue, tree))) {
    // A misspelt required key is one mistake: that the right one is missing goes without saying.
    const isEcho = valueAt(tree, found.path) === undefined && misspelt.has(found.path.join("\n"));
    if (!isEcho && !isReported(found.path)) mistakes.push(found);
  }
  for (const { path } of mistakes) takeOut(tree, path);
  return { remains: remains.parse(tree), written: tree, mistakes };
}

const startsWith = (path: Path, start: Path) => start.every((key, index) => path[index] === key);

// ── Before the schema: Pulumi hands numbers and truth values as texts, and `key:` with nothing after it as null ──

function prepared(
  value: unknown,
  node: z.ZodType | undefined,
  path: Path,
  environment: Environment,
  report: Report,
): unknown {
  const type = bare(node);
  const isTree = type instanceof z.ZodObject || type instanceof z.ZodRecord;
  if (value === null || value === undefined) return isTree ? {} : undefined;
  if (Array.isArray(value)) {
    const element = optionOf(type, z.ZodArray)?.element as z.ZodType | undefined;
    return value.map((item, index) => prepared(item, element, [...path, index], environment, report));
  }
  if (typeof value === "object") {
    const entries = Object.entries(value).flatMap(([key, item]) => {
      if (key === "__proto__") {
        report([...path, key], "is no name that can be used; write another");
        return [];
      }
      const inner = prepared(item, child(type, key), [...path, key], environment, report);
      if (inner === undefined && type instanceof z.ZodRecord) {
        // Left out, the name itself would be gone: an alias that somebody meant to fill in would bounce.
        report([...path, key], `is empty; ${advice([...path, key])}, or take the line out`);
        return [[key, ""]];
      }
      return inner === undefined ? [] : [[key, inner]];
    });
    return Object.fromEntries(entries);
  }
  if (typeof value === "string") return converted(filledIn(value, path, environment, report), type);
  const isText = optionOf(type, z.ZodString) !== undefined;
  return isText && (typeof value === "number" || typeof value === "boolean") ? String(value) : value;
}

function filledIn(text: string, path: Path, environment: Environment, report: Report): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    const value = /^[A-Za-z_]\w*$/.test(name) ? environment[name] : undefined;
    if (value !== undefined) return value;
    report(
      path,
      `asks for the environment variable ${JSON.stringify(name)}, which is not set; set it, or write the value itself`,
    );
    return whole;
  });
}

function converted(text: string, type: z.ZodType | undefined): unknown {
  if (type instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text !== "true" && text !== "false") return text;
  const value = text === "true";
  // `false` beside an object is how an option with settings of its own is switched off.
  const isWanted = type instanceof z.ZodBoolean || optionOf(type, z.ZodLiteral)?.values.has(value);
  return isWanted ? value : text;
}

// ── The schema's tree ──

/** The type inside `.optional()`, `.default()` and `.prefault()`. */
function bare(node: z.ZodType | undefined): z.ZodType | undefined {
  const isWrapped =
    node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault;
  return isWrapped ? bare(node.unwrap() as z.ZodType) : node;
}

/** The type itself or that one of a union's options which is of a kind. */
function optionOf<T extends z.ZodType>(
  node: z.ZodType | undefined,
  kind: new (...args: never[]) => T,
): T | undefined {
  const options = node instanceof z.ZodUnion ? (node.options as z.ZodType[]) : [node];
  return options.find((option): option is T => option instanceof kind);
}

function child(node: z.ZodType | undefined, key: string | number): z.ZodType | undefined {
  const object = optionOf(node, z.ZodObject);
  if (object !== undefined)
    return Object.hasOwn(object.shape, key) ? (object.shape[key] as z.ZodType) : undefined;
  if (node instanceof z.ZodRecord) return node.valueType as z.ZodType;
  return typeof key === "number" ? (optionOf(node, z.ZodArray)?.element as z.ZodType | undefined) : undefined;
}

/** The schema of a path, in its wrappers, which hold its description and examples. */
function nodeAt(path: Path): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((node, key) => child(bare(node), key), schema);
}

function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    tree,
  );
}

const isObject = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === "object" && value !== null;

// ── The schema's complaints in our words ──

type Issue = z.core.$ZodIssue;

function described(issue: Issue, tree: Tree, base: Path = []): Mistake[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const mistake = (message: string) => [{ path, message }];
  switch (issue.code) {
    case "custom":
    case "invalid_format":
      return mistake(issue.message);
    case "invalid_key":
      return issue.issues.flatMap((inner) => described(inner, tree, path));
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, path) }));
    case "invalid_union": {
      // The option that the value was meant for complains about its content, the others about its type.
      const meant = issue.errors.find((errors) =>
        errors.every(({ code, path }) => path.length > 0 || !/type|value/.test(code)),
      );
      return meant ? meant.flatMap((inner) => described(inner, tree, path)) : mistake(wrongType(tree, path));
    }
    case "invalid_value":
      return mistake(
        valueAt(tree, path) === undefined
          ? wrongType(tree, path)
          : `is unknown; write ${issue.values.join(" or ")}`,
      );
    case "too_small":
    case "too_big":
      return mistake(
        bare(nodeAt(path)) instanceof z.ZodNumber
          ? `is out of range; ${advice(path)}`
          : `is empty; ${advice(path)}`,
      );
    default:
      return mistake(wrongType(tree, path));
  }
}

/** The keys that unknown ones were probably meant for. */
function guesses(issue: Issue): Path[] {
  if (issue.code !== "unrecognized_keys") return [];
  const path = issue.path as (string | number)[];
  return issue.keys.flatMap((key) => {
    const guess = meantKey(key, path);
    return guess === undefined ? [] : [[...path, guess]];
  });
}

function knownKeys(path: Path): string[] {
  const parent = optionOf(bare(nodeAt(path)), z.ZodObject);
  return parent === undefined ? [] : Object.keys(parent.shape);
}

/** The key whose synonym was written, else the one that is spelt like it. */
function meantKey(key: string, path: Path): string | undefined {
  const known = knownKeys(path);
  const isCalled = (name: string) => {
    const { synonyms = [] } = (nodeAt([...path, name])?.meta() ?? {}) as { synonyms?: readonly string[] };
    return synonyms.some((word) => word.toLowerCase() === key.toLowerCase());
  };
  return known.find(isCalled) ?? nearest(key, known);
}

function unknownKey(key: string, path: Path): string {
  const known = knownKeys(path);
  if (key === "password" && known.includes("passwordHash")) {
    return "is not a setting: a password is generated for each mailbox; take the line out, or write passwordHash with the hash of the one that it has";
  }
  const guess = meantKey(key, path);
  if (guess !== undefined) return `is not a setting; write ${guess}`;
  return `is not a setting, and nothing here is called like it; known: ${known.join(", ")}`;
}

function wrongType(tree: Tree, path: Path): string {
  const value = valueAt(tree, path);
  if (value === undefined) return `is missing; ${advice(path)}`;
  const type = bare(nodeAt(path));
  if (type instanceof z.ZodNumber && typeof value === "number") return `is no whole number; ${advice(path)}`;
  if (isPlainWord(value))
    return canBeSecret(type, path)
      ? `${wanted(type)} belongs here; ${advice(path)}`
      : `is ${value} where ${wanted(type)} belongs; ${advice(path)}`;
  return `is ${kindOf(value)} where ${wanted(type)} belongs; ${advice(path)}`;
}

/** Whether it is a number or a truth value. Pulumi hands over both as texts, so no message calls it one. */
function isPlainWord(value: unknown): boolean {
  return typeof value === "string" ? /^(-?\d{1,9}(\.\d{1,9})?|true|false)$/.test(value) : !isObject(value);
}

/** Whether somebody may have meant a password by what stands at a place: no message shows it then. */
function canBeSecret(type: z.ZodType | undefined, path: Path): boolean {
  if (path.some((key) => secretKeys.includes(key))) return true;
  const inside = type instanceof z.ZodRecord ? bare(type.valueType as z.ZodType) : type;
  const object = optionOf(inside, z.ZodObject);
  return (
    object !== undefined &&
    Object.entries(object.shape).some(([key, node]) => canBeSecret(bare(node as z.ZodType), [key]))
  );
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  if (typeof value === "number") return "a number";
  return typeof value === "boolean" ? "a truth value" : "a mapping";
}

function wanted(type: z.ZodType | undefined): string {
  if (type instanceof z.ZodObject || type instanceof z.ZodRecord) return "a mapping";
  if (type instanceof z.ZodNumber) return type.isInt ? "a whole number" : "a number";
  if (type instanceof z.ZodBoolean) return "true or false";
  if (type instanceof z.ZodArray) return "a list of texts";
  if (type instanceof z.ZodLiteral) return [...type.values].join(" or ");
  if (!(type instanceof z.ZodUnion)) return "a text";
  const kinds = (type.options as z.ZodType[]).map((option) => wanted(bare(option)));
  // A word that stands for something is a text as well.
  return [...new Set(kinds.map((kind) => (/^(a|true|false)\b/.test(kind) ? kind : "a text")))].join(" or ");
}

function advice(path: Path): string {
  const node = nodeAt(path);
  const type = bare(node);
  if (type instanceof z.ZodNumber) return `write a number from ${type.minValue} to ${type.maxValue}`;
  if (type instanceof z.ZodBoolean) return "write true or false";
  const example = (node?.meta()?.examples as unknown[] | undefined)?.[0];
  if (example !== undefined) return `write ${keyTextOrExample(path, example)}`;
  if (type instanceof z.ZodObject) return `write ${Object.keys(type.shape).join(", ")} under it`;
  return "write its value, or leave the key out";
}

function keyTextOrExample(path: Path, example: unknown): string {
  if (typeof example === "string") return `one such as ${example}`;
  return `it as in \`${keyText(String(path.at(-1) ?? ""))}: ${yamlFlow(example)}\``;
}

/** A small value as YAML on one line. */
export function yamlFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlFlow).join(", ")}]`;
  if (!isObject(value)) return String(value);
  const entries = Object.entries(value).map(([key, item]) => `${key}: ${yamlFlow(item)}`);
  return entries.length > 0 ? `{ ${entries.join(", ")} }` : "{}";
}

// ── What is left ──

/**
 * Takes a mistaken value out, but not its name: an alias whose targets are wrong is still an alias, and what
 * points to it is no mistake too.
 */
function takeOut(tree: Tree, path: Path): void {
  const parent = valueAt(tree, path.slice(0, -1));
  const key = path.at(-1);
  if (!isObject(parent) || key === undefined || !Object.hasOwn(parent, key)) return;
  const type = bare(nodeAt(path.slice(0, -1)));
  if (Array.isArray(parent)) parent[key as number] = "";
  else if (type instanceof z.ZodRecord)
    parent[key] = bare(type.valueType as z.ZodType) instanceof z.ZodObject ? {} : "";
  else delete parent[key];
}
