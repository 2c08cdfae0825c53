/** What a stack says beside its stack file: in parts of it that are files of their own, and in a file that several stacks share. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
} from "yaml";
import { type Mistake, type Path, SettingsError } from "./mistakes.ts";
import { encrypted } from "./plainSecrets.ts";

export type Raw = Readonly<Record<string, unknown>>;

/** Gives the text of a file beside Pulumi.yaml. */
export type TextOf = (path: string) => string;

/** What a stack says, from wherever it says it. */
export interface Gathered {
  /** The keys of the `mailhost:` namespace without the prefix; those that name files are none of the settings. */
  readonly raw: Raw;
  /** `mailboxes.yaml, line 12`: where the innermost key of a path stands, undefined where that is the stack file. */
  placeOf(path: Path): string | undefined;
}

/** One file of settings. */
interface Piece {
  readonly name: string;
  readonly raw: Raw;
  placeOf(path: Path): Place;
}

interface Place {
  /** How many keys of the path are there. */
  readonly depth: number;
  readonly line: number;
}

/** The keys that such a file may stand under: as in a stack file, or as in an environment of Pulumi ESC. */
export const pieceTops = [["config"], ["values", "pulumiConfig"]] as const;

/** What the settings' keys begin with, in a stack file and where the engine hands them over. */
export const NAMESPACE = "mailhost:";

/**
 * The keys of a stack's `mailhost:` namespace with those of the files that it names. `parts` are the stack's own, cut off it:
 * together they say what one file would, and none says what another does. Under all of them lies what `shared` names: what
 * the stack says itself holds, and of two mappings of the same key each has its part.
 *
 * A file has the form of a stack file, or that of an environment of Pulumi ESC
 * (https://www.pulumi.com/docs/esc/environments/syntax/reserved-properties/pulumi-config/): who uses Pulumi Cloud can keep what
 * is shared there instead.
 * @param textOf reads a file. @default from the disk
 * @throws SettingsError where a file is not there, is none, or says what another does
 */
export function gather(raw: Raw, textOf: TextOf = ownText): Gathered {
  const { shared, parts, ...own } = raw;
  refuseTwice([...(shared === undefined ? [] : [[["shared"], shared] as const]), ...listOf(parts)]);
  const common = shared === undefined ? [] : [pieceAt(["shared"], shared, textOf)];
  const pieces = listOf(parts).map(([path, name]) => pieceAt(path, name, textOf));
  const mistakes: Mistake[] = [];
  const whole = pieces.reduce<unknown>(
    (before, piece) =>
      joined(before, piece.raw, [], (path) =>
        mistakes.push({
          path,
          message: "stands in another file of this stack, too; write it in one of them",
          place: placeText(piece, piece.placeOf(path)),
        }),
      ),
    own,
  );
  for (const piece of [...common, ...pieces])
    for (const path of encrypted(piece.raw))
      mistakes.push({
        path,
        message:
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
          "is encrypted, which Pulumi reads in the stack file alone; write it there, under the same keys, or the name of an environment variable here, such as ${ANN_HASH}",
        place: placeText(piece, piece.placeOf(path)),
      });
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return {
    raw: common.reduce<unknown>((over, piece) => merged(piece.raw, over), whole) as Raw,
    placeOf(path) {
      const inOwn = depthIn(own, path);
      const [deepest] = [...pieces, ...common]
        .map((piece) => ({ piece, place: piece.placeOf(path) }))
        .toSorted((one, other) => other.place.depth - one.place.depth);
      return deepest !== undefined && deepest.place.depth > inOwn
        ? placeText(deepest.piece, deepest.place)
        : undefined;
    },
  };
}

/** What reads settings, where each of its mistakes says in which file it stands. */
export function inPlace<T>({ placeOf }: Gathered, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(
      error.mistakes.map((mistake) => {
        const place = placeOf(mistake.path);
        return place === undefined ? mistake : { ...mistake, place };
      }),
    );
  }
}

function ownText(path: string): string {
  return readFileSync(resolve(import.meta.dirname, "..", path), "utf8");
}

/** The files that `mailhost:parts` names, each with the path of its name. */
export function listOf(parts: unknown): readonly (readonly [Path, unknown])[] {
  if (!Array.isArray(parts)) return parts === undefined || parts === null ? [] : [[["parts"], parts]];
  return parts.map((name, index) => [["parts", index], name]);
}

/** @throws SettingsError where two of the names are of one file */
function refuseTwice(names: readonly (readonly [Path, unknown])[]): void {
  const paths = names.map(([, name]) => (typeof name === "string" ? resolve(name) : undefined));
  const second = names.findIndex(
    (_, index) => paths.indexOf(paths[index]) < index && paths[index] !== undefined,
  );
  const [at, name] = names[second] ?? [];
  if (at !== undefined) throw mistake(at, `names ${name}, which is named before; write each file once`);
}

/** The keys that a piece's settings stand under: the first that have any. */
export function topOf(tree: unknown): (typeof pieceTops)[number] | undefined {
  return pieceTops.find((keys) => mapping(within(tree, keys)) !== undefined);
}

/**
 * Makes a document say its keys, and the targets of aliases, as they are written: the mailbox 0301234 is no number. So are the files
 * read that a stack file names; the stack file itself the engine reads, to which they are numbers.
 */
export function asWritten<D extends Document>(document: D): D {
  wordsOfAliases(document);
  return withTextKeys(document, ({ source, value }) => source ?? String(value));
}

