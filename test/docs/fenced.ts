/** The pages that people read, and what stands in their fences. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export interface Page {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

export interface Block {
  readonly page: string;
  /** Title of the section that it stands in, of whatever depth. */
  readonly section: string;
  readonly language: string;
  /** Without what it is indented by. */
  readonly text: string;
}

export const pages: readonly Page[] = [
  "README.md",
  "CHANGELOG.md",
  ...globSync("docs/*.md", { cwd: root }).sort(),
].map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

export const fence = /^( *)```(\w*)\n([\s\S]*?)^ *```$/gm;

/** All blocks of a page, in its order. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  return [...text.matchAll(fence)].map((found) => {
    const [, indent = "", language = "", body = ""] = found;
    const before = text.slice(0, found.index).replace(fence, "");
    const section = [...before.matchAll(/^#+ (.+)$/gm)].at(-1)?.[1] ?? "";
    return { page: path, section, language, text: body.replaceAll(new RegExp(`^${indent}`, "gm"), "") };
  });
}

/** @throws where there is no such page */
export function pageOf(path: string): Page {
  const found = pages.find((page) => page.path === path);
  if (found === undefined) throw new Error(`There is no page ${path}.`);
  return found;
}
