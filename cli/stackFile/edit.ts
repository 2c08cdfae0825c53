/**
 * Changes of a YAML text that leave every other byte as it stands. The library's own way back to text keeps comments and
 * order, too, but sets them anew: comments in a column move, long lists are folded, and a change of one mailbox would be a
 * change of many lines. So the library says where things are, the change is made in the text, and then the text is read
 * again: it has to say what was asked for, else it is set by the library after all.
 */
import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { asWritten, withTextKeys } from "../../settings/pieces.ts";
import { Failure } from "../failure.ts";

/** Keys from the top of the file down, and places in lists. */
export type Keys = readonly (string | number)[];

/** What a value is made of. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

export type Edit =
  /** Gives a key a value; one that is not there yet comes last in its mapping. */
  | { readonly kind: "set"; readonly at: Keys; readonly value: Value }
  /** Puts an entry at the end of a list. */
  | { readonly kind: "append"; readonly at: Keys; readonly value: Value }
  | { readonly kind: "remove"; readonly at: Keys };

/** How the library writes where it has to: nothing is folded. */
const setting = { lineWidth: 0, flowCollectionPadding: true } as const;

/** A stack file's text as the engine reads it. @param name of the file, for the error. @throws where it is no YAML, in words */
export function readYaml(text: string, name: string): Document {
  return withTextKeys(documentOf(text, name));
}

/** The text of a file that a stack file names. @throws as `readYaml` */
export function readPart(text: string, name: string): Document {
  return asWritten(documentOf(text, name));
}

function documentOf(text: string, name: string): Document {
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined)
    throw new Error(`${name} is no YAML. Nothing was touched.\n${error.message.trim()}`);
  return document;
}

/**
 * @param read what says of a text what its reader will
 * @throws where the text is no YAML, or cannot be edited without changing something else, in words
 */
export function edited(text: string, edit: Edit, name: string, read = readYaml): string {
  const document = read(text, name);
  const wanted = JSON.stringify(applied(plain(document), edit), byOrder);
  const says = (candidate: string) => {
    try {
      return JSON.stringify(plain(read(candidate, name)), byOrder) === wanted;
    } catch {
      return false;
    }
  };
  const spliced = splice(text, document, edit);
  if (spliced !== undefined && says(spliced)) return spliced;
  const reset = written(document, edit);
  if (reset !== undefined && says(reset)) return reset;
  throw new Failure(
    `${name} is written in a way (anchors, merged keys) that this command cannot change. Nothing was touched: make the change by hand.`,
  );
}

// ── What is meant, to hold the text against ──

/** Mappings as Maps, whose order counts. */
function plain(document: Document): unknown {
  return document.toJS({ mapAsMap: true });
}

function byOrder(_key: string, value: unknown): unknown {
  return value instanceof Map ? { map: [...value] } : value;
}

function applied(tree: unknown, edit: Edit, depth = 0): unknown {
  const key = edit.at[depth];
  if (key === undefined) {
    if (edit.kind === "append") return [...(tree as unknown[]), mapped(edit.value)];
    return edit.kind === "set" ? mapped(edit.value) : tree;
  }
  const isLast = depth === edit.at.length - 1;
  if (Array.isArray(tree)) {
    return isLast && edit.kind === "remove"
      ? tree.toSpliced(Number(key), 1)
      : tree.with(Number(key), applied(tree[Number(key)], edit, depth + 1));
  }
  const map = new Map<unknown, unknown>(tree instanceof Map ? tree : []);
  const name = String(key);
  if (isLast && edit.kind === "remove") map.delete(name);
  else map.set(name, applied(map.get(name), edit, depth + 1));
  return map;
}

function mapped(value: Value): unknown {
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== "object") return value;
  return new Map(Object.entries(value).map(([key, inner]) => [key, mapped(inner)]));
}

/** The whole file as the library writes it; undefined where the way to the place leads over an alias. */
function written(document: Document, edit: Edit): string | undefined {
  try {
    if (edit.kind === "set") document.setIn(edit.at, document.createNode(edit.value));
    else if (edit.kind === "append") document.addIn(edit.at, edit.value);
    else document.deleteIn(edit.at);
    return document.toString(setting);
  } catch {
    return undefined;
  }
}

