/** docs/architecture.md says which room imports which; here every import of the repository is held against it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { describe, it } from "node:test";
import ts from "typescript";

const root = resolve(import.meta.dirname, "../..");

interface Room {
  /** `plan/`, or `index.ts`. */
  readonly path: string;
  /** Rooms that it may import, beside itself; undefined: all. */
  readonly imports: readonly string[] | undefined;
}

interface Import {
  readonly file: string;
  /** A path from the repository's root, or a package's name. */
  readonly target: string;
  readonly own: boolean;
}

/** The table under "Rooms", the longest path first. */
function tableOfRooms(page: string): Room[] {
  const section = /^## Rooms\n([\s\S]*?)^## /m.exec(page)?.[1] ?? assert.fail("no section of rooms");
  const rows = [...section.matchAll(/^\| `([^`]+)` \|.*\| ([^|]*) \|$/gm)];
  return rows
    .map(([, path = "", words = ""]) => ({ path, imports: named(words.trim()) }))
    .toSorted((one, other) => other.path.length - one.path.length);
}

function named(words: string): readonly string[] | undefined {
  if (words === "all") return undefined;
  if (words === "" || words === "nothing") return [];
  return words.split(", ").map((word) => `${word}/`);
}

function importsOf(file: string, text: string): Import[] {
  // Types and dynamic imports as well: a room that knows another's types knows it.
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
    const own = fileName.startsWith(".");
    return { file, own, target: own ? normalize(join(dirname(file), fileName)) : fileName };
  });
}

const rooms = tableOfRooms(readFileSync(join(root, "docs/architecture.md"), "utf8"));
const roomOf = (path: string) =>
  rooms.find((room) => (room.path.endsWith("/") ? path.startsWith(room.path) : path === room.path));

function isAllowed({ file, target, own }: Import): boolean {
  const from = roomOf(file);
  const to = roomOf(target);
  if (!own) return true;
  if (from === undefined || to === undefined) return false;
  return from.imports === undefined || [from.path, ...from.imports].some((path) => to.path.startsWith(path));
}

const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", "*.ts", "*.js", "*.mjs"],
  { cwd: root, encoding: "utf8" },
)
  .split("\0")
  .filter((name) => name !== "");
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), "utf8")));
const told = ({ file, target }: Import) => `${file} imports ${target}`;

describe("the table of rooms", () => {
  it("names every room that holds code, and what it names exists", () => {
    assert.deepEqual(
      files.filter((file) => roomOf(file) === undefined),
      [],
    );
    const held = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0");
    assert.deepEqual(
      rooms.filter(({ path }) => !held.some((file) => file.startsWith(path))).map(({ path }) => path),
      [],
    );
  });

  it("is kept by every import", () => {
    assert.ok(imports.filter(({ own }) => own).length > 500);
    assert.deepEqual(imports.filter((each) => !isAllowed(each)).map(told), []);
  });

  it("allows no more than there is: each room that it lets in is imported", () => {
    const idle = rooms.flatMap(({ path, imports: allowed = [] }) =>
      allowed
        .filter(
          (to) => !imports.some(({ file, target }) => roomOf(file)?.path === path && target.startsWith(to)),
        )
        .map((to) => `${path} ${to}`),
    );
    assert.deepEqual(idle, []);
  });

  it("sees what is forbidden, however it is written", () => {
    for (const text of [
      'import { x } from "../local/types.ts";',
      'import type { X } from "../local/types.ts";',
      'export * from "../local/types.ts";',
      'const x = await import("../local/types.ts");',
      'import "../local/types.ts";',
    ]) {
      const [found] = importsOf("plan/example.ts", text);
      assert.ok(found, text);
      assert.equal(isAllowed(found), false, text);
    }
    const [inside] = importsOf("plan/services/example.ts", 'import { x } from "../bundle.ts";');
    assert.ok(inside && isAllowed(inside));
  });
});

it("settings, plan and options are pure: nothing of Pulumi, no network, no process", () => {
  const impure = /^(@pulumi\/|node:(net|tls|https?|http2|dns|dgram|child_process|worker_threads)\b)/;
  const wrong = imports.filter(
    ({ file, target }) => /^(settings|plan|options)\//.test(file) && impure.test(target),
  );
  assert.deepEqual(wrong.map(told), []);
});

it("program and check load no package that only the tests and the local cloud have", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const program = /^(index\.ts$|settings\/|plan\/|options\/|components\/|check\/)/;
  const packages = imports
    .filter(({ file, own, target }) => !own && program.test(file) && !target.startsWith("node:"))
    .filter(
      ({ target }) =>
        !Object.keys(dependencies).some((name) => target === name || target.startsWith(`${name}/`)),
    );
  assert.deepEqual(packages.map(told), []);
});