/** @param textOf of a key that was read as something else, such as a number. @default as objects have it */
export function withTextKeys<D extends Document>(
  document: D,
  textOf: (key: Scalar) => string = ({ value }) => String(value),
): D {
  visit(document, {
    Scalar(place, key) {
      if (place === "key" && typeof key.value !== "string") key.value = textOf(key);
    },
  });
  return document;
}

/** The targets of aliases that were read as numbers, as they are written. */
function wordsOfAliases(document: Document): void {
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value !== "aliases" || !isMap(pair.value)) return;
      for (const { value } of pair.value.items)
        for (const target of isSeq(value) ? value.items : [value])
          if (isScalar(target) && typeof target.value === "number" && target.source !== undefined)
            target.value = target.source;
    },
  });
}

/** @param at of the key that names it */
function pieceAt(at: Path, name: unknown, textOf: TextOf): Piece {
  if (typeof name !== "string" || name === "")
    throw mistake(
      at,
      `is no path; write that of a file beside Pulumi.yaml, such as ${at[0] === "shared" ? "stacks.yaml" : "mailboxes.yaml"}`,
    );
  const lines = new LineCounter();
  const document = parseDocument(textNamed(at, name, textOf), { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined)
    throw mistake(
      at,
      `names ${name}, which is no YAML; mend its ${error.linePos === undefined ? "form" : `line ${error.linePos[0].line}`}`,
    );
  const tree = treeNamed(at, name, document);
  const top = topOf(tree);
  if (top === undefined)
    throw mistake(
      at,
      `names ${name}, which has no settings; write them there under config:, as in a stack file`,
    );
  const config = mapping(within(tree, top)) ?? {};
  const foreign = Object.keys(config).find((key) => !key.startsWith(NAMESPACE));
  if (foreign !== undefined)
    throw mistake(
      at,
      `names ${name}, in which ${foreign} is no setting of mailhost:; write it into the stack file`,
    );
  const nested = ["shared", "parts"].find((key) => `${NAMESPACE}${key}` in config);
  if (nested !== undefined)
    throw mistake(at, `names ${name}, which names files itself; write ${nested} into the stack file`);
  return {
    name,
    raw: Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.slice(NAMESPACE.length), value]),
    ),
    placeOf([key = "", ...rest]) {
      const node = document.getIn(top, true) as Node;
      const { depth, offset } = deepest(node, [`${NAMESPACE}${key}`, ...rest]);
      return { depth, line: lines.linePos(offset).line };
    },
  };
}

function textNamed(at: Path, name: string, textOf: TextOf): string {
  try {
    return textOf(name);
  } catch {
    throw mistake(at, `names ${name}, which cannot be read; write the path of a file beside Pulumi.yaml`);
  }
}

function treeNamed(at: Path, name: string, document: Document.Parsed): unknown {
  try {
    return asWritten(document).toJS();
  } catch (error) {
    throw mistake(
      at,
      `names ${name}, which cannot be read: ${(error as Error).message}; write it without so many YAML aliases (*name)`,
    );
  }
}

/** The innermost of the keys that is there, as its place in the text. */
function deepest(node: unknown, path: Path): { readonly depth: number; readonly offset: number } {
  let [at, depth, offset] = [node, 0, 0];
  for (const key of path) {
    if (isMap(at)) {
      const pair: Pair<unknown, unknown> | undefined = at.items.find(
        (item) => String(item.key) === String(key),
      );
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      at = pair.value;
    } else if (isSeq(at)) {
      const entry = at.items[Number(key)] as Node | undefined;
      if (entry === undefined) break;
      offset = entry.range?.[0] ?? offset;
      at = entry;
    } else break;
    depth++;
  }
  return { depth, offset };
}

function depthIn(tree: unknown, path: Path): number {
  let [at, depth] = [tree, 0];
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) break;
    at = (at as Record<string | number, unknown>)[key];
    depth++;
  }
  return depth;
}

function placeText({ name }: Piece, { line }: Place): string {
  return `${name}, line ${line}`;
}

/** Two pieces of one mapping. A key with nothing after it says nothing. @param report is told each place that both have */
export function joined(
  one: unknown,
  other: unknown,
  path: Path = [],
  report: (path: Path) => void = () => undefined,
): unknown {
  if (one === undefined || one === null) return other ?? one;
  if (other === undefined || other === null) return one;
  const [left, right] = [mapping(one), mapping(other)];
  if (left === undefined || right === undefined) {
    report(path);
    return one;
  }
  const both = Object.entries(right).map(([key, value]) => [
    key,
    Object.hasOwn(left, key) ? joined(left[key], value, [...path, key], report) : value,
  ]);
  return { ...left, ...Object.fromEntries(both) };
}

function merged(shared: unknown, own: unknown): unknown {
  const [under, over] = [mapping(shared), mapping(own)];
  if (under === undefined || over === undefined) return own;
  const both = Object.keys(over).filter((name) => Object.hasOwn(under, name));
  return {
    ...under,
    ...over,
    ...Object.fromEntries(both.map((name) => [name, merged(under[name], over[name])])),
  };
}

function within(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => {
    const map = mapping(inner);
    return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
  }, value);
}

function mapping(value: unknown): Raw | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
}

function mistake(path: Path, message: string): SettingsError {
  return new SettingsError([{ path, message }]);
}