// ── In the text ──

interface Place {
  readonly text: string;
  /** `\n` or `\r\n`. */
  readonly lineBreak: string;
  /** Blanks from a mapping to what is in it. */
  readonly step: number;
}

/** Undefined where the text has a form that only the library knows to change. */
function splice(text: string, document: Document, edit: Edit): string | undefined {
  const place: Place = {
    text,
    lineBreak: text.includes("\r\n") ? "\r\n" : "\n",
    step: /^( +)\S/m.exec(text)?.[1]?.length ?? 2,
  };
  const { contents } = document;
  if (!isMap(contents)) return undefined;
  if (edit.kind === "remove") return removed(place, document, edit.at);
  if (edit.kind === "append") {
    const list = document.getIn(edit.at, true);
    return isSeq(list) ? appended(place, list, edit.value) : undefined;
  }
  return set(place, contents, edit.at, edit.value);
}

function set(place: Place, map: YAMLMap, at: Keys, value: Value): string | undefined {
  const [key, ...rest] = at;
  if (key === undefined) return undefined;
  const pair = pairIn(map, key);
  if (pair === undefined) return added(place, map, String(key), nested(rest, value));
  const held = pair.value as Node | null;
  if (rest.length > 0 && isMap(held) && held.items.length > 0) return set(place, held, rest, value);
  if (rest.length > 0 && !isNothing(held)) return undefined;
  return replaced(place, map, pair, nested(rest, value));
}

/** The value with the mappings around it that are not there yet. */
function nested(keys: Keys, value: Value): Value {
  return keys.reduceRight<Value>((inner, key) => ({ [String(key)]: inner }), value);
}

function pairIn(map: YAMLMap, key: string | number): Pair<Node, Node | null> | undefined {
  const found = map.items.find((item) => isScalar(item.key) && item.key.value === String(key));
  return found as Pair<Node, Node | null> | undefined;
}

function isNothing(node: Node | null): boolean {
  if (node === null || (isScalar(node) && node.value === null)) return true;
  return isCollection(node) && node.items.length === 0;
}

/** A pair more at the end of a mapping that has some. */
function added({ text, ...place }: Place, map: YAMLMap, key: string, value: Value): string | undefined {
  const last = map.items.at(-1) as Pair<Node, Node | null> | undefined;
  if (last === undefined) return undefined;
  const end = endOf(last);
  if (map.flow) return insert(text, end, `, ${keyText(key)}: ${flow(value)}`);
  const indent = column(text, startOf(last.key));
  return insertLines({ text, ...place }, end, blockLines(key, value, indent, place.step));
}

function appended(place: Place, list: YAMLSeq, value: Value): string | undefined {
  const last = list.items.at(-1) as Node | undefined;
  if (last === undefined) return undefined;
  const { text } = place;
  if (list.flow) return insert(text, endOf(last), `, ${flow(value)}`);
  const dash = text.lastIndexOf("-", startOf(last));
  return insertLines(place, endOf(last), [`${" ".repeat(column(text, dash))}- ${flow(value)}`]);
}

/** Another value for a key that is there: a text, or nothing yet. */
function replaced(
  { text, ...place }: Place,
  map: YAMLMap,
  pair: Pair<Node, Node | null>,
  value: Value,
): string | undefined {
  const { value: held } = pair;
  if (isCollection(held) && !held.flow) return undefined;
  const colon = colonOf(text, pair);
  const isImplicit = held === null || startOf(held) === endOf(held);
  const start = isImplicit ? colon + 1 : startOf(held);
  // A block of text has the end of its last line in it.
  const end = isImplicit ? colon + 1 : text.slice(0, endOf(held)).replace(/(\r?\n)+$/, "").length;
  if (map.flow || !isBlock(value)) {
    const before = text[start - 1] === ":" ? " " : "";
    return text.slice(0, start) + before + flow(value) + text.slice(end);
  }
  const indent = column(text, startOf(pair.key));
  const [, ...lines] = blockLines("", value, indent, place.step);
  // The blank before what was there goes with it.
  const without = text.slice(0, colon + 1) + text.slice(end);
  return insertLines({ text: without, ...place }, colon + 1, lines);
}

function removed(place: Place, document: Document, at: Keys): string | undefined {
  const { text } = place;
  const inside = at.slice(0, -1);
  const parent = document.getIn(inside, true);
  const key = at.at(-1) ?? "";
  if (!isMap(parent) && !isSeq(parent)) return undefined;
  const items = parent.items as (Pair<Node, Node | null> | Node)[];
  const index = isMap(parent) ? items.indexOf(pairIn(parent, key) ?? ({} as Node)) : Number(key);
  const item = items[index];
  if (item === undefined) return undefined;
  if (parent.flow) {
    const [previous, next] = [items[index - 1], items[index + 1]];
    if (next !== undefined) return text.slice(0, startOf(item)) + text.slice(startOf(next));
    if (previous !== undefined) return text.slice(0, endOf(previous)) + text.slice(endOf(item));
    const [open = 0, close = 0] = parent.range ?? [];
    return text.slice(0, open + 1) + text.slice(close - 1);
  }
  const start = lineStart(text, startOf(item));
  const without = text.slice(0, start) + text.slice(lineEnd(text, endOf(item)));
  if (items.length > 1) return without;
  // Without its last entry it would be a key with nothing after it.
  const above = document.getIn(inside.slice(0, -1), true);
  const holder = isMap(above) ? pairIn(above, inside.at(-1) ?? "") : undefined;
  if (holder === undefined) return undefined;
  return insert(without, colonOf(text, holder) + 1, isMap(parent) ? " {}" : " []");
}

// ── Places in the text ──

function startOf(of: Pair<Node, Node | null> | Node): number {
  return ("key" in of ? (of.key as Node) : of).range?.[0] ?? 0;
}

/** Behind the last letter of what is written there, before a comment. */
function endOf(of: Pair<Node, Node | null> | Node): number {
  if ("key" in of) {
    const value = of.value as Node | null;
    return Math.max(endOf(of.key as Node), value === null ? 0 : endOf(value));
  }
  if (isCollection(of) && !of.flow) return endOf((of.items.at(-1) ?? of) as Node);
  return of.range?.[1] ?? 0;
}

function colonOf(text: string, { key }: Pair<Node, Node | null>): number {
  return text.indexOf(":", key.range?.[1] ?? 0);
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** Where the next line begins. A block of text ends with its line already. */
function lineEnd(text: string, at: number): number {
  if (text[at - 1] === "\n") return at;
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

function column(text: string, at: number): number {
  return at - lineStart(text, at);
}

function insert(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

/** Lines below the one that a place is in. */
function insertLines({ text, lineBreak }: Place, at: number, lines: readonly string[]): string {
  const end = lineEnd(text, at);
  const isOpen = text[end - 1] !== "\n";
  const block = lines.join(lineBreak);
  return insert(text, end, isOpen ? lineBreak + block : block + lineBreak);
}

// ── New text ──

/** Whether a value stands on lines of its own: a mapping that holds more than single values. */
function isBlock(value: Value): value is { readonly [key: string]: Value } {
  if (typeof value !== "object" || Array.isArray(value)) return false;
  return Object.values(value).some((inner) => typeof inner === "object");
}

function blockLines(key: string, value: Value, indent: number, step: number): string[] {
  const head = `${" ".repeat(indent)}${keyText(key)}:`;
  if (!isBlock(value)) return [`${head} ${flow(value)}`];
  const inside = Object.entries(value);
  return [head, ...inside.flatMap(([name, inner]) => blockLines(name, inner, indent + step, step))];
}

/** On one line, as the pages write it: `[ann, bob]`, `{ quota: 50 }`. */
function flow(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "string") return scalarText(value);
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).map(([key, inner]) => `${keyText(key)}: ${flow(inner)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** In quotes where it needs some, in a list or a mapping on one line too. */
export function scalarText(text: string): string {
  // What looks like a date is one to the engine, which gives it a time where it sets the file anew.
  if (/^\d{4}-\d{1,2}-\d{1,2}/.test(text)) return JSON.stringify(text);
  return stringify([text], { ...setting, collectionStyle: "flow" })
    .trim()
    .slice(2, -2);
}

function keyText(key: string): string {
  return key === "" ? "" : scalarText(key);
}
